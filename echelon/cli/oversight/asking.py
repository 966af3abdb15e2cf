"""The form in a terminal: at each open gate a person is shown what would be done, and says yes or no (O8)."""

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from rich.console import Console
from rich.text import Text

from echelon.cli.reading import query
from echelon.cli.views.output import facts
from echelon.contract.typed import described
from echelon.journal.port import Journal
from echelon.model.errors import InvalidInput
from echelon.model.oversight.gate import GateRecord, Verdict
from echelon.oversight.gates.answering import Answered, answer_gate, concerns_listed, concerns_of_gate
from echelon.oversight.gates.answers import AnswerWish
from echelon.visibility.gates import gate_facts, gate_line, takes_answers

ReadLine = Callable[[str], str | None]
"""Asks for a line; None at the end of the input."""

#: What may be typed, by its first letter or as a whole; nothing leaves the gate open.
_VERDICTS: dict[str, Verdict | None] = {
    "a": "approve",
    "approve": "approve",
    "d": "deny",
    "deny": "deny",
    "done": "done",
    "": None,
    "s": None,
    "skip": None,
}


def check_terminal(option: str) -> None:
    """Raise `InvalidInput` where nobody can be asked."""
    if not sys.stdin.isatty():
        raise InvalidInput(
            f"{option} asks in a terminal, and there is none; answer with `echelon gates approve|deny ID --reason WHY`"
        )


def read_line(prompt: str) -> str | None:
    """Ask for a line on the standard input."""
    sys.stderr.write(prompt)
    sys.stderr.flush()
    line = sys.stdin.readline()
    return line.rstrip("\n") if line else None


def ask_gates(console: Console, gates: Sequence[GateRecord], by: str, read: ReadLine = read_line) -> list[Answered]:
    """Show gates one after the other and put on record what is answered; what is skipped stays open."""
    answered: list[Answered] = []
    for gate in gates:
        one = _ask(console, gate, by, read)
        if one is None:
            return answered
        answered += one
    return answered


def _ask(console: Console, gate: GateRecord, by: str, read: ReadLine) -> list[Answered] | None:
    """Ask about one gate until an answer counts or it is skipped; None at the end of the input."""
    while True:
        holding = query(lambda journal: concerns_of_gate(journal, gate))
        others = query(partial(concerns_listed, gate=gate, holding=holding))
        now = datetime.now(UTC)
        console.print(Text(gate_line(gate, now), style="bold"))
        facts(console, gate_facts(gate, now, holding, others))
        if not takes_answers(gate, now):
            return []
        wish = _wish(console, gate, by, read)
        if not isinstance(wish, AnswerWish):
            return wish
        said = query(_answering(gate.id, wish))
        if said.counts:
            console.print(f"{gate.id}: {wish.verdict} by {by}")
            return [said]
        console.print(Text(f"this answer does not count, and is on record: {said.answer.refused}", style="yellow"))
        if not said.gate.is_open:
            return []


def _answering(gate_id: str, wish: AnswerWish) -> Callable[[Journal], Any]:
    return lambda journal: answer_gate(journal, gate_id, wish)


def _wish(console: Console, gate: GateRecord, by: str, read: ReadLine) -> AnswerWish | list[Answered] | None:
    """Return what a person answers; an empty list to leave the gate open, None at the end of the input."""
    choice = ", ".join((*gate.question.verdicts, "skip"))
    while True:
        typed = read(f"{choice}? ")
        if typed is None:
            return None
        verdict = _VERDICTS.get(typed.strip().lower(), "?")
        if verdict is None:
            return []
        if verdict != "?" and verdict in gate.question.verdicts:
            break
        console.print(f"{typed.strip()!r} is none of {choice}")
    partial = verdict == "approve" and bool(gate.action.missing)
    if partial and (read("not all of its inputs are there; begin without them, yes or no? ") or "").strip() != "yes":
        return []
    output = _output(console, read, described(gate.takes)) if verdict == "done" else None
    while (reason := read("why? ")) is not None and not reason.strip():
        console.print("say why, it is kept with the answer")
    if reason is None:
        return None
    return AnswerWish(verdict=verdict, author=by, reason=reason, partial=partial, output=output, channel="terminal")


def _output(console: Console, read: ReadLine, takes: str) -> object:
    while (typed := read(f"what came of it, in JSON{f' ({takes})' if takes else ''}? ")) is not None:
        try:
            return json.loads(typed)
        except json.JSONDecodeError as error:
            console.print(f'that is not valid JSON ({error}); quote text: "sent"')
    return None
