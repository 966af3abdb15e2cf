"""What people read about gates: a line for each, and all that is needed to decide. Pure."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from echelon.contract.typed import described
from echelon.model.concern import ConcernRecord
from echelon.model.oversight.gate import GateAnswer, GateRecord, Readiness, Verdict
from echelon.model.oversight.terms import Gate
from echelon.model.phrasing import count, duration, head, listed, moment, one_line, truncate
from echelon.model.plan import Plan
from echelon.runlog.gates import time_is_up

#: How much of a preview is shown where many gates are listed, in characters; and where one is shown, in lines.
LINE_CHARACTERS, PREVIEW_LINES = 100, 400

#: Inputs, and participants of one kind, that are named at most.
NAMED = 12

#: Open concerns that do not hold the gate, and are listed with it at most.
CONCERNS_LISTED = 50

_READINESS = {"ready": "ready", "not_ready": "not ready", "not_asked": "not asked", "no_answer": "no answer"}


def by_run(gates: Iterable[GateRecord]) -> tuple[GateRecord, ...]:
    """Put gates, given in the order they were raised, run by run, and those of a run in the order of its tasks' ids.

    Gates of one phase are raised side by side, in an order that nobody chose: it would be another one in each run.
    """
    found = list(gates)
    first = {run_id: place for place, run_id in enumerate(dict.fromkeys(gate.run_id for gate in found))}
    return tuple(sorted(found, key=lambda gate: (first[gate.run_id], gate.action.task_id)))


def takes_answers(gate: GateRecord, now: datetime) -> bool:
    """Say whether a gate can be answered now."""
    return gate.is_open and not time_is_up(gate, now)


def gate_line(gate: GateRecord, now: datetime) -> str:
    """Say in one line what is asked, or how it was answered."""
    does = one_line(gate.action.preview) or f"{gate.action.agent} ({gate.action.effect})"
    return f"{gate.id}  {gate.action.task_id}: {truncate(does, LINE_CHARACTERS)}; {standing(gate, now)}"


def standing(gate: GateRecord, now: datetime) -> str:
    """Say where a gate stands."""
    decided = gate.decision
    if gate.closed:
        return f"not asked any more: {gate.closed}"
    if ended := time_is_up(gate, now):
        return f"not answered; {ended}"
    if decided is None:
        until = f", until {moment(gate.expires)}, then {gate.terms.on_expiry}" if gate.expires else ""
        staged = "staged, " if gate.terms.staged else ""
        return f"{gate.question.text} {staged}open since {moment(gate.at)}{until}"
    used = ", used" if gate.used else ""
    return f"{decided.verdict} by {decided.author} at {moment(decided.at)}{used}"


def gates_counted(gates: Iterable[GateRecord], now: datetime) -> str:
    """Say how many gates wait, and how many were answered; empty where there are none."""
    found = list(gates)
    waiting, decided = sum(takes_answers(one, now) for one in found), sum(one.decision is not None for one in found)
    ended = sum(bool(time_is_up(one, now)) for one in found)
    parts = (
        count(waiting, "gate") + " open" if waiting else "",
        f"{ended} not answered in time" if ended else "",
        f"{decided} answered" if decided else "",
    )
    return ", ".join(filter(None, parts))


def gate_lines(plan: Plan) -> Iterator[str]:
    """Say of each phase of a plan what is stated of its gates: who may answer, how long, and why somebody is asked."""
    tasks = {task.id: task for task in plan.tasks}
    stated = [(phase.name, [tasks[one].at_gate for one in phase.gate]) for phase in plan.phases]
    for phase, gates in (*stated, *((one.phase, [one.at_gate]) for one in plan.open)):
        for terms in dict.fromkeys(gates):
            if terms is not None and (said := _terms(terms)):
                yield f"gate of {phase}: {said}"


def _terms(terms: Gate) -> str:
    """Say what is stated of a gate; empty for the usual terms."""
    ends = duration(terms.expires_seconds) if terms.expires_seconds else ""
    parts = (
        f"{listed(terms.approvers, NAMED)} may answer" if terms.approvers else "",
        f"an answer is waited for {ends}, then {terms.on_expiry}" if ends else "",
        one_line(terms.reason),
    )
    return "; ".join(filter(None, parts))


def gate_facts(
    gate: GateRecord, now: datetime, holding: Sequence[ConcernRecord] = (), listed_with: Sequence[ConcernRecord] = ()
) -> list[tuple[str, str]]:
    """Return everything that is needed to decide, by name.

    `holding` are the open concerns that come first, `listed_with` others that are open: a flat moment lists them (O6).
    """
    action, terms = gate.action, gate.terms
    return [
        ("asked", f"{gate.question.text} ({gate.note})" if gate.note else gate.question.text),
        ("why", terms.reason),
        ("who", f"{action.agent}, {action.effect}, task {action.task_id} of phase {action.phase}"),
        ("run", gate.run_id),
        ("arguments", json.dumps(action.shown_arguments, ensure_ascii=False, indent=2)),
        ("would do", preview_text(gate)),
        ("inputs", "\n".join(head([f"{one.task_id} @ {one.version[:12]}" for one in action.inputs], NAMED))),
        ("missing", "\n".join(head(list(action.missing), NAMED))),
        ("concerns", "\n".join(_concern(one) for one in holding)),
        ("also open", "\n".join(head([_concern(one) for one in listed_with], CONCERNS_LISTED))),
        ("participants", _participants(gate.readiness)),
        ("done takes", described(gate.takes)),
        ("may answer", ", ".join(terms.approvers) or "anybody"),
        ("until", f"{moment(gate.expires)}, then {terms.on_expiry}" if gate.expires else ""),
        ("digest", gate.digest),
        ("state", standing(gate, now)),
        ("answers", "\n".join(map(_answer, gate.answers))),
    ]


def preview_text(gate: GateRecord) -> str:
    """Return what the step would do, as far as it is shown, or why that is not known."""
    action = gate.action
    if action.preview_trouble:
        return f"not known: {action.preview_trouble}"
    shown = "\n".join(head(action.preview.splitlines(), PREVIEW_LINES))
    return "\n".join(filter(None, (shown, action.preview_cut))) or "not known: its agent has no preview="


def answer_lines(gate: GateRecord) -> list[str]:
    """Return each command with which a person answers, with what it is for; what does nothing twice comes first."""
    lines = [f"{gate.question.meaning(one)}: {_command(gate, one)}" for one in gate.question.verdicts]
    return [*lines, f"to do all that is staged: {apply_command(gate.run_id)}"] if gate.terms.staged else lines


def ways_to_answer(gates: Iterable[GateRecord]) -> str:
    """Say in one line how gates are answered, whichever they are."""
    found = list(gates)
    uncertain = any("done" in one.question.verdicts for one in found)
    staged = dict.fromkeys(one.run_id for one in found if one.terms.staged)
    return "; ".join(
        filter(
            None,
            (
                *(f"to do all that is staged: {apply_command(run_id)}" for run_id in staged),
                "where it happened already: echelon gates done ID --output JSON --reason WHY" if uncertain else "",
                "answer: echelon gates approve ID --reason WHY (or deny)",
            ),
        )
    )


def apply_command(run_id: str) -> str:
    """Return the command that does what is staged in a run, after a look at it."""
    return f"echelon apply {run_id} --reason WHY"


def what_follows(gate: GateRecord, answer: GateAnswer) -> str:
    """Say what to know of an answer that counts: until when it must be used, or what is still held against it."""
    if answer.verdict == "done":
        return "; what came of it is held to its contract and its checks when the run goes on"
    if answer.verdict == "approve" and gate.expires is not None:
        return f"; it ends at {moment(gate.expires)}: what it allows must begin before"
    return ""


def _command(gate: GateRecord, verdict: Verdict) -> str:
    options = {"done": " --output JSON", "approve": " --partial" if gate.action.missing else ""}
    takes = described(gate.takes) if verdict == "done" else ""
    return f"echelon gates {verdict} {gate.id}{options.get(verdict, '')} --reason WHY" + (
        f"  (JSON: {takes})" if takes else ""
    )


def _concern(record: ConcernRecord) -> str:
    concern = record.concern
    return f"{record.id}  {record.route.value.replace('_', ' ')}  {concern.line}"


def _participants(readiness: Sequence[Readiness]) -> str:
    by_answer: dict[str, list[str]] = {}
    for one in readiness:
        said = f"{one.agent} ({one_line(one.reason)})" if one.reason else one.agent
        by_answer.setdefault(one.answer, []).append(said)
    return "\n".join(f"{_READINESS[answer]}: {listed(names, NAMED)}" for answer, names in by_answer.items())


def _answer(answer: GateAnswer) -> str:
    why = f": {one_line(answer.reason)}" if answer.reason else ""
    refused = f" (does not count: {answer.refused})" if answer.refused else ""
    return f"{moment(answer.at)} {answer.verdict} by {answer.author}, {answer.channel}{why}{refused}"
