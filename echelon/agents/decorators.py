"""`@agent` and `@integrator`: how a function says that it does work, or that it integrates the work of others."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self, Unpack, overload

from echelon.agents.agent import Effect
from echelon.agents.call import CallShape
from echelon.agents.fallback import Fallbacks, fallbacks_of
from echelon.agents.function import FunctionAgent, function_agent
from echelon.agents.shortcuts import Shortcuts, shortcuts
from echelon.model.edges import Foreign, Function
from echelon.model.errors import InvalidJob
from echelon.model.integration import is_combination
from echelon.model.policy import Off, Strictness


class AgentOptions(Shortcuts, total=False):
    """The options of `@agent`."""

    name: str | None
    goal: str | None
    effect: Effect
    cpu_bound: bool
    can_wrap_up: bool
    fallback: Fallbacks | None


@overload
def agent(function: Function, **options: Unpack[AgentOptions]) -> FunctionAgent: ...
@overload
def agent(function: None = None, **options: Unpack[AgentOptions]) -> Callable[[Function], FunctionAgent]: ...
def agent(
    function: Function | None = None,
    *,
    name: str | None = None,
    goal: str | None = None,
    effect: Effect = "read",
    cpu_bound: bool = False,
    can_wrap_up: bool = False,
    fallback: Fallbacks | None = None,
    **stated: Unpack[Shortcuts],
) -> FunctionAgent | Callable[[Function], FunctionAgent]:
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
    # No heartbeat leaves a process of its own, so that one would always seem silent.
    if cpu_bound and stated.get("idle") is None:
        stated["idle"] = False
    policy = shortcuts(**stated)
    if cpu_bound and policy.idle_seconds:
        raise InvalidJob("an agent that is cpu_bound has no heartbeat: give it a timeout instead of an idle one")
    if cpu_bound and can_wrap_up:
        raise InvalidJob("an agent that is cpu_bound cannot wrap up: its process cannot tell the final call")

    def decorate(target: Function) -> FunctionAgent:
        made = function_agent(target, name=name, goal=goal, effect=effect, resilience=policy, cpu_bound=cpu_bound)
        return replace(made, fallback=fallbacks_of(fallback), can_wrap_up=can_wrap_up)

    return decorate if function is None else decorate(function)


@dataclass(frozen=True, kw_only=True)
class Integrator:
    """How a coordinator integrates: outputs of agents first, then results of integrations below it (D6)."""

    merger: FunctionAgent
    """Takes `Handoffs` of what agents made."""
    combiner: FunctionAgent | None = None
    """Takes `Handoffs` of what the merger made, one level up; None: the primary merges everything at once."""

    def __call__(self, *args: object, **kwargs: object) -> Foreign:
        """Call the merging function directly, as a test would."""
        return self.merger(*args, **kwargs)

    def combine(self, function: Function) -> Self:
        """Set how results of integrations are integrated further up; returns the integrator that does."""
        return replace(self, combiner=function_agent(function, resilience=self.merger.resilience))

    def function_of(self, phase: str, task_id: str) -> FunctionAgent:
        """Return the function that does an integration of a phase, by its id."""
        return self.combiner if self.combiner is not None and is_combination(phase, task_id) else self.merger

    def bind(self, shape: CallShape) -> Self:
        """Check both functions against what they will be given; `InvalidJob` when one cannot be served."""
        combiner = self.combiner.bind(shape) if self.combiner else None
        return replace(self, merger=self.merger.bind(shape), combiner=combiner)


@overload
def integrator(function: Function) -> Integrator: ...
@overload
def integrator(
    function: None = None,
    *,
    name: str | None = None,
    timeout: float | Off | None = None,
    attempts: int | None = None,
    contract: Strictness | None = None,
) -> Callable[[Function], Integrator]: ...
def integrator(
    function: Function | None = None,
    *,
    name: str | None = None,
    timeout: float | Off | None = None,
    attempts: int | None = None,
    contract: Strictness | None = None,
) -> Integrator | Callable[[Function], Integrator]:
    """Make a function the way in which coordinators integrate what their members delivered.

    It gets `Handoffs[T]`: what is there, and what is missing with the reason (F7). Alone it integrates everything at
    the primary; with `combine`, which integrates its results further up, every team and domain integrates its own:

        @integrator
        async def merge(findings: Handoffs[Finding]) -> PackageReport: ...

        @merge.combine
        async def merge(reports: Handoffs[PackageReport]) -> PackageReport: ...
    """
    resilience = shortcuts(timeout=timeout, attempts=attempts, contract=contract)

    def decorate(target: Function) -> Integrator:
        return Integrator(merger=function_agent(target, name=name, resilience=resilience))

    return decorate if function is None else decorate(function)
