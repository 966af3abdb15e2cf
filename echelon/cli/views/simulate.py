"""A comparison of flat and structured coordination: as one JSON document, and as people read it."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from echelon.cli.views.output import facts, table
from echelon.model.adapter import JsonObject
from echelon.model.phrasing import count, percent
from echelon.model.scaling import Ceiling, Curve, Fit, ScalingPoint, Stretch
from echelon.scaling.comparison import CurveComparison, Played
from echelon.scaling.scalability import flat_speedup
from echelon.scaling.simulation import spread

#: Numbers of agents in the table for people; the JSON document has all.
ROWS_SHOWN = 16
#: Stretches of numbers of agents that are named; the JSON document has all.
STRETCHES_SHOWN = 4
#: Numbers of agents that people ask about.
_ROUND = frozenset(factor * 10**power // 2 for power in range(6) for factor in (2, 3, 4, 6, 10, 16))


def document(found: CurveComparison, plot: Path | None = None) -> JsonObject:
    """Return everything for machines; the `points` and the `ceiling` at the top are those of the leading curve."""
    curve = leading(found)
    return {
        "structure": "flat" if curve is found.flat else "structured",
        "points": curve.points,
        "ceiling": curve.ceiling,
        "parameters": {
            **found.basis.parameters.model_dump(),
            "span": found.span,
            "tasks_per_sync": found.tasks_per_sync,
        },
        "fit": {
            "measured": found.measured,
            "points": found.basis_points,
            "r_squared": found.basis.r_squared,
            "largest_error": found.basis.largest_error,
        },
        "flat": _series(found.flat, found.played_flat),
        "tree": _series(found.tree, found.played_tree),
        "structured": _series(found.structured, None),
        "as_default": found.as_default,
        "advantage": found.advantage,
        "plot": str(plot) if plot else None,
    }


def leading(found: CurveComparison) -> Curve:
    """Return the curve that the answer is about: the user's own where points were given, else that of the structure."""
    first = (found.flat, found.structured) if found.measured else (found.structured, found.flat)
    curve = first[0] or first[1]
    assert curve is not None, "at least one curve is always asked for"
    return curve


def _series(curve: Curve | None, played: Played | None) -> JsonObject | None:
    if curve is None:
        return None
    simulated = {"simulated": played} if played else {}
    return {"points": curve.points, "ceiling": curve.ceiling, "limited_by": curve.limited_by, **simulated}


def show(console: Console, found: CurveComparison, plot: Path | None = None) -> None:
    """Print a comparison."""
    facts(console, _facts(found))
    console.print()
    _show_points(console, found)
    _show_fit(console, found)
    if plot:
        console.print()
        console.print(f"Picture: {plot}", soft_wrap=True)


def _facts(found: CurveComparison) -> list[tuple[str, str]]:
    fitted = found.basis.parameters
    whose = "your points" if found.measured else "the known example of flat coordination"
    rows = [
        ("contention", f"{fitted.contention:.4f}: share of a task for which its coordinator attends to nothing else"),
        ("coherency", f"{fitted.coherency:.5f}: share of a task to agree one result with one peer's"),
        ("one agent", f"{fitted.single:.4g}" if found.measured else ""),
        ("fitted to", f"{whose}: {_nearness(found.basis)}"),
    ]
    if found.flat:
        rows.append(("flat ceiling", _ceiling(found.flat.ceiling)))
    if found.structured:
        rows.append(("structured", _ceiling(found.structured.ceiling)))
        rows.append(("assumed", _assumed(found)))
        rows.append(("decided by", _decided(found.structured, found)))
        rows.append(("worth", _worth(found)))
    rows.extend(
        (f"{name} played", f"{_nearness(played.fit)} by the law fitted to rounds that were played event by event")
        for name, played in (("flat", found.played_flat), ("tree", found.played_tree))
        if played and played.fit
    )
    return rows


def _nearness(fit: Fit) -> str:
    return f"{fit.r_squared * 100:.1f} % of the variation explained, at most {fit.largest_error:.2g} off"


def _ceiling(ceiling: Ceiling) -> str:
    reached = f"{figure(ceiling.throughput)} with {count(ceiling.agents, 'agent')}"
    if ceiling.found:
        return f"{reached}; more agents deliver less: stay below, or divide the work (L1)"
    return f"{reached}, the most that was looked at: no ceiling up to there"


