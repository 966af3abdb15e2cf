"""How a run stands to earlier runs of its job: with more agents, and against one alone (M7, M10). Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from echelon.model.costs.measures import Measures
from echelon.model.phrasing import count
from echelon.model.scaling import Ceiling, Measured


class Trend(NamedTuple):
    """What earlier runs say about one."""

    gain: float | None = None
    """Its throughput, in multiples of the best run with fewer agents; None where there is none."""
    points: tuple[Measured, ...] = ()
    """Agents and tasks an hour of all runs, those with the fewest agents first."""
    ceiling: Ceiling | None = None
    """Where the law fitted to them has its peak; None where they do not tell it."""
    single_before: float | None = None
    """Throughput of the run before it, in multiples of one agent; None where that is not known (M10)."""

    @property
    def said(self) -> str:
        """Say what is known of the ceiling."""
        if self.ceiling is None:
            return ""
        return f"ceiling at {count(self.ceiling.agents, 'agent')}, by {count(len(self.points), 'run')}"


def next_to_others(found: Measures, earlier: Sequence[Measures], ceiling: Ceiling | None = None) -> Trend:
    """Return how a run stands to earlier ones, the newest first; `ceiling` is the peak of the law fitted to all."""
    own, others = _point(found), points_of(earlier)
    smaller = [point.throughput for point in others if own is not None and point.agents < own.agents]
    before = next((one.against_single.throughput for one in earlier if one.against_single), None)
    return Trend(
        gain=own.throughput / max(smaller) if own is not None and smaller else None,
        points=points_of((found, *earlier)) if earlier else (),
        ceiling=ceiling,
        single_before=before,
    )


def points_of(runs: Sequence[Measures]) -> tuple[Measured, ...]:
    """Return the throughput of runs by their number of agents; a run that completed nothing tells none."""
    found = (point for point in map(_point, runs) if point is not None)
    return tuple(sorted(found, key=lambda point: (point.agents, point.throughput)))


def _point(found: Measures) -> Measured | None:
    if not found.throughput_per_hour or not found.agents:
        return None
    return Measured(agents=found.agents, throughput=found.throughput_per_hour)
