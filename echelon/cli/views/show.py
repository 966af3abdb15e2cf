"""One run, and one agent of a run, as people read them."""

import json
import logging
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from echelon.cli.views.output import facts, table
from echelon.cli.views.result import (
    CAUSES_SHOWN,
    repeated,
    routes,
    show_missing,
    show_next,
    show_rest,
    skipped,
    status_line,
)
from echelon.model.handoff import WRAPPED_UP, Handoff, OutputReference, Passed
from echelon.model.incident import Incident
from echelon.model.phrasing import count, duration, head, moment, size, tally, truncate
from echelon.model.run import Conversation, RunRecord, RunView, StepKind, StepRecord
from echelon.runlog.events import Logged
from echelon.visibility.report import measure_rows

#: Concerns and values named at most.
CONCERNS_SHOWN = 10
INPUT_CHARACTERS = 300
REPAIRS_SHOWN = 5
AT_WORK_SHOWN = 5
NESTED_SHOWN = 10


def show_run(console: Console, view: RunView, nested: Sequence[RunRecord] = (), trouble: str = "") -> None:
    """Print one run: what was planned beside what was measured, what is missing, what was raised and refused.

    `nested` are the runs that its agents began, the newest first.
    `trouble` is why Prefect does not show it yet, where something stands in the way.
    """
    record = view.record
    console.print(status_line(record.run_id, record.status, view.exceptions, view.waiting))
    plan = record.plan
    facts(
        console,
        [
            ("job", f"{record.job}  {record.source}"),
            ("part of", _parent(record)),
            ("inputs", truncate(json.dumps(record.inputs, ensure_ascii=False), INPUT_CHARACTERS)),
            ("started", moment(record.started)),
            ("finished", moment(record.finished)),
            ("structure", f"{plan.structure.value}, {count(plan.n_agents, 'agent')}" if plan else ""),
            ("steps", tally(view.launched, view.returned, len(view.missing))),
            ("runs inside", "\n".join(head([_nested(one) for one in reversed(nested)], NESTED_SHOWN))),
            ("prefect", f"does not show it yet: {trouble}" if trouble else ""),
            ("at work", ", ".join(head(view.at_work, AT_WORK_SHOWN))),
            ("skipped", skipped(view.skipped)),
            ("repeated", repeated(view.repeated)),
            ("done again", "\n".join(one.said for one in view.retries)),
            ("concerns", routes(view.concerns)),
            ("breakers", "\n".join(one.said for one in view.breakers)),
            ("plan changes", "\n".join(one.said for one in view.plan_changes)),
            ("report", record.report or ""),
        ],
    )
    _show_phases(console, view)
    _show_measures(console, view)
    show_missing(console, view.missing, view.missing_by_cause, view.incidents)
    said = {group.cause for group in view.missing_by_cause[:CAUSES_SHOWN]}
    show_incidents(console, [one for one in view.incidents if one.cause not in said])
    show_concerns(console, view)
    show_rest(console, view.rest)
    show_next(console, record.run_id, record.status, view.missing, view.waiting)


def _parent(record: RunRecord) -> str:
    """Say what a run was begun inside of; empty for one that stands alone."""
    return f"run {record.parent_run_id}, task {record.parent_task}" if record.parent_run_id else ""


def _nested(record: RunRecord) -> str:
    return f"{record.run_id} ({record.status.value}), begun by {record.parent_task}"


def show_agent(
    console: Console, steps: Sequence[StepRecord], conversations: Sequence[Conversation], outputs_url: str
) -> None:
    """Print one agent: its last handoff, every attempt kept, what it used and what it says."""
    last = steps[-1]
    handoff = last.handoff
    console.print(Text.assemble((handoff.task_id, "bold"), f": {handoff.status.value}"))
    location = handoff.output_location
    facts(
        console,
        [
            ("node", f"{last.node}, phase {last.phase}, {last.kind.value}"),
            ("summary", handoff.summary),
            ("error", _error_of(handoff)),
            ("what to do", handoff.error.next_step if handoff.error else ""),
            *_fallback_of(handoff),
            ("wrapped up", WRAPPED_UP if handoff.wrapped_up else ""),
            ("lacks", handoff.shortfall),
            ("rounds", _rounds_of(handoff)),
            ("confidence", f"{handoff.confidence:.2f}"),
            ("attempts", str(sum(step.handoff.attempts for step in steps))),
            ("worked", f"{moment(last.started)}, {duration((last.finished - last.started).total_seconds())}"),
            ("usage", _usage(last)),
            ("used", ", ".join(head([used.task_id for used in handoff.dependencies], 5))),
            ("next steps", "; ".join(handoff.next_steps)),
            ("repaired", "; ".join(head(handoff.repairs, REPAIRS_SHOWN))),
            ("received", _received(handoff)),
            ("messages", f"{count(len(conversations), 'conversation')}, see --messages" if conversations else ""),
            ("output", _output_of(location, outputs_url) if location else "none"),
        ],
    )
    for concern in handoff.concerns:
        console.print(f"  {concern.route.value.replace('_', ' ')}: {concern.about}: {concern.message}")


