"""What came of a run, in a few lines: status, what is missing and why, what was raised, where the report is."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from pydantic_core import to_jsonable_python
from rich.console import Console
from rich.text import Text

from echelon.cli.views.output import facts
from echelon.model.concern import ConcernRecord
from echelon.model.exception_report import ExceptionReport, Trigger
from echelon.model.handoff import Missing
from echelon.model.incident import Incident
from echelon.model.phrasing import count, duration, head, listed, percent, tally
from echelon.model.rolling.phases import RepeatedWork
from echelon.model.run import Measures, MissingGroup, RunResult, RunStatus, exit_code_of
from echelon.model.views.rest import Rest, Waiting
from echelon.visibility.rest import rest_lines
from echelon.visibility.spent import spent_line, total_line

#: Causes of missing outputs told at most.
CAUSES_SHOWN = 10

#: The longest result that is printed at the end of a run.
RESULT_CHARACTERS, RESULT_LINES = 2_000, 40

#: Phases that were skipped named at most.
SKIPPED_SHOWN = 5

#: Tasks that something stands in for named at most.
STAND_INS_NAMED = 5

#: Style of each status, and what a reader should take from it.
STATUSES: dict[RunStatus, tuple[str, str]] = {
    RunStatus.COMPLETED: ("bold green", "everything was delivered"),
    RunStatus.PARTIAL: ("bold yellow", "done, with something missing"),
    RunStatus.FAILED: ("bold red", "there is no output"),
    RunStatus.INTERRUPTED: ("bold yellow", "stopped from outside; completed work is kept"),
    RunStatus.WAITING: ("bold cyan", "for the answer of a person"),
    RunStatus.RUNNING: ("bold cyan", "running, or its process was killed"),
}


def show_result(console: Console, result: RunResult) -> None:
    """Print the end of a run."""
    console.print(status_line(result.run_id, result.status, result.exceptions, result.waiting))
    facts(
        console,
        [
            ("agents", _agents(result.measures)),
            ("steps", tally(result.launched, result.returned, len(result.missing))),
            ("time", _time(result.measures)),
            ("used", used(result.measures)),
            ("skipped", skipped(result.skipped)),
            ("repeated", repeated(result.repeated)),
            ("concerns", routes(result.concerns)),
            (
                "exceptions",
                f"{len(result.exceptions)} (echelon exceptions {result.run_id})" if result.exceptions else "",
            ),
            ("over limit", "\n".join(over_limit(result.exceptions))),
            ("report", result.report or ""),
            ("output", f"echelon show {result.run_id} --output" if result.output is not None else "none"),
            ("exit code", str(exit_code_of(result.status, result.exceptions) or "")),
        ],
    )
    show_missing(console, result.missing, result.missing_by_cause)
    show_rest(console, result.rest)
    show_next(console, result.run_id, result.status, result.missing, result.waiting)
    show_output(console, result.output, result.stand_ins)


def show_output(console: Console, output: object, stand_ins: Collection[str] = ()) -> None:
    """Print a result that is short enough to be read here, set in so that nothing in it looks like a line of ours.

    `stand_ins` are the tasks whose outputs in it, or below it, are not the work itself.
    """
    text = _readable(output)
    if not text or len(text) > RESULT_CHARACTERS or text.count("\n") >= RESULT_LINES:
        return
    marked = f", in which something stands in for {listed(stand_ins, STAND_INS_NAMED)}" if stand_ins else ""
    console.print(Text(f"result{marked}:", style="bold"))
    console.print("\n".join(f"  {line}" for line in text.split("\n")))


def _readable(output: object) -> str:
    if output is None or isinstance(output, str):
        return output or ""
    return json.dumps(to_jsonable_python(output), indent=2, ensure_ascii=False)


def used(measures: Measures) -> str:
    """Return what was used in all, and where, when that is more than one place."""
    parts = [spent_line(one) for one in measures.spent]
    return "\n".join([total_line(measures), *(parts if len(parts) > 1 else ())])


def over_limit(exceptions: Sequence[ExceptionReport]) -> list[str]:
    """Return the budgets that were passed."""
    return [report.message for report in exceptions if report.trigger is Trigger.OVERRUN]


def skipped(phases: Mapping[str, str]) -> str:
    """Return the phases that were not wanted, each with the reason."""
    return "\n".join(head([f"{phase}: {reason}" for phase, reason in phases.items()], SKIPPED_SHOWN))


def repeated(work: Sequence[RepeatedWork]) -> str:
    """Return how repeated work ended: how much of it passed, why the rest did not, and the most rounds of any."""
    if not work:
        return ""
    ended = Counter(one.stopped_by.replace("_", " ") for one in work)
    said = ", ".join(f"{number:,} {why if why == 'passed' else f'stopped by {why}'}" for why, number in ended.items())
    return f"{said}; {count(max(one.rounds for one in work), 'round')} at most"


def nothing_to_do(exceptions: Sequence[ExceptionReport]) -> list[str]:
    """Return the phases that found no items."""
    return [report.message for report in exceptions if report.trigger is Trigger.EMPTY]


def status_line(
    run_id: str, status: RunStatus, exceptions: Sequence[ExceptionReport] = (), waiting: Waiting | None = None
) -> Text:
    """Return `run: STATUS, what that means`; a run that found nothing to do somewhere has not looked at everything."""
    style, meaning = STATUSES[status]
    if waiting is not None:
        meaning = f"for {waiting.for_}"
    if status is RunStatus.COMPLETED and (empty := nothing_to_do(exceptions)):
        style, meaning = "bold yellow", f"but {'; '.join(empty)}"
    return Text.assemble(f"{run_id}: ", (status.value, style), f", {meaning}")


def show_missing(
    console: Console, missing: Sequence[Missing], by_cause: Sequence[MissingGroup], incidents: Sequence[Incident] = ()
) -> None:
    """Print why outputs are missing, each cause once, with how far it reached where it is an incident (F6)."""
    if missing:
        console.print(Text(f"{count(len(missing), 'output')} missing:", style="yellow"))
    reached = {one.cause: one.reached for one in incidents}
    for group in by_cause[:CAUSES_SHOWN]:
        console.print(f"  {group.said}")
        if group.cause in reached:
            console.print(Text(f"    {reached[group.cause]}", style="dim"))
    if len(by_cause) > CAUSES_SHOWN:
        rest = sum(len(group.tasks) for group in by_cause[CAUSES_SHOWN:])
        console.print(f"  and {rest:,} more")


def show_rest(console: Console, rest: Rest | None) -> None:
    """Print what a sample leaves to be done, and what that is expected to take."""
    if rest is not None:
        console.print(Text(f"only a sample of {rest.items:,} was asked for:", style="cyan"))
        for line in rest_lines(rest):
            console.print(f"  {line}")


def show_next(
    console: Console,
    run_id: str,
    status: RunStatus,
    missing: Sequence[Missing],
    waiting: Waiting | None = None,
) -> None:
    """Print what a person is waited for, each question once; else how to go on with what did not end well."""
    asked = tuple(dict.fromkeys(one.asks for one in missing if one.asks))
    for question in asked:
        console.print(Text(question, style="bold cyan"))
    if not asked and status is not RunStatus.COMPLETED:
        what = "what is missing" if waiting is None else waiting.for_
        console.print(Text(f"to continue with {what}: echelon resume {run_id}", style="dim"))


def routes(concerns: Sequence[ConcernRecord]) -> str:
    """Return how many concerns go where."""
    found = Counter(record.concern.route for record in concerns)
    return ", ".join(f"{number} {route.value.replace('_', ' ')}" for route, number in found.most_common())


def _agents(measures: Measures) -> str:
    replaced = f", {measures.replaced} replaced" if measures.replaced else ""
    failed = f", {measures.failed} failed" if measures.failed else ""
    tasks = measures.completed + measures.failed
    held = f" by {count(measures.agents, 'agent')}" if measures.agents != tasks else ""
    return f"{measures.completed - measures.replaced} of {tasks} done{replaced}{failed}{held}"


def _time(measures: Measures) -> str:
    work = f"{duration(measures.task_seconds)} of work in {duration(measures.seconds)}"
    return f"{work}, coordination {percent(measures.coordination_ratio)}"
