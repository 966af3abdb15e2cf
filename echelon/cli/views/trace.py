"""What agents logged and what models were asked, event by event: for people and for machines."""

import json
import logging
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from operator import itemgetter
from typing import Protocol

from pydantic_core import to_jsonable_python
from rich.console import Console

from echelon.cli.views.messages import Piece, Said, pieces_of, read_said, show_conversation
from echelon.cli.views.output import print_text
from echelon.journal.outputs import OutputStore
from echelon.model.adapter import JsonObject
from echelon.model.phrasing import one_line, printable_json
from echelon.redaction import redact
from echelon.runlog.events import Logged, ModelAsked, RunEnded, RunEvent

#: Stands before each further line of a message, so that none of them can pass for a line of ours.
_INDENT = " " * 13


class Printer(Protocol):
    """Prints events, in the order they come."""

    lost: list[str]
    """Why some of what was said cannot be read any more."""

    def show(self, events: Sequence[RunEvent]) -> None:
        """Print those that have something to read."""
        ...


class TextPrinter:
    """Prints for people; with `named`, each line says whose it is."""

    def __init__(self, console: Console, outputs: OutputStore, *, named: bool) -> None:
        self.lost: list[str] = []
        self._console = console
        self._outputs = outputs
        self._named = named
        self._numbers: Counter[str] = Counter()

    def show(self, events: Sequence[RunEvent]) -> None:
        """Print lines of a log as they are; a conversation as a block."""
        for event in events:
            if isinstance(event, Logged):
                print_text(log_text(event, named=self._named))
            elif isinstance(event, ModelAsked):
                self._conversation(event)
        sys.stdout.flush()

    def _conversation(self, event: ModelAsked) -> None:
        task = event.subject
        self._numbers[task] += 1
        said = read_said(event.conversation, self._outputs)
        self.lost += [said.lost] if said.lost else []
        sys.stdout.flush()
        show_conversation(self._console, f"{task}: conversation {self._numbers[task]}", said)


class JsonPrinter:
    """Prints one JSON document a line."""

    def __init__(self, outputs: OutputStore) -> None:
        self.lost: list[str] = []
        self._outputs = outputs

    def show(self, events: Sequence[RunEvent]) -> None:
        """Print each event with what can be read of it."""
        for event in events:
            if document := self._document(event):
                line = json.dumps(to_jsonable_python(document), ensure_ascii=False)
                sys.stdout.write(printable_json(line) + "\n")
        sys.stdout.flush()

    def _document(self, event: RunEvent) -> JsonObject:
        match event:
            case Logged():
                return {"kind": event.kind, **line_document(event)}
            case ModelAsked():
                said = read_said(event.conversation, self._outputs)
                self.lost += [said.lost] if said.lost else []
                return {"kind": event.kind, "at": event.at, "task_id": event.subject, **said.document}
            case RunEnded():
                return event.model_dump(mode="json", include={"kind", "at", "status", "report"})
            case _:
                return {}


def line_document(line: Logged) -> JsonObject:
    """Return a line of a log for machines."""
    return line.model_dump(mode="json", exclude={"run_id", "kind"})


def log_text(line: Logged, *, named: bool = False) -> str:
    """Return a line of a log as people read it, in local time; what it has more lines of is set in."""
    level = logging.getLevelName(line.level).lower() if line.source == "logging" else line.source
    whose = f"{one_line(line.task_id)} " if named else ""
    message = f"\n{_INDENT}".join(redact(line.message).split("\n"))
    return f"{line.at.astimezone():%H:%M:%S.%f}"[:-3] + f" {redact(whose)}{level:<8} {message}\n"


def show_trace(console: Console, task: str, lines: Sequence[Logged], said: Sequence[Said]) -> None:
    """Print what one agent logged and what its model was asked and answered, by time."""
    pieces: list[Piece] = [(line.at, partial(_show_line, line=line)) for line in lines]
    for number, one in enumerate(said, start=1):
        pieces += pieces_of(f"{task}: conversation {number} of {len(said)}", one)
    for _, show in sorted(pieces, key=itemgetter(0)):
        show(console)


def _show_line(_console: Console, line: Logged) -> None:
    """Print a line of a log, in its order among what the console prints."""
    print_text(log_text(line))
    sys.stdout.flush()
