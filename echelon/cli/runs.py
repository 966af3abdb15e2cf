"""`echelon runs`: the last runs, newest first."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.text import Text

from echelon.cli.arguments.options import AsJson
from echelon.cli.arguments.standing import standing_now
from echelon.cli.reading import query
from echelon.cli.views.output import facts, out, print_json, table
from echelon.cli.views.result import STATUSES
from echelon.engine.continuing import until_of
from echelon.journal.journal import DEFAULT_RUNS
from echelon.journal.port import Journal
from echelon.model.phrasing import duration, moment
from echelon.model.plan import Plan
from echelon.model.run import RunRecord
from echelon.model.views.rest import Waiting
from echelon.oversight.ageing import counted, overdue_line
from echelon.visibility.history import runs_waiting
from echelon.visibility.standing import window_documents, window_lines


def runs(
    *,
    limit: Annotated[int, Parameter(validator=Number(gte=1), help="How many to list.")] = DEFAULT_RUNS,
    as_json: AsJson = False,
) -> int:
    """List the last runs, with what those wait for that wait, and what is left of the budgets of their jobs."""
    records, waiting, plans = query(partial(_find_runs, limit))
    raised, now = query(lambda journal: journal.concerns(open_only=True)), datetime.now(UTC)
    budgets = {plan.job: standing_now(plan) for plan in plans if plan.standing}
    if as_json:
        told = [
            record.model_dump(mode="json", exclude={"plan"}) | {"waiting": waiting.get(record.run_id)}
            for record in records
        ]
        windows = {job: window_documents(*standing) for job, standing in budgets.items()}
        print_json({"runs": told, "windows": windows, "concerns": counted(raised, now)})
    elif records:
        _show(records, waiting)
        if line := overdue_line(raised, now):
            out().print(line)
        facts(out(), [(f"budgets of {job}", "\n".join(window_lines(*standing))) for job, standing in budgets.items()])
    else:
        out().print("no runs yet; start one: echelon run flows/audit.py:audit --param path=.")
    return 0


async def _find_runs(limit: int, journal: Journal) -> tuple[tuple[RunRecord, ...], dict[str, Waiting], list[Plan]]:
    """Return the last runs, what they wait for, and the plan of the last run of each of their jobs."""
    records = await journal.runs(limit)
    last = {record.job: record.run_id for record in reversed(records) if record.damage is None}
    whole = [await journal.known_run(run_id=run_id) for _, run_id in sorted(last.items())]
    plans = [record.plan for record in whole if record is not None and record.plan is not None]
    return records, await runs_waiting(journal, records), plans


def _show(records: tuple[RunRecord, ...], waiting: Mapping[str, Waiting]) -> None:
    inside = any(record.parent_run_id for record in records)
    rows = table("run", "status", "started", "took", "source", *(["inside of"] if inside else []))
    rows.columns[0].no_wrap = True  # an id is copied as a whole
    for record in records:
        until = until_of(waiting.get(record.run_id))
        goes_on = f" until {moment(until)}" if until else ""
        status = Text(f"{record.status.value}{goes_on}", style=STATUSES[record.status][0])
        parent = [record.parent_run_id or ""] if inside else []
        if record.damage is None:
            rows.add_row(record.run_id, status, moment(record.started), _took(record), record.source, *parent)
        else:
            rows.add_row(record.run_id, Text("unreadable", style="red"), "", "", f"its row is damaged: {record.damage}")
    out().print(rows)


def _took(record: RunRecord) -> str:
    return duration((record.finished - record.started).total_seconds()) if record.finished else ""
