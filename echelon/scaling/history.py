"""Fit the law to what runs of one job measured, and say what that tells, or why it tells nothing (S, M7). Pure."""

from collections.abc import Sequence

from echelon.model.base import Value
from echelon.model.phrasing import count
from echelon.model.scaling import Ceiling, Fit, Measured
from echelon.scaling.scalability import POINTS_NEEDED, ceiling, fit


class MeasuredScaling(Value):
    """What the runs of a job tell of how it scales."""

    points: tuple[Measured, ...]
    """Agents and throughput of each run."""
    fit: Fit | None
    """The law fitted to them; None where they do not differ enough in size."""
    ceiling: Ceiling | None
    """Its peak; None where there is none within what the runs reach."""
    said: str
    """What that means, in one line."""


def measured_scaling(points: Sequence[Measured]) -> MeasuredScaling:
    """Return what runs tell; a peak beyond their largest number of agents is none that they have seen."""
    sizes = sorted({point.agents for point in points})
    if len(sizes) < POINTS_NEEDED:
        said = (
            f"no ceiling: the runs do not differ enough in size ({count(len(sizes), 'number')} of agents, "
            f"{POINTS_NEEDED} are needed)"
        )
        return MeasuredScaling(points=tuple(points), fit=None, ceiling=None, said=said)
    found = fit(points)
    peak = ceiling(found.parameters)
    if peak is None or peak.agents > sizes[-1]:
        said = f"no ceiling up to {sizes[-1]:,} agents: more agents did more"
        return MeasuredScaling(points=tuple(points), fit=found, ceiling=None, said=said)
    said = f"ceiling at {count(peak.agents, 'agent')}: more deliver less; stay below, or divide the work (L1)"
    return MeasuredScaling(points=tuple(points), fit=found, ceiling=peak, said=said)
