"""What came of a run, in a few lines: status, what is missing and why, what was raised, where the report is."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

from pydantic_core import to_jsonable_python
from rich.console import Console
from rich.text import Text

from echelon.cli.views.output import facts
from echelon.cli.views.raised import show_open
from echelon.cli.views.synchronised import sync_facts
from echelon.engine.continuing import until_of
from echelon.model.concern import ConcernRecord
from echelon.model.conflicts.conflict import ConflictRecord
from echelon.model.costs.measures import Measures
from echelon.model.exception_report import ExceptionReport, Trigger
from echelon.model.handoff import Missing
from echelon.model.incident import Incident
from echelon.model.oversight.gate import GateRecord
from echelon.model.phrasing import count, duration, head, listed, moment, percent, tally
from echelon.model.rolling.phases import RepeatedWork
from echelon.model.run import MissingGroup, RunResult, RunStatus, exit_code_of
from echelon.model.views.items import Changes
from echelon.model.views.rest import Rest, Waiting
from echelon.model.voice.proposals import ProposalRecord
from echelon.visibility.autonomy import approvals_line, autonomy_lines
from echelon.visibility.conflicts import conflict_lines, how_to_settle
from echelon.visibility.gates import gate_line, gates_counted
from echelon.visibility.levels import alert_lines
from echelon.visibility.rest import rest_lines
from echelon.visibility.spent import spent_line, total_line
from echelon.visibility.traces.trace import trace_command
from echelon.visibility.unchecked import judged_lines, unchecked_lines
from echelon.visibility.voices.proposals import proposal_groups, proposals_counted

#: Causes of missing outputs told at most.
CAUSES_SHOWN = 10

#: The longest result that is printed at the end of a run.
RESULT_CHARACTERS, RESULT_LINES = 2_000, 40

#: Phases that were skipped, or that keep work of earlier runs, named at most.
SKIPPED_SHOWN = 5

#: Tasks that something stands in for named at most.
STAND_INS_NAMED = 5

#: Reasons for which proposed tasks were taken or declined told at most.
PROPOSALS_SHOWN = 6

#: Agents whose autonomy is shown at most.
AGENTS_SHOWN = 8

#: What helps where resuming does not, shown at most.
NEXT_STEPS_SHOWN = 5

#: Gates that wait shown at most.
GATES_SHOWN = 8

#: Style of each status, and what a reader should take from it.
STATUSES: dict[RunStatus, tuple[str, str]] = {
    RunStatus.COMPLETED: ("bold green", "everything was delivered"),
    RunStatus.PARTIAL: ("bold yellow", "done, with something missing"),
    RunStatus.FAILED: ("bold red", "there is no output"),
    RunStatus.INTERRUPTED: ("bold yellow", "stopped from outside; completed work is kept"),
    RunStatus.WAITING: ("bold cyan", "for the answer of a person"),
    RunStatus.RUNNING: ("bold cyan", "at work, unless its process was killed"),
}


def show_result(console: Console, result: RunResult, windows: Sequence[str] = ()) -> None:
    """Print the end of a run; `windows` say what is left of the standing budgets of its job (F10)."""
    console.print(status_line(result.run_id, result.status, result.exceptions, result.waiting))
    facts(
        console,
        [
            ("agents", _agents(result.measures)),
            ("steps", tally(result.launched, result.returned, len(result.missing))),
            ("judged", "\n".join(judged_lines(result.judged))),
            ("time", _time(result.measures)),
            ("used", used(result.measures)),
            ("unchanged", unchanged(result.items)),
            ("budgets", "\n".join(windows)),
            ("skipped", skipped(result.skipped)),
            ("repeated", repeated(result.repeated)),
            *sync_facts(result.sync),
            ("not checked", "\n".join(unchecked_lines(result.unchecked))),
            ("concerns", routes(result.concerns)),
            ("conflicts", "\n".join(conflict_lines(result.conflicts))),
            ("gates", gates(result.gates)),
            ("autonomy", "\n".join(head(autonomy_lines(result.autonomy), AGENTS_SHOWN))),
            ("approvals", approvals_line(result.approvals)),
            ("proposed", proposed(result.proposals)),
            (
                "exceptions",
                f"{len(result.exceptions)} (echelon exceptions {result.run_id})" if result.exceptions else "",
            ),
            ("alerts", "\n".join(alert_lines(result.visibility.alerts))),
            ("over limit", "\n".join(over_limit(result.exceptions))),
            ("learnt", "\n".join(result.retrospective.short) if result.retrospective else ""),
            ("report", result.report or ""),
            ("output", f"echelon show {result.run_id} --output" if result.output is not None else "none"),
            ("exit code", str(exit_code_of(result.status, result.exceptions) or "")),
        ],
    )
    show_missing(console, result.run_id, result.missing, result.missing_by_cause, unverified=result.unverified)
    show_open(console, result.concerns)
    show_settling(console, result.conflicts)
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


def unchanged(items: Mapping[str, Changes]) -> str:
    """Return how much of each phase was kept of earlier runs, and what was not; nothing where there was none."""
    compared = [f"{phase}: {changes.said}" for phase, changes in items.items() if changes.since_run]
    return "\n".join(head(compared, SKIPPED_SHOWN))


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
        until = until_of(waiting)
        meaning = f"for {waiting.for_}" + (waiting.ends(moment(until)) if until else "")
    if status is RunStatus.COMPLETED and (empty := nothing_to_do(exceptions)):
        style, meaning = "bold yellow", f"but {'; '.join(empty)}"
    return Text.assemble(f"{run_id}: ", (status.value, style), f", {meaning}")


def show_missing(
    console: Console,
    run_id: str,
    missing: Sequence[Missing],
    by_cause: Sequence[MissingGroup],
    incidents: Sequence[Incident] = (),
    unverified: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Print why outputs are missing, each cause once, with how far it reached where it is an incident (F6).

    Below each stands the command that shows the log and the conversation of one that it hit (V2). `unverified` are
    those that are there, and that nobody knows to be what was asked for (D11).
    """
    if missing:
        there = sum(unverified.get(one.task_id) == one.reason for one in missing)
        said = (
            f"{count(len(missing) - there, 'output')} missing" if len(missing) > there else "",
            f"{count(there, 'output')} not verified" if there else "",
        )
        console.print(Text(f"{', '.join(filter(None, said))}:", style="yellow"))
    reached = {one.cause: one.reached for one in incidents}
    for group in by_cause[:CAUSES_SHOWN]:
        console.print(f"  {group.said}")
        if group.cause in reached:
            console.print(Text(f"    {reached[group.cause]}", style="dim"))
        if group.traced:
            console.print(Text(f"    {trace_command(run_id, group.traced)}", style="dim"))
    if len(by_cause) > CAUSES_SHOWN:
        rest = sum(len(group.tasks) for group in by_cause[CAUSES_SHOWN:])
        console.print(f"  and {rest:,} more")