def _output_of(output: OutputReference, outputs_url: str) -> str:
    where = "in the journal" if output.content is not None else f"{outputs_url.rstrip('/')}/{output.location}"
    return f"{output.contract}, {size(output.size_bytes)}, {where}"


def show_log(console: Console, task: str, lines: Sequence[Logged]) -> None:
    """Print what an agent logged and printed, a line each."""
    if not lines:
        console.print(f"{task}: nothing was logged or printed")
    for line in lines:
        level = logging.getLevelName(line.level).lower() if line.source == "logging" else line.source
        console.print(f"{line.at:%H:%M:%S.%f}"[:-3], f" {level:<8} {line.message}", sep="")


def show_incidents(console: Console, incidents: Sequence[Incident]) -> None:
    """Print failures that share a cause, each with its reach and what contained it."""
    if incidents:
        console.print(Text(f"{count(len(incidents), 'incident')}:", style="bold red"))
    for one in incidents:
        console.print(f"  {one.cause}")
        console.print(f"    {one.reached}")


def show_concerns(console: Console, view: RunView) -> None:
    """Print the first concerns of a run that are still open."""
    lines = [
        f"{one.id}  {one.concern.route.value.replace('_', ' ')}: {one.concern.about}: {one.concern.message}"
        for one in view.concerns
        if one.disposition is None
    ]
    if lines:
        console.print(Text(f"{count(len(lines), 'open concern')}:", style="yellow"))
        for line in head(lines, CONCERNS_SHOWN):
            console.print(f"  {line}")


def _show_phases(console: Console, view: RunView) -> None:
    rows = table("phase", "planned", "done", "failed", "took", "", title="Phases")
    for phase in view.phases:
        if phase.skipped:
            rows.add_row(phase.name, Text(f"skipped: {phase.skipped}", style="dim"))
            continue
        counted = (str(phase.planned), str(phase.completed), str(phase.failed))
        rows.add_row(phase.name, *counted, duration(phase.seconds), phase.note)
    looked_for = {step.phase: step.handoff.done for step in view.steps if step.kind is StepKind.PLANNING}
    for one in view.record.plan.open if view.record.plan else ():
        rows.add_row(one.phase, Text(one.known if looked_for.get(one.phase, True) else "not begun", style="dim"))
    console.print(rows)
    if view.extensions:
        console.print("planned on the way:")
    for one in view.extensions:
        console.print(f"  {one.reason}")
        for finding in one.findings:
            console.print(f"    {finding.rule} {finding.level.value}, {finding.where}: {finding.message}")


def _show_measures(console: Console, view: RunView) -> None:
    rows = table("measure", "measured", "planned or wanted", title="Measures")
    for name, measured, expected in measure_rows(view):
        rows.add_row(name, measured, expected)
    console.print(rows)


def _usage(step: StepRecord) -> str:
    usage = step.handoff.usage
    tokens = "tokens not known" if usage.tokens is None else f"{usage.tokens:,} tokens"
    return f"{count(usage.calls, 'call')}, {duration(usage.seconds)}, {tokens}"


def _received(handoff: Handoff) -> str:
    """Return what reached an agent, by value and by reference; empty when nothing did."""
    passed = handoff.received
    if passed == Passed():
        return ""
    by_value = f"{passed.bytes_by_value:,} bytes by value (about {passed.tokens_by_value:,} tokens)"
    return f"{by_value}, {passed.bytes_by_reference:,} by reference (about {passed.tokens_by_reference:,} tokens)"


def _rounds_of(handoff: Handoff) -> str:
    """Say how often repeated work was done, and why not once more; empty for what is done once."""
    if handoff.stopped_by is None:
        return ""
    return f"{handoff.rounds}, stopped by: {handoff.stopped_by.replace('_', ' ')}"


def _fallback_of(handoff: Handoff) -> list[tuple[str, str]]:
    """Return what stands in, or was tried instead of the work itself and failed too."""
    used = handoff.fallback
    return [("stands in" if handoff.done else "tried instead", f"{used.said}, since: {used.reason}")] if used else []


def _error_of(handoff: Handoff) -> str:
    """Return kind and message of an error; some messages begin with the kind themselves."""
    if handoff.error is None:
        return ""
    kind, message = handoff.error.kind, handoff.error.message
    return message if message.startswith(f"{kind}:") else f"{kind}: {message}"
