"""`echelon exceptions`: what a run pushed upwards, as loud as asked for."""

from collections.abc import Sequence
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
from echelon.model.phrasing import head, moment
from echelon.model.run import RunView
from echelon.visibility.history import view_run
from echelon.visibility.levels import attention_lines, level_lines
from echelon.visibility.traces.trace import trace_command, traces_of

#: Commands named at most.
COMMANDS_SHOWN = 5

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
    """Show what a run reported, after where its levels stand: failures, what is late, short or silent, incidents."""
    outputs = OutputStore(read_settings().outputs_url)
    view = query(lambda journal: view_run(journal, outputs, run))
    run_id = view.record.run_id
    loud = LEVELS[LEVELS.index(level) :]
    found = [report for report in view.exceptions if report.level in loud]
    if as_json:
        print_json({
            "run_id": run_id,
            "exceptions": found,
            "incidents": view.incidents,
            "levels": view.visibility.levels,
            "alerts": view.visibility.alerts,
        })  # fmt: skip
    elif found:
        for line in [*level_lines(view.visibility), *attention_lines(view.visibility.alerts)]:
            out().print(line, style="dim")
        _show([alike for alike in view.exceptions_by_cause if alike[0].level in loud])
        show_incidents(out(), view.incidents)
        for command in head(_commands(view, found), COMMANDS_SHOWN):
            out().print(command, style="dim")
    else:
        out().print(f"{run_id}: no exceptions of level {level.value} or above")
    return 0


def _commands(view: RunView, found: Sequence[ExceptionReport]) -> list[str]:
    """Return what shows the logs and conversations of those that something was reported of (V2)."""
    traces = [trace for trace in traces_of(view) if trace.is_worth_reading]
    named = {name: trace.task_id for trace in traces for name in (trace.agent, trace.task_id)}
    tasks = dict.fromkeys(named[report.path[-1]] for report in found if report.path and report.path[-1] in named)
    return [trace_command(view.record.run_id, task) for task in tasks]


def _show(found: Sequence[Sequence[ExceptionReport]]) -> None:
    """Print reports, those that say the same of different places once."""
    rows = table("at", "level", "trigger", "where", "what happened")
    for first, *more in found:
        level = Text(first.level.value, style=STYLES[first.level])
        where = " › ".join(first.path) + (f" and {len(more):,} more" if more else "")
        rows.add_row(moment(first.at), level, first.trigger.value, where, first.message)
    out().print(rows)
