"""A language model as an agent: wraps a plain `pydantic_ai.Agent`, needs the extra `echelon[llm]`.

What a model answers is hostile text: it is validated against the contract and handed on as data, never formatted into
a command, a path or code. Retries belong to the guard alone: the provider's client is told to make none
(`max_retries=0` of the model settings); answers that miss the contract are corrected inside pydantic-ai, as often as
its `retries` say. Under a flexible contract the model is asked once more after that, in a new conversation, and told
what was wrong (C5). Answers come as a whole, unless the `pydantic_ai.Agent` watches its events (`ProcessEventStream`):
then they are streamed, and a stream that is cut off is a failed call like any other.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, TypeVar, Union, Unpack, cast, overload

from echelon.agents.agent import Effect
from echelon.agents.asides.asides import NOTHING_ASKED, Asides, asides_of
from echelon.agents.binding import hints_of
from echelon.agents.call import Call, CallShape
from echelon.agents.checks.criterion import Criterion, criteria_stated
from echelon.agents.fallback import Fallback, fallbacks_of
from echelon.agents.model_ends import check_end
from echelon.agents.model_limits import conversation, exhausted, kept_tokens, library, limits
from echelon.agents.model_meter import Sizes, metered
from echelon.agents.outcome import Outcome
from echelon.agents.prompt import FINAL_CALL, correction, prompt_of
from echelon.agents.shortcuts import ReaderOptions, check_known, reader_shortcuts
from echelon.agents.transcript.exchange import heard_as
from echelon.agents.transcript.replay import messages_of
from echelon.agents.voice.tools import voice_tools
from echelon.model.edges import is_listing
from echelon.model.errors import (
    AgentFailed,
    ContractViolation,
    DependencyFailed,
    EchelonError,
    InvalidJob,
)
from echelon.model.graph import WorkerKind
from echelon.model.phrasing import one_line
from echelon.model.policy import Resilience
from echelon.model.usage import Budget, Usage
from echelon.redaction import redact
from echelon.resilience.budget import is_final_call
from echelon.resilience.errors import can_pass
from echelon.resilience.quota.gate import check_quota

if TYPE_CHECKING:
    from pydantic_ai import Agent
    from pydantic_ai.capabilities import AgentCapability
    from pydantic_ai.messages import ModelMessage
    from pydantic_ai.models import ModelRequestContext
    from pydantic_ai.settings import ModelSettings
    from pydantic_ai.usage import RunUsage

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

#: A model with whatever dependencies: `deps` makes them, and only the library checks that they fit.
Model: TypeAlias = "Agent[Any, T_co]"

#: How much of a provider's error is quoted, in characters.
QUOTED_CHARACTERS = 500


@dataclass(frozen=True, kw_only=True)
class ModelAgent(Generic[T_co]):
    """A model that does a task."""

    model: "Model[object]"
    name: str
    goal: str
    output_type: object
    prompt: Callable[[Call], str] = prompt_of
    deps: Callable[[Call], object] | None = None
    effect: Effect = "read"
    resilience: Resilience = Resilience()
    fallback: tuple[Fallback, ...] = ()
    success: tuple[Criterion, ...] = ()
    asides: Asides = NOTHING_ASKED
    sizes: Sizes = field(default_factory=Sizes, compare=False, repr=False)
    """How large its requests are, as far as it has told."""
    answers_as: type[Any] | None = None
    """What it answers instead of its output, without its tools, where it is asked something short; None: its output."""
    voice: bool = True
    """Is it given tools to say what somebody should know, and to open what it is referred to (X15)?"""
    pays_by_part: bool = True
    kind: WorkerKind = WorkerKind.MODEL

    def bind(self, shape: CallShape) -> Self:
        """Return itself: the prompt is made from whatever a call carries."""
        return replace(self, asides=self.asides.bind(shape)) if self.asides is not NOTHING_ASKED else self

    @property
    def can_wrap_up(self) -> bool:
        """Every model can write down what it has (F4)."""
        return True

    async def perform(self, call: Call) -> Outcome[T_co]:
        """Ask the model once; what it used is told with the outcome, and with the error."""
        if is_final_call():
            return await self._wrap_up(call)
        return await self._ask(call, self._prompt(call), _taken_up(call))

    def _prompt(self, call: Call) -> str:
        """Return the prompt; a model that has a voice can open what it is referred to."""
        return self.prompt(replace(call, can_open=self.voice))

    async def perform_again(self, call: Call, complaint: str) -> Outcome[T_co]:
        """Ask once more, told what was wrong: a new conversation, so that no half of the old answer is left."""
        return await self._ask(call, f"{self._prompt(call)}\n\n{correction(complaint)}", _taken_up(call))

    async def _wrap_up(self, call: Call) -> Outcome[T_co]:
        """Ask for what there is: in the conversation that was cut off, or in a new one when there was none."""
        so_far = conversation(call.notes)
        untold = replace(call, brief=call.brief.model_copy(update={"conventions": ()}))  # it has no tools any more
        prompt = FINAL_CALL if so_far else f"{self.prompt(untold)}\n\n{FINAL_CALL}"
        return await self._ask(call, prompt, so_far or _taken_up(call))

    async def _ask(self, call: Call, prompt: str, so_far: "Sequence[ModelMessage]" = ()) -> Outcome[T_co]:
        used: RunUsage = library("pydantic_ai.usage").RunUsage()
        budget = call.brief.assignment.budget
        meters = metered(self.sizes)
        try:
            with self._tools(), library("pydantic_ai").capture_run_messages() as messages, self._heard(messages):
                call.notes[:] = [messages]
                result = await self.model.run(
                    prompt,
                    output_type=self.answers_as,
                    message_history=so_far or None,
                    deps=self.deps(call) if self.deps else None,
                    usage=used,
                    usage_limits=limits(budget, final_call=is_final_call(), metered=bool(meters)),
                    capabilities=[*meters, _gated(), *_instructed(so_far)],
                    toolsets=None if is_final_call() or self.answers_as or not self.voice else [voice_tools(call)],
                    model_settings=self._settings(budget),
                )
        except EchelonError as error:
            error.usage = _usage(used)
            raise
        except asyncio.CancelledError as stopped:
            vars(stopped)["usage"] = _usage(used)  # who stops it reads there what it has used by then
            raise
        except Exception as error:
            translated = _translated(error, self, used, budget)
            if translated is None:
                raise
            translated.usage = _usage(used)
            raise translated from error
        try:
            check_end(result, final_call=is_final_call())
        except AgentFailed as error:
            error.usage = _usage(used)  # what is no answer has been paid for too
            raise
        return Outcome(
            output=cast("T_co", result.output), usage=_usage(used), repairs=_corrections(result.new_messages())
        )

    def _heard(self, messages: "Sequence[ModelMessage]") -> AbstractContextManager[None]:
        """Let what is said be kept, however the call ends."""
        return heard_as(self.name, self.model.model, messages)

    def _tools(self) -> AbstractContextManager[None]:
        """Take the model's tools away in the last call: there is nothing left to use them with."""
        bare = is_final_call() or self.answers_as is not None
        return self.model.override(tools=[], toolsets=[], native_tools=[]) if bare else nullcontext()

    def _settings(self, budget: Budget) -> "ModelSettings":
        """Switch the retries of the provider's client off, where the model knows the setting; bound the last answer."""
        knows = "max_retries" not in getattr(self.model.model, "unsupported_settings", ())
        kept = kept_tokens(budget) if is_final_call() else None
        settings = ({"max_retries": 0} if knows else {}) | ({} if kept is None else {"max_tokens": kept})
        return cast("ModelSettings", settings)


