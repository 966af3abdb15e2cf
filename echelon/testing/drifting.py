"""Work that drifts, in numbers: what sync points cost, and the work that is outdated by then (X3).

At each task something may change, at a rate of its own; whatever is done after a change and before the next sync point
is outdated. Rates are taken for what happens on average, so that there is no luck in the figures.
"""

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

from echelon.model.sync.policy import SyncPolicyTerms
from echelon.oversight.sync.adaptive import Pace, costs_of, first_pace, next_pace

#: How the rate changes from the first task to the last, given both ends and where a task stands from 0 to 1.
SHAPES: dict[str, Callable[[float, float, float], float]] = {
    "rises": lambda low, high, at: low * (high / low) ** at,
    "falls": lambda low, high, at: high * (low / high) ** at,
    "steps up": lambda low, high, at: low if at < 0.5 else high,
    "steps down": lambda low, high, at: high if at < 0.5 else low,
}


class Paced(NamedTuple):
    """How work with adaptive sync went."""

    cost: float
    """What it cost beside the work itself, in tasks."""
    paces: tuple[Pace, ...]
    """How often it synchronised, wave by wave."""


def rates_of(shape: str, tasks: int, low: float, high: float) -> list[float]:
    """Return the rate at each task."""
    return [SHAPES[shape](low, high, number / tasks) for number in range(tasks)]


def cost_of(rates: Sequence[float], terms: SyncPolicyTerms) -> float:
    """Return what the outdated work of one wave costs on average."""
    unchanged, outdated = 1.0, 0.0
    for rate in rates:
        outdated += 1 - unchanged
        unchanged *= 1 - rate
    return outdated * costs_of(terms.ratings)[1]


def fixed(rates: Sequence[float], terms: SyncPolicyTerms, every: int) -> float:
    """Return what all of the work costs beside itself with a fixed interval."""
    waves = [rates[begin : begin + every] for begin in range(0, len(rates), every)]
    return sum(cost_of(wave, terms) for wave in waves) + (len(waves) - 1) * costs_of(terms.ratings)[0]


def best_fixed(rates: Sequence[float], terms: SyncPolicyTerms) -> float:
    """Return what it costs with the best of all fixed intervals."""
    return fixed(rates, terms, best_every(rates, terms))


def best_every(rates: Sequence[float], terms: SyncPolicyTerms) -> int:
    """Return the best of all fixed intervals, found by search."""
    return min(range(terms.least, terms.most + 1), key=lambda every: fixed(rates, terms, every))


def by_chance(rates: Sequence[float], terms: SyncPolicyTerms, seed: int) -> float:
    """Return what it costs with adaptive sync where things change by chance, and are revealed as whole things."""
    luck = random.Random(seed)  # noqa: S311 - no secret
    pace, cost, begin = first_pace(terms), 0.0, 0
    sync_cost, drift_cost = costs_of(terms.ratings)
    while begin < len(rates):
        changed = [luck.random() < rate for rate in rates[begin : begin + pace.size]]
        begin += len(changed)
        first = changed.index(True) if any(changed) else len(changed)
        cost += max(0, len(changed) - first - 1) * drift_cost + (sync_cost if begin < len(rates) else 0.0)
        pace = next_pace(pace, terms, len(changed), sum(changed))
    return cost


def adaptive(rates: Sequence[float], terms: SyncPolicyTerms) -> Paced:
    """Return what it costs with adaptive sync."""
    pace, paces, cost, begin = first_pace(terms), list[Pace](), 0.0, 0
    while begin < len(rates):
        wave = rates[begin : begin + pace.size]
        begin += len(wave)
        cost += cost_of(wave, terms) + (costs_of(terms.ratings)[0] if begin < len(rates) else 0.0)
        paces.append(pace)
        pace = next_pace(pace, terms, len(wave), sum(wave))
    return Paced(cost, tuple(paces))