def show_rest(console: Console, rest: Rest | None) -> None:
    """Print what a sample leaves to be done, and what that is expected to take."""
    if rest is not None:
        console.print(Text(f"only a sample of {rest.items:,} was asked for:", style="cyan"))
        for line in rest_lines(rest):
            console.print(f"  {line}")


def show_settling(console: Console, conflicts: Sequence[ConflictRecord]) -> None:
    """Print how a person decides the conflicts that are open."""
    if said := how_to_settle(conflicts):
        console.print(Text(said, style="bold cyan"))


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
    instead = tuple(dict.fromkeys(one.next_step for one in missing if one.next_step and not one.asks))
    for step in head(instead, NEXT_STEPS_SHOWN):
        console.print(Text(step, style="dim"))
    until = until_of(waiting)
    if (not asked or until) and status is not RunStatus.COMPLETED and _resuming_helps(missing, waiting):
        console.print(Text(_how_to_resume(run_id, waiting, until), style="dim"))


def _resuming_helps(missing: Sequence[Missing], waiting: Waiting | None) -> bool:
    """Say whether a resumed run can deliver more: not where all that is missing needs something else, or follows it."""
    causes = [one for one in missing if not one.follows]
    return waiting is not None or not causes or any(not one.next_step for one in causes)


def _how_to_resume(run_id: str, waiting: Waiting | None, until: datetime | None) -> str:
    what = "what is missing" if waiting is None else waiting.for_
    if waiting is not None and until is not None and waiting.default:
        effect = f"{waiting.ends(moment(until)).removeprefix(', ')}, when a process is at the run"
        return f"{effect}: echelon resume {run_id}; to wait for it: echelon resume {run_id} --wait"
    by_itself = f" from {moment(until)} on, or now and let it wait: echelon resume {run_id} --wait" if until else ""
    return f"to continue with {what}: echelon resume {run_id}{by_itself}"


def routes(concerns: Sequence[ConcernRecord]) -> str:
    """Return how many concerns go where."""
    found = Counter(record.route for record in concerns)
    return ", ".join(f"{number} {route.words}" for route, number in found.most_common())


def gates(found: Sequence[GateRecord]) -> str:
    """Return how many gates wait and were answered, and the first of those that wait (O5)."""
    now = datetime.now(UTC)
    waiting = [gate_line(one, now) for one in found if one.is_open]
    return "\n".join(filter(None, [gates_counted(found, now), *head(waiting, GATES_SHOWN)]))


def proposed(proposals: Sequence[ProposalRecord]) -> str:
    """Return how many proposed tasks were taken and declined, and for each reason which (D10)."""
    groups = [group.said for group in proposal_groups(proposals)]
    return "\n".join([proposals_counted(proposals), *head(groups, PROPOSALS_SHOWN)])


def _agents(measures: Measures) -> str:
    replaced = f", {measures.replaced} replaced" if measures.replaced else ""
    failed = f", {measures.failed} failed" if measures.failed else ""
    waiting = f", {measures.waiting} waiting" if measures.waiting else ""
    unverified = f", {measures.unverified} not verified" if measures.unverified else ""
    tasks = measures.completed + measures.failed + measures.waiting
    held = f" by {count(measures.agents, 'agent')}" if measures.agents != tasks else ""
    done = measures.completed - measures.replaced - measures.unverified
    return f"{done} of {tasks} done{unverified}{replaced}{failed}{waiting}{held}"


def _time(measures: Measures) -> str:
    work = f"{duration(measures.task_seconds)} of work in {duration(measures.seconds)}"
    return f"{work}, coordination {percent(measures.coordination_ratio)}"
