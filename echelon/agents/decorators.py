"""`@agent` and `@integrator`: how a function says that it does work, or that it integrates the work of others."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Self, TypeAlias, TypeVar, Unpack, cast, overload

from echelon.agents.agent import Agent, AgentLike
from echelon.agents.asides.asides import asides_of
from echelon.agents.call import CallShape
from echelon.agents.checks.criterion import criteria_stated
from echelon.agents.fallback import fallbacks_of
from echelon.agents.function import FunctionAgent, function_agent
from echelon.agents.model import ModelAgent, is_model, model_agent
from echelon.agents.shortcuts import AgentOptions, IntegratorOptions, check_known, shortcuts
from echelon.model.errors import InvalidJob
from echelon.model.integration import is_combination

if TYPE_CHECKING:
    from pydantic_ai.agent import AbstractAgent

P = ParamSpec("P")
R = TypeVar("R")
A = TypeVar("A", bound=Agent)
T = TypeVar("T")
M_co = TypeVar("M_co", bound=Agent, covariant=True)
C_co = TypeVar("C_co", bound=Agent | None, covariant=True)

#: What a decorator that was called with options does to a function.
_MakesAgent = Callable[[Callable[P, R]], FunctionAgent[P, R]]


@overload
def agent(
    function: Callable[P, R], *, cpu_bound: bool = False, can_wrap_up: bool = False, **options: Unpack[AgentOptions]
) -> FunctionAgent[P, R]: ...


@overload
def agent(
    function: None = None, *, cpu_bound: bool = False, can_wrap_up: bool = False, **options: Unpack[AgentOptions]
) -> _MakesAgent[P, R]: ...


def agent(
    function: Callable[P, R] | None = None,
    *,
    cpu_bound: bool = False,
    can_wrap_up: bool = False,
    **options: Unpack[AgentOptions],
) -> FunctionAgent[P, R] | _MakesAgent[P, R]:
    """Make a function an agent.

    Its return annotation is the contract of its output; its docstring, or `goal`, says what it achieves.
    `timeout` is in seconds for one attempt, `idle` without a `heartbeat()` in between; `attempts` counts the first;
    `breaker` names the dependency it calls, `budget` is what one task may use; False switches off what the job or the
    phase states. `resilience` says more, where these do not. `contract="flexible"` repairs an output that does not fit,
    where that takes no guess (C5).
    Async functions run on the loop, plain ones in a thread, `cpu_bound=True` in a process of their own.

    `success` states what must be true of its results wherever it works, as that of a phase does (D11).
    `preview` is a function with parameters like those of an agent that says in text what it would do: whoever is asked
    at a gate sees it, and approves just that. `ready` says before anything irreversible whether the agent is ready for
    it: True, False, or a text with the reason why not (O5).
    `fallback` stands in when it finally does not deliver: another agent, or a `Fallback` (F2).
    `can_wrap_up=True` calls it once more when a budget is used up and a share of it was kept back
    (`Budget(final_call=0.2)`), to write down what it has; `is_final_call()` of `echelon.resilience.budget` tells it so,
    in the function (F4).

        @agent(timeout=60)
        async def inspect(module: Module, brief: Brief) -> Finding: ...
    """
    check_known(options, AgentOptions, "agent")
    # No heartbeat leaves a process of its own, so that one would always seem silent.
    if cpu_bound and options.get("idle") is None:
        options["idle"] = False
    policy = shortcuts(options)
    if cpu_bound and policy.idle_seconds:
        raise InvalidJob("an agent that is cpu_bound has no heartbeat: give it a timeout instead of an idle one")
    if cpu_bound and can_wrap_up:
        raise InvalidJob("an agent that is cpu_bound cannot wrap up: its process cannot receive the final call")

    def decorate(target: Callable[P, R]) -> FunctionAgent[P, R]:
        made = function_agent(
            target,
            name=options.get("name"),
            goal=options.get("goal"),
            effect=options.get("effect", "read"),
            resilience=policy,
            cpu_bound=cpu_bound,
        )
        success = criteria_stated(f"agent {made.name!r}", options.get("success"))
        fallback = fallbacks_of(options.get("fallback"))
        asides = asides_of(made.name, options.get("preview"), options.get("ready"))
        return replace(made, fallback=fallback, success=success, asides=asides, can_wrap_up=can_wrap_up)

    return decorate if function is None else decorate(function)


@dataclass(frozen=True, kw_only=True)
class Integrator(Generic[M_co, C_co]):
    """How a coordinator integrates: outputs of agents first, then results of integrations below it (D6)."""

    merger: M_co
    """Takes what agents made."""
    combiner: C_co
    """Takes what the merger made, one level up; None: the primary merges everything at once."""

    def __call__(self: "Integrator[FunctionAgent[P, R], Agent | None]", *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the merging function directly, as a test would."""
        return self.merger(*args, **kwargs)

    @overload
    def combine(self, other: A, /) -> "Integrator[M_co, A]": ...
    @overload
    def combine(self, other: "AbstractAgent[Any, T]", /) -> "Integrator[M_co, ModelAgent[T]]": ...
    @overload
    def combine(self, other: Callable[P, R], /) -> "Integrator[M_co, FunctionAgent[P, R]]": ...
    def combine(self, other: Callable[..., object] | AgentLike, /) -> "Integrator[M_co, Agent]":
        """Set what integrates results of integrations further up: a function, or any agent.

        Returns the integrator that has both. A function is guarded as the merger is, an agent as it says itself.
        """
        known = _agent_of(other)
        if known is None:
            known = function_agent(cast("Callable[..., object]", other), resilience=self.merger.resilience)
        return Integrator(merger=self.merger, combiner=known)

    def agent_of(self, phase: str, task_id: str) -> Agent:
        """Return what does an integration of a phase, by its id."""
        return self.combiner if self.combiner is not None and is_combination(phase, task_id) else self.merger

    def bind(self, shape: CallShape) -> Self:
        """Check both against what they will be given; `InvalidJob` when one cannot be served."""
        combiner = self.combiner.bind(shape) if self.combiner is not None else None
        return replace(self, merger=self.merger.bind(shape), combiner=combiner)


