"""What is known of a result when it is decided about, read from the plan, the log and earlier runs (X6)."""

import re
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import NamedTuple

from echelon.agents.agent import Agent
from echelon.agents.fingerprint.agent import fingerprint_of
from echelon.contract.version import contract_name
from echelon.coordination.autonomy.trials import is_own_work, stated_by
from echelon.coordination.context import RunContext
from echelon.definition.phase import PhaseDefinition
from echelon.model.autonomy.terms import AutonomyTerms
from echelon.model.autonomy.track import Reliability
from echelon.model.graph import TaskSpec
from echelon.model.handoff import Handoff
from echelon.model.usage import Budget, Usage
from echelon.oversight.autonomy.deciding import Situation
from echelon.oversight.reach import Downstream, Reach
from echelon.runlog.judging.autonomy import AgentVersion


class Made(NamedTuple):
    """A result, and who made it."""

    handoff: Handoff
    """What was handed on."""
    agent: Agent
    """Who made it, or would have where something stands in."""
    code: str = ""
    """Its fingerprint as it is on record; empty when that is not known."""

    @property
    def version(self) -> AgentVersion:
        """The agent, as it is now."""
        return AgentVersion(self.agent.name, self.code or fingerprint_of(self.agent))


class Situations:
    """Says what is known of results of one phase."""

    def __init__(self, run: RunContext, phase: PhaseDefinition, terms: AutonomyTerms) -> None:
        self._run = run
        self._phase = phase
        self._terms = terms
        self._known = run.log.known_agents
        self._reaches: dict[tuple[tuple[str, ...], bool], Reach] = {}
        #: By identity of the agent; the job holds all of them.
        self._budgets: dict[int, Budget | None] = {}

    def maker(self, handoff: Handoff, code: str = "") -> Made:
        """Return who made the result of a task: of several that did the same, the one whose output counts (F9)."""
        agent = self._run.spec.expansion.calls[handoff.task_id].agent
        used = handoff.replicas
        if used is not None and used.agent:
            agent = next((one for one in self._phase.redundancy.agents if one.name == used.agent), agent)
        return Made(handoff, agent, code)

    def of(self, made: Made) -> Situation:
        """Return what is known of a result of a task."""
        handoff, stated, used = made.handoff, stated_by(made.handoff), made.handoff.fallback
        return Situation(
            estimate=self._estimate(made),
            stated=stated,
            reach=self._reach(handoff.task_id),
            crosses=self._crosses(handoff.task_id, made.agent),
            exceeded=self._exceeded(made),
            novel=self._novel(made) if is_own_work(handoff) else "",
            stands_in=used.said if used is not None else "",
            confirmed=_is_confirmed(handoff),
        )

    def kind_of(self, made: Made) -> str:
        """Return the kind of work that a result is: its contract, and the kind of item it was made of."""
        item = self._run.spec.expansion.calls[made.handoff.task_id].item
        of = "" if item is None else f" of {type(item).__name__}"
        return f"{contract_name(made.agent.output_type)}{of}"

    def _reach(self, task_id: str) -> Reach:
        """Return what uses a result; found once for all tasks that the same others use: a wide phase has many."""
        users = tuple(self._users.get(task_id, ()))
        key = (users, self._run.spec.tasks[task_id].irreversible)
        if key not in self._reaches:
            self._reaches[key] = self._downstream.of(task_id, self._phase.name)
        return self._reaches[key]

    def _estimate(self, made: Made) -> Reliability:
        if not is_own_work(made.handoff):  # as far as what stands in can be trusted (F2)
            return Reliability(made.handoff.confidence, 0.0, 0)
        return self._known.track_of(made.version).estimate(stated_by(made.handoff), self._terms)

    def _novel(self, made: Made) -> str:
        kinds = self._known.kinds.get(made.version)
        if kinds is None:
            return f"no earlier run used the present code of {made.agent.name}"
        kind = self.kind_of(made)
        said = re.sub(r"\+\w+", "", kind)  # without the digest of the contract
        return "" if kind in kinds else f"{made.agent.name} has not made {said} in an earlier run"

    def _crosses(self, task_id: str, agent: Agent) -> tuple[str, ...]:
        """Return the other domains that use a result directly, or whose shared things its agent changes."""
        own = self._domain(task_id)
        if not own:
            return ()
        touched = self._run.spec.tasks[task_id].touches if agent.effect != "read" else ()
        others = [*self._users.get(task_id, ()), *(one for thing in touched for one in self._touching.get(thing, ()))]
        found = (self._domain(one) for one in others)
        return tuple(dict.fromkeys(domain for domain in found if domain and domain != own))

    def _exceeded(self, made: Made) -> str:
        if made.handoff.wrapped_up:
            return "its budget was used up before it was done"
        budget = self._budget_of(made.agent)
        over = _over(made.handoff.usage, budget) if budget else ""
        return f"it used more {over} than its budget" if over else ""

    def _budget_of(self, agent: Agent) -> Budget | None:
        if id(agent) not in self._budgets:
            stated = self._phase.resilience.over(self._run.spec.job.defaults)
            self._budgets[id(agent)] = agent.resilience.over(stated).budget or None
        return self._budgets[id(agent)]

    def _domain(self, task_id: str) -> str:
        return (self._run.spec.tasks[task_id].domain or "").partition(".")[0]

    @cached_property
    def _downstream(self) -> Downstream:
        return Downstream(self._run.spec.plan)

    @cached_property
    def _users(self) -> dict[str, list[str]]:
        return _by(self._run, lambda task: [used.task for used in task.depends_on])

    @cached_property
    def _touching(self) -> dict[str, list[str]]:
        return _by(self._run, lambda task: task.touches)


def _by(run: RunContext, names: Callable[[TaskSpec], Iterable[str]]) -> dict[str, list[str]]:
    """Return the tasks of a plan by what each of them names."""
    found: dict[str, list[str]] = {}
    for task in run.spec.plan.tasks:
        for name in names(task):
            found.setdefault(name, []).append(task.id)
    return found


def _over(used: Usage, budget: Budget) -> str:
    """Return what of a budget a result used more of; empty when nothing, or when that is not known."""
    pairs = (
        ("tokens", used.tokens, budget.tokens),
        ("calls", used.calls, budget.calls),
        ("money", used.cost, budget.cost),
        ("time", used.seconds, budget.seconds),
    )
    return next((what for what, amount, most in pairs if amount is not None and most is not None and amount > most), "")


def _is_confirmed(handoff: Handoff) -> bool:
    """Say whether somebody else judged a result and accepted it, who does not share the blind spots of its author."""
    known = handoff.verification
    return known is not None and known.result == "accepted" and any(one.independent for one in known.checks)
