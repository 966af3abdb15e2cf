"""`@agent` and `@integrator`: how a function says that it does work, or that it integrates the work of others."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, ParamSpec, Self, TypeAlias, TypeVar, Unpack, overload

from echelon.agents.call import CallShape
from echelon.agents.fallback import fallbacks_of
from echelon.agents.function import FunctionAgent, function_agent
from echelon.agents.shortcuts import AgentOptions, IntegratorOptions, check_known, shortcuts
from echelon.model.errors import InvalidJob
from echelon.model.integration import is_combination

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
C_co = TypeVar("C_co", bound=FunctionAgent[..., object] | None, covariant=True)

P2 = ParamSpec("P2")
R2 = TypeVar("R2")

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
        return replace(made, fallback=fallbacks_of(options.get("fallback")), can_wrap_up=can_wrap_up)

    return decorate if function is None else decorate(function)


@dataclass(frozen=True, kw_only=True)
class Integrator(Generic[P, R_co, C_co]):
    """How a coordinator integrates: outputs of agents first, then results of integrations below it (D6)."""

    merger: FunctionAgent[P, R_co]
    """Takes `Handoffs` of what agents made."""
    combiner: C_co
    """Takes `Handoffs` of what the merger made, one level up; None: the primary merges everything at once."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call the merging function directly, as a test would."""
        return self.merger(*args, **kwargs)

    def combine(self, function: Callable[P2, R2]) -> "Integrator[P, R_co, FunctionAgent[P2, R2]]":
        """Set how results of integrations are integrated further up; returns the integrator that does."""
        return Integrator(merger=self.merger, combiner=function_agent(function, resilience=self.merger.resilience))

    def function_of(self, phase: str, task_id: str) -> FunctionAgent[..., object]:
        """Return the function that does an integration of a phase, by its id."""
        return self.combiner if self.combiner is not None and is_combination(phase, task_id) else self.merger

    def bind(self, shape: CallShape) -> Self:
        """Check both functions against what they will be given; `InvalidJob` when one cannot be served."""
        combiner = self.combiner.bind(shape) if isinstance(self.combiner, FunctionAgent) else None
        return replace(self, merger=self.merger.bind(shape), combiner=combiner)


#: What a phase takes, whatever its functions take and return.
PhaseIntegrator: TypeAlias = Integrator[..., object, FunctionAgent[..., object] | None]

_MakesIntegrator = Callable[[Callable[P, R]], Integrator[P, R, None]]


@overload
def integrator(function: Callable[P, R], **options: Unpack[IntegratorOptions]) -> Integrator[P, R, None]: ...


@overload
def integrator(function: None = None, **options: Unpack[IntegratorOptions]) -> _MakesIntegrator[P, R]: ...


def integrator(
    function: Callable[P, R] | None = None, **options: Unpack[IntegratorOptions]
) -> Integrator[P, R, None] | _MakesIntegrator[P, R]:
    """Make a function the way in which coordinators integrate what their members delivered.

    It gets `Handoffs[T]`: what is there, and what is missing with the reason (F7). Alone it integrates everything at
    the primary; with `combine`, which integrates its results further up, every team and domain integrates its own:

        @integrator
        async def merge(findings: Handoffs[Finding]) -> PackageReport: ...

        @merge.combine
        async def merge(reports: Handoffs[PackageReport]) -> PackageReport: ...
    """
    check_known(options, IntegratorOptions, "integrator")
    resilience = shortcuts(options)

    def decorate(target: Callable[P, R]) -> Integrator[P, R, None]:
        return Integrator(merger=function_agent(target, name=options.get("name"), resilience=resilience), combiner=None)

    return decorate if function is None else decorate(function)
