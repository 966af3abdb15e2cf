"""`echelon exceptions`: what a run pushed upwards, as loud as asked for."""

from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from echelon.cli.arguments.configured import read_settings
from echelon.cli.arguments.options import AsJson, RunId
from echelon.cli.reading import query
from echelon.cli.views.output import out, print_json, table
from echelon.cli.views.show import show_incidents
from echelon.journal.outputs import OutputStore
from echelon.model.exception_report import ExceptionReport, Level
from echelon.model.phrasing import moment
from echelon.visibility.history import view_run

#: From quiet to loud.
LEVELS = (Level.INFO, Level.WARNING, Level.CRITICAL)

STYLES = {Level.INFO: "dim", Level.WARNING: "yellow", Level.CRITICAL: "bold red"}


def exceptions(
    run: RunId,
    /,
    *,
    level: Annotated[Level, Parameter(help="This level and the louder ones.")] = Level.INFO,
    as_json: AsJson = False,
) -> int:
    """Show what a run reported: failures, retries, breakers, incidents."""
    outputs = OutputStore(read_settings().outputs_url)
    view = query(lambda journal: view_run(journal, outputs, run))
    run_id = view.record.run_id
    found = [report for report in view.exceptions if LEVELS.index(report.level) >= LEVELS.index(level)]
    if as_json:
        print_json({"run_id": run_id, "exceptions": found, "incidents": view.incidents})
    elif found:
        _show(found)
        show_incidents(out(), view.incidents)
    else:
        out().print(f"{run_id}: nothing of level {level.value} or louder; no news is good news")
    return 0


def _show(found: list[ExceptionReport]) -> None:
    rows = table("at", "level", "trigger", "where", "what happened")
    for report in found:
        level = Text(report.level.value, style=STYLES[report.level])
        rows.add_row(moment(report.at), level, report.trigger.value, " › ".join(report.path), report.message)
    out().print(rows)
