"""What a message says to a person about a gate or about concerns. Pure; in which shape it is sent is said in `shapes`.

Everything that agents wrote is hostile text: secrets are taken out of it, what moves a terminal is written out, and it
is bounded. Only what is typed holds a token, which is why nothing is taken out of that.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from echelon.contract.typed import described
from echelon.model.base import Value
from echelon.model.concern import CRITICAL, ConcernRecord, Route
from echelon.model.exception_report import ExceptionReport
from echelon.model.handoff import UsedDependency
from echelon.model.oversight.gate import GateRecord, Readiness
from echelon.model.oversight.notification import Topic
from echelon.model.phrasing import count, head, listed, one_line, printable, truncate
from echelon.redaction import redact

#: Of a preview, in characters: a message is read on a telephone; all that is on record is shown by `echelon gates`.
PREVIEW_CHARACTERS = 2_000
#: Of one line.
LINE_CHARACTERS = 300
#: Lines of one part; the others are counted. Concerns that are critical are all shown.
LINES_SHOWN = 8
#: Of the digest of an input: enough to tell two of them apart.
VERSION_DIGITS = 12
#: Lines of evidence of a concern that shares its message with others.
EVIDENCE_SHOWN = 2


class MessageCommand(Value):
    """What can be typed to answer."""

    label: str
    """What for."""
    line: str
    """The command."""


class NoticePart(Value):
    """A part of a message."""

    title: str
    """What it is about; never hostile."""
    lines: tuple[str, ...] = ()
    """Line by line."""
    block: str = ""
    """A text of several lines, such as a diff."""
    commands: tuple[MessageCommand, ...] = ()
    """What can be typed."""


class MessageToken(Value):
    """A token, for programs that make a form of their own."""

    subject_id: str
    """The gate or concern."""
    approver: str
    """Who can answer with it; empty: whoever has it."""
    token: str
    """The token."""


class PersonMessage(Value):
    """A message to a person."""

    key: str
    """Idempotency key: the same when it is sent again."""
    topic: Topic
    """What it is about."""
    job: str
    """The job."""
    run_id: str
    """The run."""
    title: str
    """All of it in one line."""
    parts: tuple[NoticePart, ...] = ()
    """What there is to know, and what can be typed."""
    tokens: tuple[MessageToken, ...] = ()
    """The tokens in it, for programs."""
    address: str = ""
    """Where Prefect asks the same; empty where no server does."""


@dataclass(frozen=True, kw_only=True)
class Sender:
    """What a message is to know beside what it is about."""

    key: str
    """Idempotency key."""
    job: str
    """The job."""
    run_id: str
    """The run."""
    address: str = ""
    """Where Prefect asks the same."""
    approver: str = ""
    """Whom it is for; empty: whoever reads it."""
    tokens: Mapping[str, str] = field(default_factory=dict[str, str])
    """Token by gate or concern."""


def gate_message(
    sender: Sender, gate: GateRecord, concerns: Mapping[str, ConcernRecord], holding: Sequence[str] = ()
) -> PersonMessage:
    """Ask about a gate; `concerns` are those on record in its run, and `holding` the ids of those that come first."""
    action, terms = gate.action, gate.terms
    known = dict.fromkeys((*holding, *gate.concerns))
    asked = [_named(one, concerns) for one in known if one not in concerns or concerns[one].disposition is None]
    facts = (
        f"{clean(action.agent)}, task {clean(action.task_id)} of phase {clean(action.phase)}, effect {action.effect}",
        f"arguments: {clean(json.dumps(action.shown_arguments, ensure_ascii=False))}" if action.arguments else "",
        f"question: {gate.question.text}",
        f"note: {clean(gate.note)}" if gate.note else "",
        f"reason: {clean(terms.reason)}" if terms.reason else "",
        f"may answer: {listed(terms.approvers, LINES_SHOWN, clean) or 'anybody who can write to the journal'}",
        f"done takes as JSON: {clean(described(gate.takes))}" if gate.takes else "",
        _until(gate.expires, terms.on_expiry),
    )
    parts = (
        NoticePart(title="What is asked", lines=tuple(filter(None, facts))),
        NoticePart(title="What it would do", block=_preview(gate)),
        _lines("Inputs", [_input(one) for one in action.inputs]),
        _lines("Missing of its inputs", action.missing),
        _lines("Open concerns", asked),
        _lines("Not ready", [f"{one.agent}: {one.reason or one.answer}" for one in gate.readiness if _objects(one)]),
        NoticePart(title="Comes first, or it cannot be approved", commands=tuple(map(_to_end, holding[:LINES_SHOWN]))),
        NoticePart(title="Answer", commands=tuple(_gate_commands(sender, gate, held=bool(holding)))),
    )
    return PersonMessage(
        key=sender.key,
        topic="gate",
        job=sender.job,
        run_id=sender.run_id,
        title=f"{clean(sender.job)}: {clean(action.task_id)} waits for an answer: {gate.question.text}",
        parts=tuple(part for part in parts if part.lines or part.block or part.commands),
        tokens=_tokens(sender),
        address=sender.address,
    )


def concerns_message(sender: Sender, concerns: Sequence[ConcernRecord]) -> PersonMessage:
    """Tell of concerns that a person has to look at: those to act on at once first, and all that are critical (O1)."""
    urgent = [one for one in concerns if one.route is Route.IMMEDIATE]
    others = [one for one in concerns if one.route in CRITICAL and one.route is not Route.IMMEDIATE]
    mild = [one for one in concerns if one.route not in CRITICAL]
    shown = [*urgent, *others, *mild[:LINES_SHOWN]]
    left = len(concerns) - len(shown)
    evidence = LINES_SHOWN if len(shown) == 1 else EVIDENCE_SHOWN
    parts = [
        NoticePart(
            title=f"Concern {one.id}",
            lines=tuple(_concern_lines(one, evidence)),
            commands=tuple(_concern_commands(sender, one)),
        )
        for one in shown
    ]
    if left:
        more = f"{count(left, 'more concern')}: echelon concerns list --run {sender.run_id}"
        parts.append(NoticePart(title="Not shown here", lines=(more,)))
    what = _said(shown[0]) if len(concerns) == 1 else f"{count(len(concerns), 'concern')} to look at"
    return PersonMessage(
        key=sender.key,
        topic="concern",
        job=sender.job,
        run_id=sender.run_id,
        title=f"{clean(sender.job)}: {what}",
        parts=tuple(parts),
        tokens=_tokens(sender),
        address=sender.address,
    )


def exceptions_message(sender: Sender, reports: Sequence[ExceptionReport]) -> PersonMessage:
    """Tell of critical exceptions, each with its whole path; there is nothing to answer (V1)."""
    parts = [
        NoticePart(
            title=f"{one.trigger.value.replace('_', ' ').capitalize()}, {one.at:%Y-%m-%d %H:%M} UTC",
            lines=(clean(one.message), f"at {' › '.join(clean(node, 80) for node in one.path)}"),
        )
        for one in reports
    ]
    command = MessageCommand(label="to see all of them", line=f"echelon exceptions {sender.run_id} --level critical")
    what = clean(reports[0].message) if len(reports) == 1 else f"{count(len(reports), 'critical exception')}"
    return PersonMessage(
        key=sender.key,
        topic="exception",
        job=sender.job,
        run_id=sender.run_id,
        title=f"{clean(sender.job)}: {what}",
        parts=(*parts, NoticePart(title="More", commands=(command,))),
    )


def clean(text: str, most: int = LINE_CHARACTERS) -> str:
    """Return hostile text on one line: without secrets, without what moves a terminal, and bounded."""
    return truncate(one_line(printable(redact(text))), most)


def _lines(title: str, lines: Sequence[str]) -> NoticePart:
    return NoticePart(title=title, lines=tuple(head([clean(line) for line in lines], LINES_SHOWN)))


def _preview(gate: GateRecord) -> str:
    action = gate.action
    if not action.preview:
        return f"no preview: {clean(action.preview_trouble)}" if action.preview_trouble else ""
    shown = printable(redact(action.preview))
    if len(shown) <= PREVIEW_CHARACTERS:
        return shown
    return f"{shown[:PREVIEW_CHARACTERS]}…\n(only the beginning; all of it: echelon gates show {gate.id})"


def _input(used: UsedDependency) -> str:
    return f"{used.task_id}, version {used.version[:VERSION_DIGITS]}"


def _objects(said: Readiness) -> bool:
    return said.answer in ("not_ready", "no_answer")


def _until(expires: datetime | None, default: str) -> str:
    if expires is None:
        return "it waits until somebody answers"
    return f"without an answer by {expires:%Y-%m-%d %H:%M} UTC it counts as: {default}"


def _said(record: ConcernRecord) -> str:
    return f"{clean(record.concern.about, 80)}: {clean(record.concern.message)}"


def _concern_lines(record: ConcernRecord, evidence: int) -> Sequence[str]:
    concern = record.concern
    return (
        _said(record),
        f"{record.route.words}; raised by {clean(record.source)}",
        f"confidence {concern.confidence:.2f}, impact {concern.impact:.2f}",
        *head([f"evidence: {clean(one)}" for one in concern.evidence], evidence),
    )


def _named(concern_id: str, concerns: Mapping[str, ConcernRecord]) -> str:
    """Say which concern it is; of one of a run around this one only the id is known."""
    return f"{concern_id}: {_said(concerns[concern_id])}" if concern_id in concerns else concern_id


def _to_end(concern_id: str) -> MessageCommand:
    line = f"echelon concerns dispose {concern_id} --as resolved --reason WHY"
    return MessageCommand(label="to end it, as resolved, accepted or dismissed", line=line)


def _gate_commands(sender: Sender, gate: GateRecord, *, held: bool) -> Sequence[MessageCommand]:
    token = sender.tokens.get(gate.id, "TOKEN")
    name = _name(sender)
    options = {"approve": " --partial" if gate.action.missing else "", "done": " --output JSON"}
    answers = [
        MessageCommand(
            label=gate.question.meaning(verdict)
            + (", behind what comes first" if held and verdict == "approve" else ""),
            line=f"echelon answer {token} {verdict} --as {name} --reason WHY{options.get(verdict, '')}",
        )
        for verdict in gate.question.verdicts
    ]
    if gate.expires is not None:
        line = f"echelon answer {token} extend --as {name} --reason WHY"
        answers.append(MessageCommand(label="to have more time", line=line))
    return (*answers, MessageCommand(label="to see all of it", line=f"echelon gates show {gate.id}"))


def _concern_commands(sender: Sender, record: ConcernRecord) -> Sequence[MessageCommand]:
    token = sender.tokens.get(record.id, "TOKEN")
    line = f"echelon answer {token} resolved --as {_name(sender)} --reason WHY --looked-at WHAT"
    return (MessageCommand(label="to end it, as resolved, accepted or dismissed", line=line),)


def _name(sender: Sender) -> str:
    return shlex.quote(one_line(printable(sender.approver))) if sender.approver else "NAME"


def _tokens(sender: Sender) -> tuple[MessageToken, ...]:
    return tuple(
        MessageToken(subject_id=subject, approver=sender.approver, token=token)
        for subject, token in sender.tokens.items()
    )
