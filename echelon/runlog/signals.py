"""Signals that a structure is outgrown, measured at a sync point from what is on record (R6). Pure.

The formulas are in `docs/how-to/adapt.md`. What cannot be known is None, never zero.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from echelon.model.organisation import StructureSignal
from echelon.model.plan import NodeKind, Plan
from echelon.model.run import StepKind, StepRecord
from echelon.model.session import seconds_without
from echelon.model.usage import Usage
from echelon.planning.adaptation import Load
from echelon.runlog.state import RunState

COORDINATION_SHARE = 0.70  # of what a coordinator and those below it use; more, repeatedly, is a signal
WAITING_SHARE = 0.20  # of the time of the tasks; more is a signal
REWORK_SHARE = 0.10  # of the integrations; more, and more than before, is a signal (M3)
GOOD_SHARE = 0.90  # of the tasks; with fewer it is the single outputs that are bad

#: Coordination below this is too little to say anything about a structure.
LEAST_SECONDS, LEAST_TOKENS = 1.0, 1_000


def signals_at(state: RunState, plan: Plan, phase: str) -> tuple[Load, ...]:
    """Return the signals that are measured at the sync point of a phase, each where it is strongest; none are none."""
    measured = _Phases(state, plan)
    found = (measured.coordination(phase), measured.waiting(phase), measured.quality(phase))
    return tuple(load for load in found if load is not None)


def coordination_shares(state: RunState, plan: Plan, phase: str) -> dict[str, float | None]:
    """Return for each coordinator that integrated or planned in a phase which share of all that was coordination."""
    return _Phases(state, plan).coordination_shares(phase)


def waiting_share(state: RunState, plan: Plan, phase: str) -> float | None:
    """Return how long work of a phase waited for coordinators, as a share of the time of its tasks."""
    measured = _Phases(state, plan)
    waits = measured.waits(phase)
    return _share(measured.mean_wait(phase, waits), measured.task_seconds(phase)) if waits else None


def waiting_share_of_run(state: RunState, plan: Plan) -> float | None:
    """Return the same over all phases that have integrations: how long work waited, by the time of their tasks (M8)."""
    measured = _Phases(state, plan)
    waits = {phase: waits for phase in measured.names if (waits := measured.waits(phase))}
    waited = sum(measured.mean_wait(phase, found) for phase, found in waits.items())
    return _share(waited, sum(map(measured.task_seconds, waits)))


def heaviest_coordination(state: RunState, plan: Plan) -> float | None:
    """Return the largest share of coordination that the signal sees in any phase; None where it sees none (M9)."""
    measured = _Phases(state, plan)
    return max(
        (share for phase in measured.names if (share := measured.dearest_share(phase)) is not None), default=None
    )


def rework_share(steps: Iterable[StepRecord]) -> float | None:
    """Return the share of integrations that failed, took more than one attempt, were repaired or fall short."""
    integrations = [step for step in steps if step.kind is StepKind.INTEGRATION]
    return _share(sum(map(_reworked, integrations)), len(integrations))


def good_share(steps: Iterable[StepRecord]) -> float | None:
    """Return the share of tasks that were delivered, by themselves and whole."""
    tasks = [step for step in steps if step.kind is StepKind.TASK]
    return _share(sum(step.handoff.done and not step.handoff.falls_short for step in tasks), len(tasks))


class _Phases:
    """The steps of a run by phase, and what is measured of them."""

    def __init__(self, state: RunState, plan: Plan) -> None:
        self._state = state
        self._plan = plan
        self._all: dict[str, list[StepRecord]] = defaultdict(list)
        for step in state.steps:
            if step.node in plan.nodes:
                self._all[step.phase].append(step)
        self._latest: dict[str, list[StepRecord]] = defaultdict(list)
        for step in state.latest.values():
            if step.node in plan.nodes:
                self._latest[step.phase].append(step)

    @cached_property
    def _passed(self) -> list[str]:
        """Phases whose sync points were passed, the last one first."""
        passed = {name: one.ended for name, one in self._state.phases.items() if one.ended is not None}
        return sorted(passed, key=lambda name: passed[name], reverse=True)

    @property
    def names(self) -> list[str]:
        """Phases in which anything was done."""
        return list(self._latest)

    def dearest_share(self, phase: str) -> float | None:
        """Return the largest share of coordination in a phase, where that is large, and not tiny."""
        dearest = self._dearest(phase)
        return dearest[1] if dearest else None

    def coordination(self, phase: str) -> Load | None:
        """Most of what coordinators and those below them use is coordination, at two sync points."""
        earlier = (name for name in self._passed if name != phase)
        above = self._dearest(phase)
        if above is None or not any(self._dearest(name) for name in earlier):
            return None
        node, share = above
        return self._load(StructureSignal.COORDINATION, share, node, phase)

    def waiting(self, phase: str) -> Load | None:
        """Agents wait long for their coordinators."""
        waits = self.waits(phase)
        mean = self.mean_wait(phase, waits)
        share = _share(mean, self.task_seconds(phase)) if waits else None
        if share is None or share <= WAITING_SHARE or mean < LEAST_SECONDS:
            return None
        return self._load(StructureSignal.WAITING, share, max(waits, key=lambda node: waits[node]), phase)

    def quality(self, phase: str) -> Load | None:
        """More integrations need rework than in the phase before, while nearly all tasks are delivered."""
        steps = self._latest[phase]
        rates = [rework_share(self._latest[name]) for name in self._passed if name != phase]
        before = next((rate for rate in rates if rate is not None), None)
        now, good = rework_share(steps), good_share(steps)
        if before is None or now is None or good is None:
            return None
        if now <= max(before, REWORK_SHARE) or good < GOOD_SHARE:
            return None
        worst = next(step.node for step in steps if step.kind is StepKind.INTEGRATION and _reworked(step))
        return self._load(StructureSignal.QUALITY, now, worst, phase)

    def coordination_shares(self, phase: str) -> dict[str, float | None]:
        """Return the share of coordination for each coordinator, in tokens where both sides know them, else in seconds.

        What those below it use is the work of agents, and what their own coordinators take.
        """
        own: dict[str, Usage] = {}
        below: dict[str, Usage] = {}
        for step in self._all[phase]:
            if step.kind is not StepKind.TASK:
                own[step.node] = own.get(step.node, Usage()) + step.handoff.usage
            for node in self._above(step):
                below[node] = below.get(node, Usage()) + step.handoff.usage
        return {node: _coordination(used, below.get(node, Usage())) for node, used in own.items()}

    def _dearest(self, phase: str) -> tuple[str, float] | None:
        """Return the coordinator with the largest share of coordination, where that is large, and not tiny."""
        shares = {node: share for node, share in self.coordination_shares(phase).items() if share is not None}
        node = max(shares, key=lambda one: shares[one], default="")
        if not node or shares[node] <= COORDINATION_SHARE:
            return None
        used = _used(step for step in self._all[phase] if step.node == node)
        large = used.seconds >= LEAST_SECONDS or (used.tokens or 0) >= LEAST_TOKENS
        return (node, shares[node]) if large else None

    def waits(self, phase: str) -> dict[str, float]:
        """Return for each coordinator that integrated how long that was after the last one below it had ended.

        Waits for a slot lie in between; times when nobody worked on the run do not count.
        """
        steps, last = self._latest[phase], dict[str, StepRecord]()
        for step in steps:
            for node in self._above(step):
                if node not in last or last[node].finished < step.finished:
                    last[node] = step
        waits: dict[str, float] = {}
        for step in steps:
            if step.kind is StepKind.INTEGRATION and step.node in last:
                began = last[step.node].finished
                waited = seconds_without(began, max(began, step.finished), self._state.pauses)
                waits[step.node] = max(waits.get(step.node, 0.0), waited)
        return waits

    def mean_wait(self, phase: str, waits: Mapping[str, float]) -> float:
        """Return how long the work of an agent waited on its way up; coordinators side by side count as one."""
        above = [self._above(step) for step in self._latest[phase] if step.kind is StepKind.TASK]
        return sum(waits.get(node, 0.0) for path in above for node in path) / max(1, len(above))

    def task_seconds(self, phase: str) -> float:
        """Return how long agents worked in a phase, all together."""
        tasks = (step for step in self._latest[phase] if step.kind is StepKind.TASK)
        return sum(seconds_without(task.started, task.finished, self._state.pauses) for task in tasks)

    def _above(self, step: StepRecord) -> Sequence[str]:
        """Return the coordinators above the one that did a step."""
        return self._plan.path(step.node)[:-1]

    def _load(self, signal: StructureSignal, measured: float, node: str, phase: str) -> Load:
        """Return what a coordinator has below it in a phase."""
        active = self._active(phase)
        agents = [one for one in active if self._is_agent(one)]
        reports = [one for one in active if self._plan.nodes[one].parent == node]
        planned = next((one for one in self._plan.phases if one.name == phase), None)
        if planned is not None and planned.integration == "primary":  # leads pass on: all is integrated in one place
            reports = agents
        parent = self._plan.nodes[node].parent
        beside = [one for one in active if one != node and parent and self._plan.nodes[one].parent == parent]
        return Load(
            signal=signal,
            measured=measured,
            coordinator=node,
            agents=len(agents),
            reports=len(reports),
            leads=sum(not self._is_agent(one) for one in reports),
            peers=sum(not self._is_agent(one) for one in beside),
        )

    def _active(self, phase: str) -> Mapping[str, None]:
        """Return the nodes that had a part in a phase, and those above them."""
        steps = self._latest[phase]
        return dict.fromkeys(node for step in steps for node in self._plan.path(step.node))

    def _is_agent(self, node: str) -> bool:
        return self._plan.nodes[node].kind is NodeKind.AGENT


def _used(steps: Iterable[StepRecord]) -> Usage:
    return sum((step.handoff.usage for step in steps), Usage())


def _reworked(step: StepRecord) -> bool:
    handoff = step.handoff
    return not handoff.done or handoff.attempts > 1 or bool(handoff.repairs) or handoff.falls_short


def _coordination(own: Usage, below: Usage) -> float | None:
    if own.tokens is not None and below.tokens is not None:
        return _share(own.tokens, own.tokens + below.tokens)
    return _share(own.seconds, own.seconds + below.seconds)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
