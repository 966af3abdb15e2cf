"""A model as an agent, over real HTTP against a provider on the loopback."""

import asyncio
import random
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import httpx
import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel, TypeAdapter
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai import DeferredToolRequests, NativeOutput, TextOutput, ToolOutput
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import ModelResponse, ToolCallPart
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.providers.openai import OpenAIProvider

from echelon.agents.agent import Agent
from echelon.agents.call import Call, CallShape
from echelon.agents.model import ModelAgent, contract_of_model, is_model, model_agent
from echelon.coordination.step.boundary import Accepted, Boundary, accept
from echelon.model.errors import (
    AgentFailed,
    AgentTimeout,
    BudgetExhausted,
    ContractViolation,
    DependencyFailed,
    InvalidJob,
)
from echelon.model.policy import Resilience
from echelon.model.usage import Budget, Usage
from echelon.resilience.errors import can_pass
from echelon.resilience.guard import CallResult, Guard
from echelon.testing.calls import NoInputs, a_call
from echelon.testing.clock import FakeClock
from echelon.testing.llm_server import Answer, LlmServer, babbles, hangs_up, refuses, says, stalls

T = TypeVar("T")


class Finding(BaseModel):
    path: str
    severity: Literal["low", "high"]


class Module(BaseModel):
    path: Path


GOOD = {"path": "a.py", "severity": "high"}


def chat(server: LlmServer, client: httpx.AsyncClient) -> OpenAIChatModel:
    """Return a model of the provider, whose own client would retry twice."""
    openai = AsyncOpenAI(base_url=server.url, api_key="none", http_client=client, max_retries=2)
    return OpenAIChatModel("local", provider=OpenAIProvider(openai_client=openai))


def against(server: LlmServer, use: Callable[[ModelAgent], Awaitable[T]], output: Any = Finding, **options: Any) -> T:
    """Use an agent on the provider, and close its connections in the same loop."""

    async def main() -> T:
        async with httpx.AsyncClient() as client:
            return await use(model_agent(PydanticAgent(chat(server, client), output_type=output), name="m", **options))

    with server:
        return asyncio.run(main())


def failure(*answers: Answer, call: Call | None = None, **options: Any) -> Exception:
    """Return the error of one call."""

    async def use(agent: ModelAgent) -> Exception:
        with pytest.raises(Exception) as failed:  # noqa: PT011 - which one it is, is the test
            await agent.perform(call or a_call())
        return failed.value

    return against(LlmServer(*answers), use, **options)


def guarded(server: LlmServer, clock: FakeClock, **policy: Any) -> CallResult[Any]:
    guard = Guard(Resilience(**policy), rng=random.Random(1), clock=clock, sleep=clock.sleep)
    return against(server, lambda agent: guard.call(lambda: agent.perform(a_call())))


def test_a_model_is_an_agent_with_a_contract_and_a_policy() -> None:
    agent = model_agent(PydanticAgent(TestModel(), output_type=Finding), name="review_code", timeout=9, breaker="local")

    assert isinstance(agent, Agent)
    assert (agent.name, agent.goal, agent.effect, agent.output_type) == ("review_code", "review code", "read", Finding)
    assert agent.resilience == Resilience(timeout_seconds=9, breaker="local")
    assert agent.bind(CallShape(inputs_type=NoInputs)) is agent


def test_it_answers_with_its_contract_and_tells_its_price() -> None:
    server = LlmServer(says(GOOD, tokens_in=100, tokens_out=20))
    outcome = against(server, lambda agent: agent.perform(a_call(Module(path=Path("a.py")), goal="find risks")))

    assert outcome.output == Finding(path="a.py", severity="high")
    assert outcome.usage == Usage(tokens_in=100, tokens_out=20, calls=1)


def test_text_is_a_contract_as_well() -> None:
    assert against(LlmServer(says("fine")), lambda agent: agent.perform(a_call()), output=str).output == "fine"


