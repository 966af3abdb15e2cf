"""Adaptive sync: less often while sync points reveal little, more often when they reveal much (X3). Pure.

Work that follows a drift and comes before the next sync point is done on something outdated. With drift at a rate r per
task and n tasks from one sync point to the next, that is about r·n²/2 tasks; so a sync point that costs as much as s
tasks, where each outdated task costs d, pays best at n = √(2s / (d·r)): the interval between checkpoints (Young, 1974).
What is not known is r. It is estimated from what the sync points revealed; how much of the past counts is measured in
things revealed, not in time, so that rare drift is averaged over long and a burst is answered at once.
"""

import math
from dataclasses import dataclass

from echelon.model.sync.policy import DriftRatings, Level, SyncPolicyTerms

#: Share of the tasks that are expected to reveal something, where nothing was measured.
VELOCITY: dict[Level, float] = {"low": 0.01, "medium": 0.05, "high": 0.2}

#: What a task on something outdated costs, in tasks: half of it is of use, it is done again, or more than that.
DRIFT_COST: dict[Level, float] = {"low": 0.5, "medium": 1.0, "high": 4.0}

#: What a light sync point costs, in tasks: agents wait for the slowest of the wave.
SYNC_COST: dict[Level, float] = {"low": 1.0, "medium": 2.0, "high": 8.0}

#: What is not seen before a sync point costs more, since more is built on it.
UNDETECTED: dict[Level, float] = {"low": 2.0, "medium": 1.0, "high": 0.5}

#: How many things revealed are remembered: what was before them counts for e⁻¹ or less.
MEMORY = 3.0

#: A share of tasks so small that it is the same as none.
HARDLY_ANY = 1e-9

#: How much the interval is at most changed at once, and by how much it must be wrong to be changed at all.
STEP, BAND = 2.0, 1.2


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often a phase synchronises at a time, and what that rests on."""

    interval: float
    """Tasks to the next sync point."""
    revealed: float
    """Things revealed that are remembered, those that were expected to begin with included."""
    tasks: float
    """Tasks in which they were."""

    @property
    def size(self) -> int:
        """Return the whole number of tasks to the next sync point."""
        return max(1, round(self.interval))

    @property
    def velocity(self) -> float:
        """Return the share of tasks that reveal something, as far as is known."""
        return self.revealed / self.tasks


def first_pace(terms: SyncPolicyTerms) -> Pace:
    """Return how often to synchronise before anything was revealed, by the table of §P6."""
    velocity = VELOCITY[terms.ratings.velocity]
    interval = best_interval(terms, velocity)
    # The guess has the weight of one wave or so: what is measured outweighs it soon.
    tasks = min(1 / velocity, 3 * interval)
    return Pace(interval=interval, revealed=velocity * tasks, tasks=tasks)


def next_pace(pace: Pace, terms: SyncPolicyTerms, tasks: int, revealed: float) -> Pace:
    """Return how often to synchronise behind a wave of so many tasks that revealed so much."""
    kept = math.exp(-max(revealed, pace.velocity * tasks) / MEMORY)
    seen = Pace(interval=pace.interval, revealed=pace.revealed * kept + revealed, tasks=pace.tasks * kept + tasks)
    wanted = best_interval(terms, seen.velocity)
    if pace.interval / BAND <= wanted <= pace.interval * BAND:
        return seen
    step = min(max(wanted, pace.interval / STEP), pace.interval * STEP)
    return Pace(interval=_bounded(terms, step), revealed=seen.revealed, tasks=seen.tasks)


def best_interval(terms: SyncPolicyTerms, velocity: float) -> float:
    """Return the interval that costs least while so large a share of the tasks reveals something, within its bounds."""
    sync_cost, drift_cost = costs_of(terms.ratings)
    return _bounded(terms, math.sqrt(2 * sync_cost / (drift_cost * max(velocity, HARDLY_ANY))))


def costs_of(ratings: DriftRatings) -> tuple[float, float]:
    """Return what a light sync point costs, and what a task on something outdated costs; both in tasks."""
    return SYNC_COST[ratings.sync_cost], DRIFT_COST[ratings.drift_cost] * UNDETECTED[ratings.detectability]


def _bounded(terms: SyncPolicyTerms, interval: float) -> float:
    return float(min(max(interval, terms.least), terms.most))
