"""What Prefect's form says about a gate, as Markdown. Pure.

Names, previews and texts in it may be hostile: each stands in code marks or in a fence that it cannot end, and is cut
to a length, so that it can neither look like a part of the form nor hide one.
"""

from collections.abc import Sequence

from echelon.model.concern import ConcernRecord
from echelon.model.markdown import fenced, literal, names
from echelon.model.oversight.gate import GateAnswer, GateRecord, Readiness
from echelon.model.phrasing import count, printable, spaced

#: What of a preview stands in the form, in characters.
PREVIEW_CHARACTERS = 4_000

#: What of a sentence, in characters; what of the arguments.
SENTENCE_CHARACTERS, ARGUMENT_CHARACTERS = 300, 600

#: Entries of one list; the others are counted.
MOST_LISTED = 8


def page_of(gate: GateRecord, concerns: Sequence[ConcernRecord] = (), others: int = 0) -> str:
    """Return what is to be read before a gate is answered: what would be done first, and all of it within bounds.

    `concerns` are the open ones that hold its step back now; `others` gates of the run wait beside it.
    """
    parts = (
        _refused(gate.answers),
        f"### {literal(gate.action.task_id)}: {gate.question.text}",
        _facts(gate, others),
        *_preview(gate),
        *_listed("Its inputs, with their versions", [_input(gate, index) for index in range(len(gate.action.inputs))]),
        *_listed("Missing of its inputs", [_sentence(one) for one in gate.action.missing]),
        *_listed("Open concerns: disposed of first, or it cannot be approved", [_concern(one) for one in concerns]),
        *_listed("What participants say", [_readiness(one) for one in gate.readiness]),
        _ending(gate),
    )
    return "\n\n".join(part for part in parts if part)


def _refused(answers: Sequence[GateAnswer]) -> str:
    """Say why the last answer did not count, where it did not."""
    if not answers or not answers[-1].refused:
        return ""
    last = answers[-1]
    return f"**The last answer does not count** ({last.verdict}, by {literal(last.author)}): {_sentence(last.refused)}"


def _facts(gate: GateRecord, others: int) -> str:
    action, terms = gate.action, gate.terms
    default = "approved" if terms.on_expiry == "approve" else "denied"
    until = f"{gate.expires:%Y-%m-%d %H:%M:%S} UTC; then it is {default}" if gate.expires else ""
    facts = (
        ("Who would do it", f"{literal(action.agent)} in phase {literal(action.phase)}"),
        ("Effect", spaced(action.effect)),
        ("Why somebody is asked", _sentence(terms.reason) if terms.reason else ""),
        ("Before", _sentence(gate.note) if gate.note else ""),
        ("Who may answer", names(terms.approvers) if terms.approvers else "anybody"),
        ("Answer until", until),
        ("Beside it", f"{count(others, 'other gate')} of this run, asked after this one" if others else ""),
    )
    return "\n".join(f"- **{name}:** {value}" for name, value in facts if value)


def _preview(gate: GateRecord) -> list[str]:
    action = gate.action
    if action.preview:
        cut = len(action.preview) > PREVIEW_CHARACTERS
        left = f" (the first {PREVIEW_CHARACTERS:,} characters)" if cut else ""
        whole = [action.preview_cut] if action.preview_cut else []
        return [f"**What it would do**{left}", fenced(printable(action.preview[:PREVIEW_CHARACTERS])), *whole]
    if action.preview_trouble:
        return [f"**What it would do** cannot be shown: {_sentence(action.preview_trouble)}"]
    given = ", ".join(f"{name}={value!r}" for name, value in action.shown_arguments.items())
    return [f"**It would be called with:** {literal(given, ARGUMENT_CHARACTERS)}"] if given else []


def _listed(title: str, lines: Sequence[str]) -> list[str]:
    """Return a list with its title; nothing where there is nothing to list."""
    if not lines:
        return []
    rest = len(lines) - MOST_LISTED
    shown = [*lines[:MOST_LISTED], *([f"and {rest:,} more"] if rest > 0 else [])]
    return [f"**{title}:**", "\n".join(f"- {line}" for line in shown)]


def _input(gate: GateRecord, index: int) -> str:
    used = gate.action.inputs[index]
    return f"{literal(used.task_id)} version {literal(used.version[:12])}"


def _concern(record: ConcernRecord) -> str:
    said = f"{literal(record.source)} about {literal(record.concern.about)}: {_sentence(record.concern.message)}"
    return f"{spaced(record.route.value)}, {said}; `echelon concerns show {record.id}`"


def _readiness(one: Readiness) -> str:
    reason = f": {_sentence(one.reason)}" if one.reason else ""
    return f"{literal(one.agent)} {spaced(one.answer)}{reason}"


def _ending(gate: GateRecord) -> str:
    return f"All of it: `echelon gates show {gate.id}`. The answer goes on record; the first one that counts decides."


def _sentence(text: str) -> str:
    return literal(text, SENTENCE_CHARACTERS)
