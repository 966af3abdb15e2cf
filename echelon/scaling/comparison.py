"""Put the curves of flat and structured coordination side by side, with what they rest on (S, M7)."""

from collections.abc import Sequence
from typing import Literal

from echelon.model.base import Value
from echelon.model.scaling import Curve, Fit, Measured
from echelon.planning.regime import DEFAULT_SPAN
from echelon.scaling.rounds import play
from echelon.scaling.scalability import FLAT_EXAMPLE, fit, flat_fit
from echelon.scaling.simulation import DEFAULT_TASKS_PER_SYNC, EVERY_TASK, flat, spread, structured, tree

#: Which curves are asked for.
Shown = Literal["both", "flat", "structured"]

PLAYED_SIZES = 12  # numbers of agents at which rounds are played, spread over the range
PLAYED_AGENTS = 1000  # agents that rounds are played with at most
REFERENCE_AGENTS = 100  # where structured is compared with the best of flat


class Played(Value):
    """What rounds played event by event came to."""

    points: tuple[Measured, ...]
    """What was observed."""
    fit: Fit | None
    """The law fitted to them; None with fewer than three numbers of agents."""


class Advantage(Value):
    """What structure is worth."""

    agents: int
    """Number of agents under the structure."""
    flat_best: float
    """The most that flat coordination delivers with any number of agents."""
    tree: float
    """Throughput of the tree alone, brought together after every task as flat coordination is."""
    structured: float
    """Throughput of the tree with sync points."""
    ratio: float
    """structured / flat_best."""


class CurveComparison(Value):
    """The curves, what they rest on, and what they come to."""

    basis: Fit
    """The parameters everything is computed from, and how near they are to the points they were fitted to."""
    basis_points: tuple[Measured, ...]
    """The points they were fitted to."""
    measured: bool
    """Were these points measured by the user? False: they are the known example of flat coordination."""
    span: int
    """Most direct reports anybody has under the structure."""
    tasks_per_sync: int
    """Tasks of each agent between two sync points of the structure."""
    flat: Curve | None
    """One coordinator for all; None when not asked for."""
    tree: Curve | None
    """The tree alone; None when not asked for."""
    structured: Curve | None
    """The tree with sync points; None when not asked for."""
    as_default: bool
    """Are span and tasks per sync not both the default, and the structured points still those of the default?"""
    played_flat: Played | None
    """Rounds under one coordinator, event by event."""
    played_tree: Played | None
    """Rounds under the tree alone, event by event."""
    advantage: Advantage
    """What structure is worth at 100 agents."""


def compare(
    agents: Sequence[int],
    shown: Shown = "both",
    points: Sequence[Measured] | None = None,
    span: int = DEFAULT_SPAN,
    tasks_per_sync: int = DEFAULT_TASKS_PER_SYNC,
) -> CurveComparison:
    """Return the curves over `agents`, from the parameters of `points`, or of the known example when there are none.

    Raises `InvalidInput` for points that no curve can be fitted to, a span below 2, or no task between sync points.
    """
    basis = flat_fit() if points is None else fit(points)
    parameters = basis.parameters
    sizes = spread(agents[0], min(agents[-1], max(agents[0], PLAYED_AGENTS)), PLAYED_SIZES)
    sizes = [size for size in sizes if size <= PLAYED_AGENTS]
    under_structure = structured(agents, parameters, span, tasks_per_sync)
    with_flat, with_tree = shown != "structured", shown != "flat"
    return CurveComparison(
        basis=basis,
        basis_points=tuple(FLAT_EXAMPLE if points is None else points),
        measured=points is not None,
        span=span,
        tasks_per_sync=tasks_per_sync,
        flat=flat(agents, parameters) if with_flat else None,
        tree=tree(agents, parameters, span) if with_tree else None,
        structured=under_structure if with_tree else None,
        as_default=(span, tasks_per_sync) != (DEFAULT_SPAN, DEFAULT_TASKS_PER_SYNC)
        and under_structure.points == structured(agents, parameters).points,
        played_flat=_played(play(sizes, parameters)) if with_flat else None,
        played_tree=_played(play(sizes, parameters, span, EVERY_TASK)) if with_tree else None,
        advantage=_advantage(basis, span, tasks_per_sync),
    )


def _played(points: tuple[Measured, ...]) -> Played:
    enough = len({point.agents for point in points}) >= 3
    return Played(points=points, fit=fit(points) if enough else None)


def _advantage(basis: Fit, span: int, tasks_per_sync: int) -> Advantage:
    here = [REFERENCE_AGENTS]
    best = flat(range(1, REFERENCE_AGENTS + 1), basis.parameters).ceiling.throughput
    under_structure = structured(here, basis.parameters, span, tasks_per_sync).points[0].throughput
    return Advantage(
        agents=REFERENCE_AGENTS,
        flat_best=best,
        tree=tree(here, basis.parameters, span).points[0].throughput,
        structured=under_structure,
        ratio=under_structure / best,
    )