def _assumed(found: CurveComparison) -> str:
    return (
        f"at most {found.span} direct reports (R2), work brought together once in {count(found.tasks_per_sync, 'task')}"
        " of each agent (D4), never less overhead than is usual (R4)"
    )


#: What bounds a structured curve, as it is told.
_BOUNDS = {
    "R4": "the overhead usual for so many agents (R4)",
    "queues": "the queues of the tree's coordinators",
}


def _decided(curve: Curve, found: CurveComparison) -> str:
    """Say which bound decides the structured points, and whether span and tasks per sync change any of them."""
    bounds = sorted({stretch.by for stretch in curve.limited_by})
    told = [f"{_BOUNDS[by]} at {_numbers([one for one in curve.limited_by if one.by == by])}" for by in bounds]
    if bounds == ["R4"]:
        given = f"span {found.span} and {count(found.tasks_per_sync, 'task')} per sync"
        told.append(f"the queues would allow more everywhere, with {given}")
    if found.as_default:
        told.append("structured numbers are therefore those of the default span and tasks per sync")
    return "; ".join(
        [*told, "flat and the tree alone: queues only"] if told else ["nothing: a single agent waits for no other"]
    )


def _numbers(stretches: Sequence[Stretch]) -> str:
    shown = ", ".join(
        f"{one.first:,}" if one.first == one.last else f"{one.first:,}–{one.last:,}"
        for one in stretches[:STRETCHES_SHOWN]
    )
    more = len(stretches) - STRETCHES_SHOWN
    return f"{shown} and {more:,} more stretches" if more > 0 else f"{shown} agents"


def _worth(found: CurveComparison) -> str:
    advantage = found.advantage
    return (
        f"{figure(advantage.structured)} with {advantage.agents} agents, {advantage.ratio:.1f} times the best of flat "
        f"({figure(advantage.flat_best)}); the tree alone, synchronised after every task: {figure(advantage.tree)}"
    )


def _show_points(console: Console, found: CurveComparison) -> None:
    curves = [(name, curve) for name, curve in _curves(found) if curve]
    headings = [f"{name}{what}" for name, _ in curves for what in ("", " overhead")]
    unit = "in the unit of your points" if found.measured else "in multiples of one agent"
    rows = table("agents", *headings, title=f"Throughput {unit}; overhead: time lost to coordination, waiting included")
    for column in rows.columns:
        column.justify = "right"
    indices = _thinned([point.agents for point in curves[0][1].points])
    for index in indices:
        points = [curve.points[index] for _, curve in curves]
        rows.add_row(f"{points[0].agents:,}", *(cell for point in points for cell in _cells(point)))
    console.print(rows)


def _curves(found: CurveComparison) -> list[tuple[str, Curve | None]]:
    return [("flat", found.flat), ("tree alone", found.tree), ("structured", found.structured)]


def _cells(point: ScalingPoint) -> tuple[str, str]:
    return figure(point.throughput), percent(point.overhead)


def figure(throughput: float) -> str:
    """Return a throughput with three digits, or whole."""
    return f"{throughput:,.0f}" if throughput >= 100 else f"{throughput:.3g}"


def _thinned(agents: Sequence[int]) -> list[int]:
    """Return the indices of the rows to show: round numbers of agents, the first and the last."""
    if len(agents) <= ROWS_SHOWN:
        return list(range(len(agents)))
    inner = [index for index, number in enumerate(agents) if number in _ROUND]
    if len(inner) < ROWS_SHOWN // 2:  # a range in steps may miss the round numbers
        inner = [place - 1 for place in spread(1, len(agents), ROWS_SHOWN)]
    return sorted({0, *inner, len(agents) - 1})


def _show_fit(console: Console, found: CurveComparison) -> None:
    """Print beside one another what was given and what the parameters say."""
    parameters = found.basis.parameters
    rows = table("agents", "measured" if found.measured else "example", "fitted", title="Fit")
    for column in rows.columns:
        column.justify = "right"
    indices = _thinned([point.agents for point in found.basis_points])
    for point in (found.basis_points[index] for index in indices):
        fitted = parameters.single * flat_speedup(point.agents, parameters)
        rows.add_row(f"{point.agents:,}", f"{point.throughput:.4g}", f"{fitted:.4g}")
    console.print()
    console.print(rows)