def test_it_is_told_the_assignment_and_the_item() -> None:
    server = LlmServer(says(GOOD))
    against(server, lambda agent: agent.perform(a_call(Module(path=Path("a.py")), goal="find risks")))

    said = server.requests[0]["messages"][-1]["content"]
    assert "# Task\n- find risks" in said
    assert '"path": "a.py"' in said


def test_a_prompt_of_ones_own_and_dependencies_are_made_from_the_call() -> None:
    seen: list[Any] = []
    inner: PydanticAgent[str, str] = PydanticAgent(TestModel(custom_output_text="done"), deps_type=str)

    @inner.instructions
    def note(context: Any) -> str:
        seen.append((context.deps, context.prompt))
        return "be brief"

    agent = model_agent(inner, name="m", prompt=lambda call: f"look at {call.item}", deps=lambda call: call.brief.phase)
    outcome = asyncio.run(agent.perform(a_call("a.py")))

    assert (outcome.output, seen) == ("done", [("phase", "look at a.py")])


def test_an_answer_that_misses_the_contract_is_corrected_and_every_request_is_counted() -> None:
    server = LlmServer(says({"path": "a.py", "severity": "terrible"}), says(GOOD))
    outcome = against(server, lambda agent: agent.perform(a_call()))

    assert outcome.output.severity == "high"
    assert outcome.usage == Usage(tokens_in=20, tokens_out=10, calls=2)


def test_answers_that_keep_missing_the_contract_are_a_violation_with_their_price() -> None:
    error = failure(says({"path": "a.py", "severity": "terrible"}))

    assert isinstance(error, ContractViolation)
    assert not can_pass(error)
    assert error.usage == Usage(tokens_in=20, tokens_out=10, calls=2)


def test_a_provider_that_tells_no_usage_leaves_the_tokens_unknown() -> None:
    outcome = against(LlmServer(says(GOOD, tokens_in=0, tokens_out=0)), lambda agent: agent.perform(a_call()))

    assert outcome.usage == Usage(calls=1)


# When the provider fails


@pytest.mark.parametrize(
    ("answer", "kind", "passes"),
    [
        (refuses(429), DependencyFailed, True),
        (refuses(500), DependencyFailed, True),
        (refuses(503), DependencyFailed, True),
        (refuses(529), DependencyFailed, True),
        (refuses(408), DependencyFailed, True),
        (hangs_up(), DependencyFailed, True),
        (refuses(400, message="context_length_exceeded"), DependencyFailed, False),
        (refuses(401), DependencyFailed, False),
        (refuses(404), DependencyFailed, False),
    ],
    ids=["429", "500", "503", "529", "408", "hangs up", "400", "401", "404"],
)
def test_a_failing_provider_is_told_from_one_that_refuses(answer: Answer, kind: type[Exception], passes: bool) -> None:
    error = failure(answer)

    assert (type(error), can_pass(error)) == (kind, passes)
    assert "the provider of model 'm' failed" in str(error)


def test_an_answer_that_was_cut_off_may_be_whole_the_next_time() -> None:
    error = failure(babbles())

    assert isinstance(error, DependencyFailed)
    assert can_pass(error)


def test_the_clients_own_retries_are_off() -> None:
    server = LlmServer(refuses(500))

    async def use(agent: ModelAgent) -> None:
        with pytest.raises(DependencyFailed):
            await agent.perform(a_call())

    against(server, use)

    assert len(server.requests) == 1


def test_the_guard_waits_as_long_as_the_provider_asks_and_succeeds() -> None:
    clock = FakeClock()
    server = LlmServer(refuses(429, headers={"retry-after": "7"}), says(GOOD))
    verdict = guarded(server, clock, backoff_seconds=0)

    assert verdict.error is None
    assert (verdict.attempts, clock.slept, len(server.requests)) == (2, [7], 2)
    assert verdict.usage.tokens == 15


def test_the_guard_gives_up_after_its_attempts_and_pays_for_all() -> None:
    clock = FakeClock()
    server = LlmServer(refuses(500))
    verdict = guarded(server, clock, attempts=3)

    assert isinstance(verdict.error, DependencyFailed)
    assert (verdict.attempts, len(server.requests), verdict.usage.calls) == (3, 3, 3)


