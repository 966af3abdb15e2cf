"""How long something is expected to take: earlier runs say it, or the plan, or others that did the same (V1). Pure."""

from bisect import insort
from typing import NamedTuple

from echelon.model.graph import TaskSpec
from echelon.model.learning.learnt import Learnt, Spread
from echelon.model.plan import PhasePlan, Plan
from echelon.planning.schedule.remaining import phase_seconds_of

#: What takes so much longer than expected is late.
LATE_SHARE = 0.2

#: Nobody is told that something is late by less, in seconds: a busy machine makes everybody so late.
LEAST_SECONDS = 0.75

#: From so many others on that did the same it is known how long that takes.
LEAST_SIBLINGS = 5

#: So many earlier runs say how long a phase, or the whole job, takes; of fewer the plan is the better guess.
LEAST_RUNS = 3

#: Of others that did the same, and of earlier runs, so many in a hundred took no longer than what is expected.
PERCENT = 90


class Expected(NamedTuple):
    """How long something is expected to take."""

    seconds: float
    """Wall time."""
    basis: str
    """Where that is known from, in words."""

    @property
    def limit(self) -> float:
        """From how many seconds on it is late."""
        return self.seconds + max(self.seconds * LATE_SHARE, LEAST_SECONDS)


class Siblings:
    """How long those took that did the same, in order."""

    def __init__(self) -> None:
        self._seconds: list[float] = []

    def add(self, seconds: float) -> None:
        """Take one in that was done."""
        insort(self._seconds, seconds)

    @property
    def expected(self) -> Expected | None:
        """What the next one is expected to take; None before there are enough."""
        number = len(self._seconds)
        if number < LEAST_SIBLINGS:
            return None
        return Expected(quantile(self._seconds, PERCENT), f"{PERCENT} % of {number:,} others took no longer")

    @property
    def median(self) -> float | None:
        """What the one in the middle took; None before there are enough."""
        return quantile(self._seconds, 50) if len(self._seconds) >= LEAST_SIBLINGS else None


def quantile(ordered: list[float], percent: int) -> float:
    """Return what so many in a hundred of some numbers, in order, are at most: the nearest rank."""
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, rank - 1)]


def expected_of_task(task: TaskSpec, phase: str, learnt: Learnt | None) -> Expected | None:
    """Return what a task is expected to take by earlier runs, or else by the plan; None where neither says it."""
    known = learnt.phases.get(phase) if learnt else None
    agent = known.agents.get(task.capability or "") if known else None
    by_history = _measured(agent.seconds if agent else None, LEAST_SIBLINGS, "tasks of earlier runs")
    if by_history is not None:
        return by_history
    return None if task.seconds is None else Expected(task.seconds, "stated")


def expected_of_phases(plan: Plan, learnt: Learnt | None) -> dict[str, Expected]:
    """Return what phases are expected to take, from their beginning to their sync point.

    The plan says nothing of phases that are done in rounds, since nobody knows how many there will be, nor where a task
    does not state how long it takes.
    """
    forecast = _forecast(plan)
    once = {phase.name for phase in plan.phases if _is_done_once(phase)}
    found = {name: Expected(seconds, "by the plan") for name, seconds in forecast.items() if name in once}
    if learnt is None:
        return found
    for name, known in learnt.phases.items():
        by_history = _measured(known.seconds, LEAST_RUNS, "earlier runs")
        if by_history is not None:
            found[name] = by_history
    return found


def _forecast(plan: Plan) -> dict[str, float]:
    """Return what the plan says that each phase takes; that of a single one was worked out with the plan."""
    stated = {task.id: task.seconds for task in plan.tasks if task.seconds is not None}
    if len(stated) < len(plan.tasks):
        return {}
    if len(plan.phases) == 1 and plan.makespan.predicted is not None:
        return {plan.phases[0].name: plan.makespan.predicted}
    return phase_seconds_of(plan, stated)


def expected_of_job(plan: Plan, learnt: Learnt | None) -> Expected | None:
    """Return what the whole job is expected to take; None where nothing says it, or a part is not planned yet."""
    by_history = _measured(learnt.makespan_seconds if learnt else None, LEAST_RUNS, "earlier runs")
    if by_history is not None:
        return by_history
    states_all = all(task.seconds is not None for task in plan.tasks)
    is_known = states_all and not plan.open and all(map(_is_done_once, plan.phases))
    predicted = plan.makespan.predicted if is_known else None
    return None if predicted is None else Expected(predicted, "by the plan")


def _is_done_once(phase: PhasePlan) -> bool:
    return phase.rounds == 1 and phase.attempts == 1


def _measured(spread: Spread | None, least: int, what: str) -> Expected | None:
    """Return what measurements of earlier runs make one expect; None where there are too few."""
    if spread is None or spread.count < least:
        return None
    return Expected(spread.p90, f"{PERCENT} % of {spread.count:,} {what} took no longer")
