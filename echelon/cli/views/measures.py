"""What runs measured: as one JSON document, and as people read it (M)."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console

from echelon.cli.views.output import table
from echelon.model.adapter import JsonObject
from echelon.model.costs.account import DIMENSIONS, Cost, CostAccount, CostDimension
from echelon.model.costs.graded import GradedMeasure
from echelon.model.run import RunView
from echelon.visibility.costs.history import ComparedRun, compared
from echelon.visibility.costs.tables import CostLine, account_lines, group_lines, measure_lines, measured
from echelon.visibility.report import measure_rows

_STYLES = {"warning": "yellow", "critical": "bold red", "unknown": "dim"}


def run_document(view: RunView, found: ComparedRun, by: CostDimension | None = None) -> JsonObject:
    """Return everything for machines of one run."""
    return {
        "run_id": view.record.run_id,
        "status": view.record.status,
        "single": view.single,
        "measures": view.measures,
        **_compared(found),
        **_account(view.account, by),
    }


def history_document(
    job: str, views: Sequence[RunView], found: ComparedRun, by: CostDimension | None = None
) -> JsonObject:
    """Return everything for machines of the newest runs of a job; `graded` is the newest one beside the others."""
    runs = [
        {
            "run_id": view.record.run_id,
            "status": view.record.status,
            "started": view.record.started,
            "single": view.single,
            "measures": view.measures,
            "graded": graded,
        }
        for view, graded in zip(views, _all_graded(views), strict=True)
    ]
    together = CostAccount.together(view.account for view in views)
    return {"job": job, "runs": runs, **_compared(found), **_account(together, by)}


def _compared(found: ComparedRun) -> JsonObject:
    return {"graded": found.graded, "baseline": found.baseline, "scaling": found.scaling}


def _account(account: CostAccount, by: CostDimension | None) -> JsonObject:
    wanted = DIMENSIONS if by is None else (by,)
    return {
        "account": {
            "total": account.total,
            "by_kind": {kind.value: used for kind, used in account.by_kind().items()},
            "by": {dimension: _groups(account, dimension) for dimension in wanted if dimension != "kind"},
            "idle_seconds": account.idle_seconds,
            "rows": account.rows,
        }
    }


def _groups(account: CostAccount, dimension: CostDimension) -> dict[str, dict[str, Cost]]:
    return {
        group.name: {"work": group.work, "coordination": group.coordination, "unknown": group.unknown}
        for group in account.by(dimension)
    }


def show_measures(console: Console, view: RunView, found: ComparedRun, by: CostDimension | None = None) -> None:
    """Print what one run measured."""
    single = ", one agent at a time" if view.single else ""
    _show_graded(console, found.graded, f"{view.record.run_id}{single}: how it stands")
    console.print()
    rows = table("measure", "measured", "planned or wanted", title="What was measured")
    for row in measure_rows(view):
        rows.add_row(*row)
    console.print(rows)
    _show_account(console, view.account, by, view.record.plan.spending.currency if view.record.plan else None)


def show_history(
    console: Console, views: Sequence[RunView], found: ComparedRun, by: CostDimension | None = None
) -> None:
    """Print the newest runs of a job beside one another, then how the newest stands and where everything went."""
    ids = [one.id for one in found.graded]
    rows = table("run", "agents", "status", *ids, title="Measures by run, the newest first")
    for view, graded in zip(views, _all_graded(views), strict=True):
        agents = "1 at a time" if view.single else f"{view.measures.agents:,}"
        rows.add_row(view.record.run_id, agents, view.record.status.value, *(_cell(one) for one in graded))
    console.print(rows)
    console.print()
    _show_graded(console, found.graded, f"{views[0].record.run_id}: how it stands beside the others")
    console.print()
    console.print(f"Scaling: {found.scaling.said}", soft_wrap=True)
    _show_account(console, CostAccount.together(view.account for view in views), by)


def _all_graded(views: Sequence[RunView]) -> Iterator[tuple[GradedMeasure, ...]]:
    """Yield how each run stands beside those before it."""
    for number, view in enumerate(views, start=1):
        yield compared(view, views[number:]).graded


def _cell(one: GradedMeasure) -> str:
    if one.value is None:
        return "–"
    marks = {"critical": " !!", "warning": " !"}
    return f"{measured(one)}{marks.get(one.band, '')}"


def _show_graded(console: Console, graded: Iterable[GradedMeasure], title: str) -> None:
    rows = table("rule", "measure", "measured", "target", "band", "", title=title)
    for line in measure_lines(graded):
        rows.add_row(*line, style=_STYLES.get(line.band))
    console.print(rows)


def _show_account(
    console: Console, account: CostAccount, by: CostDimension | None, currency: str | None = None
) -> None:
    if not account.rows:
        return
    console.print()
    _show_lines(console, "what for", "Where every second and token went", account_lines(account, currency))
    if by is not None:
        console.print()
        _show_lines(console, by, f"The same by {by}", group_lines(account, by, currency))


def _show_lines(console: Console, heading: str, title: str, lines: Iterable[CostLine]) -> None:
    rows = table(heading, "time", "", "tokens", "", "money", title=title)
    for column in rows.columns[1:]:
        column.justify = "right"
    for line in lines:
        rows.add_row(*line)
    console.print(rows)