class ModelOptions(ReaderOptions, total=False):
    """What a model may be told beside its output."""

    prompt: Callable[[Call], str]
    """Makes the prompt of a call."""
    deps: Callable[[Call], object] | None
    """Makes the dependencies of a call."""
    voice: bool
    """Is it given tools to raise concerns, state its confidence, propose tasks and open outputs? It is, by default."""


@overload
def model_agent(model: "Model[object]", *, output: type[T], **options: Unpack[ModelOptions]) -> ModelAgent[T]: ...
@overload
def model_agent(model: "Model[T]", *, output: None = None, **options: Unpack[ModelOptions]) -> ModelAgent[T]: ...
@overload
def model_agent(
    model: "Model[object]", *, output: object = None, **options: Unpack[ModelOptions]
) -> ModelAgent[object]: ...
def model_agent(
    model: "Model[object]", *, output: object = None, **options: Unpack[ModelOptions]
) -> ModelAgent[object]:
    """Make a `pydantic_ai.Agent` an agent of a job.

    Its output type is the contract; state `output` when that is made by a function. `prompt` makes the prompt of a
    call, by default from the assignment, the item, the inputs and what earlier phases delivered: outputs of
    `by_value_tokens` in all stand in it, larger ones are named (C6). `deps` makes the agent's dependencies. `timeout`,
    `idle`, `attempts`, `breaker`, `resilience`, `success` and `fallback` are those of `agent`. `budget` is what one
    task may use; tokens and calls are enforced while it works. Where a share is kept back (`Budget(final_call=0.2)`),
    the model is asked for what it has when the rest is used up, in the same conversation and without its tools (F4).
    With `contract="flexible"` an answer that does not fit is repaired where that takes no guess, or else asked for
    once more.

        review = model_agent(Agent("openai:gpt-5", output_type=Review, instructions="You review code."), name="review")
    """
    check_known(options, ModelOptions, "model_agent")
    own_name = options.get("name") or model.name
    if not own_name:
        raise InvalidJob("a model needs a name: give it one with name=..., or name the pydantic_ai.Agent")
    return ModelAgent(
        model=model,
        name=own_name,
        goal=options.get("goal") or own_name.replace("_", " "),
        output_type=output if output is not None else contract_of_model(model.output_type, own_name),
        prompt=options.get("prompt", prompt_of),
        deps=options.get("deps"),
        effect=options.get("effect", "read"),
        resilience=reader_shortcuts(options),
        fallback=fallbacks_of(options.get("fallback")),
        success=criteria_stated(f"agent {own_name!r}", options.get("success")),
        asides=asides_of(own_name, options.get("preview"), options.get("ready")),
        voice=options.get("voice", True),
    )


