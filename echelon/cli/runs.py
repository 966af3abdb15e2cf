"""`echelon runs`: the last runs, newest first."""

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.text import Text

from echelon.cli.arguments.options import AsJson
from echelon.cli.reading import query
from echelon.cli.views.output import out, print_json, table
from echelon.cli.views.result import STATUSES
from echelon.journal.journal import DEFAULT_RUNS
from echelon.model.phrasing import duration, moment
from echelon.model.run import RunRecord


def runs(
    *,
    limit: Annotated[int, Parameter(validator=Number(gte=1), help="How many to list.")] = DEFAULT_RUNS,
    as_json: AsJson = False,
) -> int:
    """List the last runs."""
    records = query(lambda journal: journal.runs(limit))
    if as_json:
        print_json({"runs": [record.model_dump(mode="json", exclude={"plan"}) for record in records]})
    elif records:
        _show(records)
    else:
        out().print("no runs yet; start one: echelon run flows/audit.py:audit --param path=.")
    return 0


def _show(records: tuple[RunRecord, ...]) -> None:
    inside = any(record.parent_run_id for record in records)
    rows = table("run", "status", "started", "took", "source", *(["inside of"] if inside else []))
    rows.columns[0].no_wrap = True  # an id is copied as a whole
    for record in records:
        status = Text(record.status.value, style=STATUSES[record.status][0])
        parent = [record.parent_run_id or ""] if inside else []
        if record.damage is None:
            rows.add_row(record.run_id, status, moment(record.started), _took(record), record.source, *parent)
        else:
            rows.add_row(record.run_id, Text("unreadable", style="red"), "", "", f"its row is damaged: {record.damage}")
    out().print(rows)


def _took(record: RunRecord) -> str:
    return duration((record.finished - record.started).total_seconds()) if record.finished else ""