def test_a_slow_provider_meets_the_timeout_of_the_guard() -> None:
    verdict = guarded(LlmServer(stalls(60)), FakeClock(), attempts=1, timeout_seconds=0.2)

    assert isinstance(verdict.error, AgentTimeout)


def test_when_all_models_of_a_fallback_fail_it_may_pass_if_one_may() -> None:
    async def use(first: LlmServer, second: LlmServer) -> Exception:
        async with httpx.AsyncClient() as client:
            model = FallbackModel(chat(first, client), chat(second, client))
            with pytest.raises(DependencyFailed) as failed:
                await model_agent(PydanticAgent(model), name="m").perform(a_call())
            return failed.value

    with LlmServer(refuses(401)) as first, LlmServer(refuses(503)) as second:
        error = asyncio.run(use(first, second))

    assert can_pass(error)
    assert "all providers of model 'm' failed" in str(error)


# Budgets


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        (Budget(tokens=12), "the tokens budget of model 'm' has 12 left; the call asks for 15"),
        (Budget(calls=1), "the calls budget of model 'm' has 1 left; the call asks for 2"),
    ],
    ids=["tokens", "calls"],
)
def test_the_budget_of_the_assignment_bounds_what_a_model_uses(budget: Budget, message: str) -> None:
    error = failure(says({"path": "a.py", "severity": "terrible"}), call=a_call(budget=budget))

    assert isinstance(error, BudgetExhausted)
    assert str(error) == message
    assert error.usage == Usage(tokens_in=10, tokens_out=5, calls=1)


def test_a_model_that_calls_tools_for_ever_is_stopped() -> None:
    def for_ever(*_: Any) -> ModelResponse:
        return ModelResponse(parts=[ToolCallPart("look", {})])

    inner = PydanticAgent(FunctionModel(for_ever))

    @inner.tool_plain
    def look() -> str:
        return "nothing"

    with pytest.raises(AgentFailed, match="came to no end") as failed:
        asyncio.run(model_agent(inner, name="m").perform(a_call()))

    assert failed.value.usage is not None
    assert failed.value.usage.calls == 50


# Definition


def test_a_model_needs_a_name() -> None:
    with pytest.raises(InvalidJob, match="needs a name"):
        model_agent(PydanticAgent(TestModel()))

    assert model_agent(PydanticAgent(TestModel(), name="review")).name == "review"


def parse(text: str) -> Finding:
    return Finding.model_validate_json(text)


@pytest.mark.parametrize(
    ("spec", "contract"),
    [
        (str, str),
        (Finding, Finding),
        (list[Finding], list[Finding]),
        ([Finding, str], Finding | str),
        (ToolOutput(Finding), Finding),
        (NativeOutput([Finding, str]), Finding | str),
        (parse, Finding),
        (TextOutput(parse), Finding),
        (ToolOutput(parse), Finding),
        ([str, TextOutput(parse)], str | Finding),
    ],
    ids=lambda one: type(one).__name__,
)
def test_the_output_type_of_the_model_is_the_contract(spec: Any, contract: Any) -> None:
    assert contract_of_model(spec, "m") == contract


@pytest.mark.parametrize("made", [TextOutput, ToolOutput, lambda function: function])
def test_an_output_made_by_a_function_that_does_not_say_what_it_returns_needs_its_type_stated(made: Any) -> None:
    def unsaid(text: str):
        return Finding.model_validate_json(text)

    inner = PydanticAgent(TestModel(), output_type=made(unsaid), name="m")
    with pytest.raises(InvalidJob, match="annotate it, or state output="):
        model_agent(inner)

    assert model_agent(inner, output=Finding).output_type is Finding


def test_a_plain_model_is_recognised_without_its_library() -> None:
    assert is_model(PydanticAgent(TestModel()))
    assert not any(map(is_model, (parse, "agent", TestModel(), object())))