#: What a phase takes, whatever integrates in it.
PhaseIntegrator: TypeAlias = Integrator[Agent, Agent | None]

_MakesIntegrator = Callable[[Callable[P, R]], Integrator[FunctionAgent[P, R], None]]


@overload
def integrator(who: A, /) -> Integrator[A, None]: ...
@overload
def integrator(who: "AbstractAgent[Any, T]", /) -> Integrator[ModelAgent[T], None]: ...
@overload
def integrator(
    who: Callable[P, R], /, **options: Unpack[IntegratorOptions]
) -> Integrator[FunctionAgent[P, R], None]: ...
@overload
def integrator(who: None = None, /, **options: Unpack[IntegratorOptions]) -> _MakesIntegrator[P, R]: ...


def integrator(
    who: Callable[P, R] | AgentLike | None = None, /, **options: Unpack[IntegratorOptions]
) -> Integrator[Agent, None] | _MakesIntegrator[P, R]:
    """Make a function, or any agent, the way in which coordinators integrate what their members delivered.

    A function gets `Handoffs[T]`: what is there, and what is missing with the reason (F7); a model finds it in its
    prompt, a command in its brief. Alone it integrates everything at the primary; with `combine`, which integrates its
    results further up, every team and domain integrates its own:

        @integrator
        async def merge(findings: Handoffs[Finding]) -> PackageReport: ...

        @merge.combine
        async def merge(reports: Handoffs[PackageReport]) -> PackageReport: ...

        integrator(summarise).combine(edit)   # models, commands, functions under @agent

    `options` are those of a function; an agent has its own.
    """
    check_known(options, IntegratorOptions, "integrator")
    known = _agent_of(who)
    if known is not None and options:
        raise InvalidJob(
            f"integrator(): {known.name!r} is an agent already; state {next(iter(options))!r} where it is made"
        )
    resilience = shortcuts(options)

    def decorate(target: Callable[P, R]) -> Integrator[FunctionAgent[P, R], None]:
        return Integrator(merger=function_agent(target, name=options.get("name"), resilience=resilience), combiner=None)

    if known is not None:
        return Integrator(merger=known, combiner=None)
    return decorate if who is None else decorate(cast("Callable[P, R]", who))


def _agent_of(who: Any) -> Agent | None:
    """Return what is an agent already, a plain model as one; None for a function, and for what is none."""
    if is_model(who):
        return model_agent(who)
    return who if isinstance(who, Agent) else None
