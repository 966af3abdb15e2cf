"""One run, and one agent of a run, as people read them."""

import json
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from echelon.cli.views.output import facts, table
from echelon.cli.views.raised import show_open
from echelon.cli.views.result import (
    AGENTS_SHOWN,
    CAUSES_SHOWN,
    gates,
    proposed,
    repeated,
    routes,
    show_missing,
    show_next,
    show_rest,
    show_settling,
    skipped,
    status_line,
    unchanged,
)
from echelon.cli.views.synchronised import sync_facts
from echelon.cli.views.voices import show_concerns_of, voice_facts
from echelon.model.handoff import WRAPPED_UP, Handoff, OutputReference, Passed
from echelon.model.incident import Incident
from echelon.model.phrasing import count, duration, head, moment, size, tally, truncate
from echelon.model.run import Conversation, RunRecord, RunView, StepKind, StepRecord
from echelon.model.usage import Usage
from echelon.model.views.rollup import Visibility
from echelon.visibility.autonomy import approvals_line, autonomy_lines
from echelon.visibility.conflicts import conflict_lines
from echelon.visibility.levels import age_lines, alert_lines, level_lines
from echelon.visibility.notices import notified
from echelon.visibility.report import measure_rows
from echelon.visibility.statistics import statistics_lines, statistics_of
from echelon.visibility.unchecked import judged_lines, unchecked_lines
from echelon.visibility.voices.agents import AgentVoice

#: Values named at most.
INPUT_CHARACTERS = 300
REPAIRS_SHOWN = 5
AT_WORK_SHOWN = 5
NESTED_SHOWN = 10
BLOCKED_SHOWN = 5


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
            ("judged", "\n".join(judged_lines(view.judged))),
            ("runs inside", "\n".join(head([_nested(one) for one in reversed(nested)], NESTED_SHOWN))),
            ("prefect", f"does not show it yet: {trouble}" if trouble else ""),
            ("at work", ", ".join(head(view.at_work, AT_WORK_SHOWN))),
            ("unchanged", unchanged(view.items)),
            ("skipped", skipped(view.skipped)),
            ("repeated", repeated(view.repeated)),
            *sync_facts(view.sync, whole=True),
            ("not checked", "\n".join(unchecked_lines(view.unchecked))),
            ("done again", "\n".join(one.said for one in view.retries)),
            ("concerns", routes(view.concerns)),
            ("conflicts", "\n".join(conflict_lines(view.conflicts))),
            ("gates", gates(view.gates)),
            ("autonomy", "\n".join(head(autonomy_lines(view.autonomy), AGENTS_SHOWN))),
            ("approvals", approvals_line(view.approvals)),
            ("notified", "\n".join(notified(view))),
            ("proposed", proposed(view.proposals)),
            ("blocked", "\n".join(head([f"{task}: {why}" for task, why in view.blocked.items()], BLOCKED_SHOWN))),
            ("breakers", "\n".join(one.said for one in view.breakers)),
            *_levels(view.visibility),
            ("plan changes", "\n".join(one.said for one in view.plan_changes)),
            ("learnt", "\n".join(view.retrospective.lines) if view.retrospective else ""),
            ("report", record.report or ""),
            ("to read", _to_read(view)),
        ],
    )
    _show_phases(console, view)
    _show_statistics(console, view)
    _show_measures(console, view)
    show_missing(console, record.run_id, view.missing, view.missing_by_cause, view.incidents, view.unverified)
    said = {group.cause for group in view.missing_by_cause[:CAUSES_SHOWN]}
    show_incidents(console, [one for one in view.incidents if one.cause not in said])
    show_open(console, view.concerns)
    show_settling(console, view.conflicts)
    show_rest(console, view.rest)
    show_next(console, record.run_id, record.status, view.missing, view.waiting)


def _levels(seen: Visibility) -> Iterator[tuple[str, str]]:
    """Yield where each level stands, what it was alerted of, and how old what it knows is (V3, V7, V10)."""
    yield "levels", "\n".join(level_lines(seen))
    yield "alerts", "\n".join(alert_lines(seen.alerts))
    yield "age of news", "\n".join(age_lines(seen))