def test_a_mistake_in_the_setup_is_a_mistake_in_the_job() -> None:
    def confused(*_: Any) -> Any:
        raise UserError("no tool of that name")

    agent = model_agent(PydanticAgent(FunctionModel(confused)), name="m")

    with pytest.raises(InvalidJob, match="not set up correctly"):
        asyncio.run(agent.perform(a_call()))


def test_errors_of_tools_are_left_as_they_are() -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    agent = model_agent(PydanticAgent(FunctionModel(broken)), name="m")

    with pytest.raises(ZeroDivisionError):
        asyncio.run(agent.perform(a_call()))


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = model_agent(PydanticAgent(TestModel()), name="m")
    monkeypatch.setitem(sys.modules, "pydantic_ai.usage", None)

    with pytest.raises(InvalidJob, match=r"pip install 'echelon\[llm\]'"):
        asyncio.run(agent.perform(a_call()))


def test_under_a_flexible_contract_it_is_asked_once_more_and_told_what_was_wrong() -> None:
    """C5: pydantic-ai sends an answer back once by itself; after that it is up to the contract."""
    terrible = {"path": "a.py", "severity": "terrible"}
    server = LlmServer(says(terrible), says(terrible), says(GOOD))

    async def use(agent: ModelAgent) -> Accepted:
        boundary = Boundary(contract=TypeAdapter(Finding), producer="m", flexible=True)
        call = a_call()
        return await accept(boundary, lambda: agent.perform(call), lambda told: agent.perform_again(call, told))

    taken = against(server, use)
    said = server.requests[-1]["messages"][-1]["content"]

    assert taken.outcome.output == Finding(path="a.py", severity="high")
    assert taken.repairs[0].startswith("asked once more: model 'm' broke its contract")
    assert taken.usage == Usage(tokens_in=30, tokens_out=15, calls=3)
    assert said.endswith("Answer again, so that it fits.")
    assert "# Your last answer was refused\n```json\n\"model 'm' broke its contract" in said


def test_answers_that_pydantic_ai_sent_back_are_on_record() -> None:
    server = LlmServer(says({"path": "a.py", "severity": "terrible"}), says(GOOD))
    outcome = against(server, lambda agent: agent.perform(a_call()))

    assert outcome.repairs == ("sent back to the model before it fitted, 1 of 2 answers",)


# That it answered does not say that it did it


@pytest.mark.parametrize(
    ("reason", "said", "passing"),
    [("length", "raise max_tokens", False), ("content_filter", "the provider's filter", False)],
)
@pytest.mark.parametrize(("output", "answer"), [(str, "half of an ans"), (Finding, GOOD)], ids=["text", "a contract"])
def test_an_answer_that_is_not_finished_is_no_answer(
    reason: str, said: str, passing: bool, output: Any, answer: Any
) -> None:
    """It was "completed"."""
    error = failure(says(answer, finish_reason=reason), output=output)

    assert isinstance(error, AgentFailed)
    assert f"did not finish its answer ({reason})" in str(error)
    assert said in str(error)
    assert error.passing is passing
    assert error.usage == Usage(tokens_in=10, tokens_out=5, calls=1)


@pytest.mark.parametrize("reason", ["stop", "tool_calls"])
def test_an_answer_that_is_finished_is_one(reason: str) -> None:
    server = LlmServer(says(GOOD, finish_reason=reason))

    assert against(server, lambda agent: agent.perform(a_call())).output == Finding(path="a.py", severity="high")


@pytest.mark.anyio
async def test_a_model_that_waits_for_approval_of_a_tool_has_not_delivered() -> None:
    """It was "completed", with the question as its output."""
    asking = PydanticAgent(TestModel(), output_type=[str, DeferredToolRequests], name="asking")

    @asking.tool_plain(requires_approval=True)
    def delete_everything() -> str:
        raise AssertionError("nobody approved it")

    with pytest.raises(AgentFailed, match="waits for tools that were not run: delete_everything"):
        await model_agent(asking).perform(a_call())
