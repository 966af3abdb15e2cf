"""From turns to the document and the tables that `benchmarks/overhead.py` prints."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.metering import Used
from benchmarks.overhead_sides.contenders import BY_NAME, CONTENDERS, Contender

Point = dict[str, Any]
Points = Mapping[int, Point]

OURS = "echelon"
OTHERS = tuple(contender.name for contender in CONTENDERS if contender.name != OURS)

#: The size that the ratio of the report is taken at.
RATIO_AGENTS = 1000

CLAIM = (
    "At 1,000 agents an agent costs no more than with LangGraph and its SQLite checkpointer, at 100 at most 1.5 times "
    "as much, at 10 twice; at 5,000 at most 1.1 times what it costs at 1,000; 1,000 agents take at most 250 MB"
)


@dataclass(frozen=True)
class Aim:
    """A figure that must not be exceeded."""

    what: str
    most: float
    figure: Callable[[Points], float | None]
    """Returns what was measured; None when it was not."""


def at(agents: int, key: str) -> Callable[[Points], float | None]:
    """Return what finds a figure of one size."""
    return lambda points: points.get(agents, {}).get(key)


def growth(points: Points) -> float | None:
    """Return what an agent costs among 5,000 by what it costs among 1,000."""
    few, many = at(1000, f"{OURS}_ms")(points), at(5000, f"{OURS}_ms")(points)
    return _ratio(many, few)


AIMS = (
    Aim("Echelon / LangGraph + SQLite at 10 agents", 2.0, at(10, "ratio_langgraph")),
    Aim("Echelon / LangGraph + SQLite at 100 agents", 1.5, at(100, "ratio_langgraph")),
    Aim("Echelon / LangGraph + SQLite at 1,000 agents", 1.0, at(1000, "ratio_langgraph")),
    Aim("an agent among 5,000 / an agent among 1,000", 1.1, growth),
    Aim("MB at the peak at 1,000 agents", 250.0, at(1000, f"{OURS}_peak_mb")),
)


def point_of(agents: int, turns: Mapping[Contender, Sequence[tuple[float, Used]]]) -> Point:
    """Return the figures of one size: medians of the rounds, and the highest peak of memory."""
    point: Point = {"agents": agents}
    for contender, taken in turns.items():
        point |= {f"{contender.name}_{key}": value for key, value in _figures(contender, taken).items()}
    ratios = {f"ratio_{other}": _ratio(point.get(f"{OURS}_ms"), point.get(f"{other}_ms")) for other in OTHERS}
    return point | {key: ratio for key, ratio in ratios.items() if ratio is not None}


def _figures(contender: Contender, taken: Sequence[tuple[float, Used]]) -> Point:
    milliseconds = [each for each, _ in taken]
    used = [each for _, each in taken]
    figures: Point = {
        "ms": round(statistics.median(milliseconds), 3),
        "ms_range": [round(min(milliseconds), 3), round(max(milliseconds), 3)],
        "cpu_s": round(statistics.median(each.processor_seconds[0] for each in used), 2),
        "peak_mb": round(max(each.peak_mb for each in used)),
        "peak_rss_mb": round(max(each.peak_resident_mb for each in used)),
    }
    if contender.uses_server:
        figures["server_cpu_s"] = round(statistics.median(each.processor_seconds[1] for each in used), 2)
    if not all(each.idle for each in used):
        figures["came_to_rest"] = False
    return figures


def _ratio(above: float | None, below: float | None) -> float | None:
    return round(above / below, 3) if above is not None and below else None


def report_of(points: Sequence[Point], legend: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return the document; its ratio is Echelon to LangGraph at 1,000 agents, None when that was not measured."""
    by_size = {point["agents"]: point for point in points}
    return {
        "claim": CLAIM,
        "points": list(points),
        "ratio": at(RATIO_AGENTS, "ratio_langgraph")(by_size),
        "aims": [_verdict(aim, by_size) for aim in AIMS],
        "sides": legend,
    }


def _verdict(aim: Aim, points: Points) -> dict[str, Any]:
    figure = aim.figure(points)
    return {
        "aim": aim.what,
        "most": aim.most,
        "measured": figure,
        "holds": None if figure is None else figure <= aim.most,
    }


COLUMNS = (
    ("ms/agent", "ms", "9.2f"),
    ("Echelon/it", "ratio", "10.2f"),
    ("CPU s", "cpu_s", "7.2f"),
    ("server CPU s", "server_cpu_s", "12.2f"),
    ("peak MB", "peak_mb", "7"),
)


def show(report: Mapping[str, Any]) -> None:
    """Print it for people."""
    print(report["claim"])
    for point in report["points"]:
        print(
            f"\n{point['agents']:,} agents".ljust(25),
            *(title.rjust(_width(form)) for title, _, form in COLUMNS),
            "best-worst ms",
        )
        for name in report["sides"]:
            print(_row(point, name))
    print("\nWhat is durable, and when")
    for name, side in report["sides"].items():
        print(f"  {BY_NAME[name].title} ({side['versions']}): {side['durable']}")
    print("\nAims")
    for aim in report["aims"]:
        says = {None: "not measured", True: "holds", False: "does not hold"}[aim["holds"]]
        measured = "" if aim["measured"] is None else f" ({aim['measured']:g})"
        print(f"  {aim['aim']}: at most {aim['most']:g}: {says}{measured}")


def _row(point: Point, name: str) -> str:
    title = f"  {BY_NAME[name].title}".ljust(24)
    if f"{name}_ms" not in point:
        return f"{title} not asked for so many (--all-sizes)"
    figures = {key: point.get(f"{name}_{key}") for _, key, _ in COLUMNS} | {"ratio": point.get(f"ratio_{name}")}
    cells = [_cell(figures[key], form) for _, key, form in COLUMNS]
    spread = "-".join(f"{each:.2f}" for each in point[f"{name}_ms_range"])
    late = "" if point.get(f"{name}_came_to_rest", True) else "  did not come to rest"
    return " ".join((title, *cells, spread + late))


def _cell(figure: float | None, form: str) -> str:
    return "-".rjust(_width(form)) if figure is None else format(figure, form)


def _width(form: str) -> int:
    return int(form.split(".", maxsplit=1)[0])