def _to_read(view: RunView) -> str:
    """Say what agents logged and what models were asked, and what shows it; empty when there is nothing."""
    lines, said = sum(view.log_lines.values()), len(view.conversations)
    if not lines and not said:
        return ""
    logged = f"{count(lines, 'log line')} of {count(len(view.log_lines), 'agent')}" if lines else ""
    parts = (logged, count(said, "conversation") if said else "")
    command = f"echelon show {view.record.run_id} [AGENT] --log --messages"
    return f"{', '.join(part for part in parts if part)}: {command}"


def _parent(record: RunRecord) -> str:
    """Say what a run was begun inside of; empty for one that stands alone."""
    return f"run {record.parent_run_id}, task {record.parent_task}" if record.parent_run_id else ""


def _nested(record: RunRecord) -> str:
    return f"{record.run_id} ({record.status.value}), begun by {record.parent_task}"


def show_agent(
    console: Console,
    steps: Sequence[StepRecord],
    conversations: Sequence[Conversation],
    voice: AgentVoice,
    outputs_url: str,
    log_lines: int = 0,
) -> None:
    """Print one agent: its last handoff, every attempt kept, what it used and what it said."""
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
            ("kept from", handoff.kept_from),
            ("rounds", _rounds_of(handoff)),
            ("replicas", handoff.replicas.said if handoff.replicas else ""),
            ("verification", handoff.verification.said if handoff.verification else ""),
            ("confidence", f"{handoff.confidence:.2f}" if location else ""),
            *voice_facts(voice),
            ("attempts", str(attempts_of(steps))),
            ("worked", f"{moment(last.started)}, {duration((last.finished - last.started).total_seconds())}"),
            ("usage", _usage(steps)),
            ("used", ", ".join(head([used.task_id for used in handoff.dependencies], 5))),
            ("next steps", "; ".join(handoff.next_steps)),
            ("repaired", "; ".join(head(handoff.repairs, REPAIRS_SHOWN))),
            ("received", _received(handoff)),
            ("log", f"{count(log_lines, 'line')}, see --log" if log_lines else ""),
            ("messages", f"{count(len(conversations), 'conversation')}, see --messages" if conversations else ""),
            ("output", _output_of(location, outputs_url) if location else "none"),
        ],
    )
    show_concerns_of(console, voice.concerns, handoff.concerns)


def _output_of(output: OutputReference, outputs_url: str) -> str:
    where = "in the journal" if output.content is not None else f"{outputs_url.rstrip('/')}/{output.location}"
    return f"{output.contract}, {size(output.size_bytes)}, {where}"


def show_incidents(console: Console, incidents: Sequence[Incident]) -> None:
    """Print failures that share a cause, each with its reach and what contained it."""
    if incidents:
        console.print(Text(f"{count(len(incidents), 'incident')}:", style="bold red"))
    for one in incidents:
        console.print(f"  {one.cause}")
        console.print(f"    {one.reached}")


def _show_phases(console: Console, view: RunView) -> None:
    waits = any(phase.waiting for phase in view.phases)
    rows = table("phase", "planned", "done", "failed", *(["waiting"] if waits else []), "took", "", title="Phases")
    for phase in view.phases:
        if phase.skipped:
            rows.add_row(phase.name, Text(f"skipped: {phase.skipped}", style="dim"))
            continue
        waiting = (phase.waiting,) if waits else ()
        counted = map(str, (phase.planned, phase.completed, phase.failed, *waiting))
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


def _show_statistics(console: Console, view: RunView) -> None:
    """Print a run of many agents as statistics: nobody reads a list of them (V5)."""
    found = statistics_of(view)
    if found is not None:
        console.print(Text("Statistics", style="bold"))
        for line in statistics_lines(found):
            console.print(f"  {line}")
        console.print(Text(f"  one of them: echelon show {view.record.run_id} AGENT", style="dim"))


def _show_measures(console: Console, view: RunView) -> None:
    rows = table("measure", "measured", "planned or wanted", title="Measures")
    for name, measured, expected in measure_rows(view):
        rows.add_row(name, measured, expected)
    console.print(rows)


def attempts_of(steps: Sequence[StepRecord]) -> int:
    """Count attempts once: a record that only says how rounds ended repeats what theirs say, and used nothing."""
    worked = [step for step in steps if step.handoff.usage != Usage()]
    return sum(step.handoff.attempts for step in worked or steps)


def _usage(steps: Sequence[StepRecord]) -> str:
    usage = sum((step.handoff.usage for step in steps), Usage())
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
