"""The picture of a comparison: which curves are drawn, in which colours, and what is written beside them."""

from collections.abc import Iterator, Sequence

from echelon.cli.views.simulate import figure
from echelon.model.phrasing import count
from echelon.model.scaling import Ceiling, Curve, Measured
from echelon.scaling.comparison import CurveComparison
from echelon.visibility.plots import Chart, Mark, Series, chart_svg

TITLE = "Throughput against the number of agents"
#: Points of a curve that are drawn at most; more could not be told apart.
POINTS_DRAWN = 400

FLAT, TREE, STRUCTURED, MEASURED = "#b3402a", "#8a6d1f", "#1f5f8b", "#1c2529"


def drawn(found: CurveComparison) -> str:
    """Return the comparison as an SVG picture."""
    fitted = found.basis.parameters
    chart = Chart(
        title=TITLE,
        subtitle=(
            f"contention {fitted.contention:.4f}, coherency {fitted.coherency:.5f}, fitted to "
            f"{'the measured points' if found.measured else 'the example of flat coordination'}; span {found.span}, "
            f"a sync point every {count(found.tasks_per_sync, 'task')}"
        ),
        x_label="agents at work",
        y_label="throughput, in the unit of the points" if found.measured else "throughput, in multiples of one agent",
        series=list(_series(found)),
        marks=list(_marks(found)),
    )
    return chart_svg(chart)


def _series(found: CurveComparison) -> Iterator[Series]:
    for name, curve, colour, dashed in (
        ("structured", found.structured, STRUCTURED, False),
        ("tree alone, sync after every task", found.tree, TREE, True),
        ("flat", found.flat, FLAT, False),
    ):
        if curve:
            yield Series(name=name, points=_thinned(curve), colour=colour, dashed=dashed, end=_end(name, curve))
    if found.flat:
        reach = max(point.agents for point in found.flat.points)
        points = _pairs([point for point in found.basis_points if point.agents <= reach])
        if points:
            yield Series(name="measured" if found.measured else "example", points=points, colour=MEASURED, dots=True)
    for name, played, colour in (("flat", found.played_flat, FLAT), ("tree", found.played_tree, TREE)):
        if played and played.points:
            yield Series(name=f"{name}, played", points=_pairs(played.points), colour=colour, dots=True)


def _marks(found: CurveComparison) -> Iterator[Mark]:
    """Mark the ceilings that were found within what is drawn."""
    for curve, colour in ((found.structured, STRUCTURED), (found.flat, FLAT)):
        if curve and curve.ceiling.found and _inside(curve, curve.ceiling):
            text = f"ceiling: {figure(curve.ceiling.throughput)} with {count(curve.ceiling.agents, 'agent')}"
            yield Mark(x=curve.ceiling.agents, y=curve.ceiling.throughput, text=text, colour=colour)


def _inside(curve: Curve, ceiling: Ceiling) -> bool:
    return curve.points[0].agents <= ceiling.agents <= curve.points[-1].agents


def _end(name: str, curve: Curve) -> str:
    last = curve.points[-1]
    growing = "" if curve.ceiling.found or curve.ceiling.agents != last.agents else " ↗"
    return f"{name.partition(',')[0]} {figure(last.throughput)}{growing}"


def _thinned(curve: Curve) -> list[tuple[float, float]]:
    """Return at most `POINTS_DRAWN` points, the first and the last among them."""
    length = len(curve.points)
    steps = range(POINTS_DRAWN)
    kept = range(length) if length <= POINTS_DRAWN else sorted({_index(step, length) for step in steps})
    return [(curve.points[index].agents, curve.points[index].throughput) for index in kept]


def _index(step: int, length: int) -> int:
    """Return the index of a drawn point: more of the small numbers, where curves bend."""
    return round(length ** (step / (POINTS_DRAWN - 1))) - 1


def _pairs(points: Sequence[Measured]) -> list[tuple[float, float]]:
    return [(point.agents, point.throughput) for point in points]