def is_model(candidate: object) -> bool:
    """Say whether something is a `pydantic_ai.Agent`, without importing that library."""
    kinds = type(candidate).__mro__
    return any(kind.__name__ == "AbstractAgent" and kind.__module__.startswith("pydantic_ai.") for kind in kinds)


def contract_of_model(spec: object, name: str) -> object:
    """Return the type behind an output specification of pydantic-ai; `InvalidJob` when it names none."""
    if is_listing(spec):
        members = tuple(contract_of_model(member, name) for member in spec)
        return Union[members]  # noqa: UP007 - made at run time
    inner = next(filter(None, (getattr(spec, part, None) for part in ("output", "outputs", "output_function"))), None)
    if inner is not None and type(spec).__module__.startswith("pydantic_ai."):
        return contract_of_model(inner, name)
    if callable(spec) and not isinstance(spec, type) and not hasattr(spec, "__origin__"):
        returned = hints_of(spec, name).get("return")
        if returned is not None:
            return returned
        raise InvalidJob(
            f"model {name!r} makes its output with a function that does not say what it returns: annotate it, "
            "or state output=..."
        )
    return spec


def _gated() -> "AgentCapability[Any]":
    """Return what sends no request while the quota of the provider is used up, also in the middle of a call (F10)."""

    async def prepare(_run: object, request: "ModelRequestContext") -> "ModelRequestContext":
        check_quota()
        return request

    hooks: Callable[..., AgentCapability[Any]] = library("pydantic_ai.capabilities").Hooks
    return hooks(prepare_model_request=prepare)


def _taken_up(call: Call) -> "Sequence[ModelMessage]":
    """Return the conversation that a call goes on with; empty for a new one."""
    return messages_of(call.so_far) if call.so_far else ()


def _instructed(so_far: "Sequence[ModelMessage]") -> "Sequence[AgentCapability[Any]]":
    """Let a model that goes on have its own system prompt, which the library gives to new conversations only."""
    return [library("pydantic_ai.capabilities").ReinjectSystemPrompt()] if so_far else []


def _translated(error: Exception, agent: ModelAgent[object], used: "RunUsage", budget: Budget) -> EchelonError | None:
    """Say in our words what failed, the one place that knows the library's; None for errors that are not its own."""
    exceptions = library("pydantic_ai.exceptions")
    if isinstance(error, exceptions.UsageLimitExceeded):
        return exhausted(error, agent.name, used, budget)
    told = redact(one_line(error), agent.model.model)
    said = f"{type(error).__name__}: {told[:QUOTED_CHARACTERS]}"
    for kind, ours in _OURS.items():
        if isinstance(error, getattr(exceptions, kind)):
            return ours(f"model {agent.name!r}", said, error)
    return None


#: Error of pydantic-ai → ours, from (who, what was said, the error); the first kind that fits counts.
_OURS: dict[str, Callable[[str, str, Exception], EchelonError]] = {
    "ContentFilterError": lambda who, said, _: AgentFailed(f"{who} was not allowed to answer: {said}"),
    "UnexpectedModelBehavior": lambda who, said, _: ContractViolation(f"{who} broke its contract: {said}"),
    "UserError": lambda who, said, _: InvalidJob(f"{who} is not set up correctly: {said}"),
    "FallbackExceptionGroup": lambda who, said, error: DependencyFailed(
        f"all providers of {who} failed: {said}", passing=any(map(can_pass, getattr(error, "exceptions", ())))
    ),
    "ModelAPIError": lambda who, said, error: DependencyFailed(
        f"the provider of {who} failed: {said}", passing=can_pass(error) or _was_cut_off(error)
    ),
}


def _was_cut_off(error: Exception) -> bool:
    """Say whether the provider's answer ended in the middle: not readable as JSON, which no provider means to send."""
    return isinstance(error.__cause__, json.JSONDecodeError)


def _usage(used: "RunUsage") -> Usage:
    """Tell what was used; a provider that tells nothing leaves the tokens unknown, not zero."""
    known = bool(used.input_tokens or used.output_tokens)
    return Usage(
        tokens_in=used.input_tokens if known else None,
        tokens_out=used.output_tokens if known else None,
        calls=used.requests,
    )


def _corrections(messages: "Sequence[ModelMessage]") -> tuple[str, ...]:
    """Say how often pydantic-ai sent an answer back before it fitted; tools that were called wrongly are no answers."""
    parts = [part for message in messages for part in message.parts]
    answered_by = getattr(parts[-1], "tool_name", None) if parts else None
    times = sum(_sent_back(part) and getattr(part, "tool_name", None) == answered_by for part in parts)
    return (f"sent back to the model before it fitted, {times} of {times + 1} answers",) if times else ()


def _sent_back(part: object) -> bool:
    return getattr(part, "part_kind", "") == "retry-prompt" or getattr(part, "outcome", "") == "retried"
