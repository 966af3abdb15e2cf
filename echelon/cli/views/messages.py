"""What models were asked and answered, as people read it. All of it may be hostile: it is set in, and never obeyed."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from echelon.agents.transcript.transcript import Message, MessagePart, Transcript
from echelon.journal.outputs import OutputStore
from echelon.model.adapter import JsonObject
from echelon.model.errors import EchelonError
from echelon.model.phrasing import count, duration, moment, printable, size
from echelon.model.run import Conversation

#: Stands before each line of others, so that none of them can pass for one of ours.
_INDENT = " " * 6


Piece = tuple[datetime, Callable[[Console], None]]
"""When something was said, and what prints it."""


class Said(NamedTuple):
    """A conversation, with what can be read of it."""

    conversation: Conversation
    """What is on record of it."""
    transcript: Transcript | None
    """What was said; None when it was not kept, or cannot be read."""
    lost: str = ""
    """Why it cannot be read; empty when it can, and when it was not kept."""

    @property
    def document(self) -> JsonObject:
        """The same for machines."""
        record = self.conversation.model_dump(mode="json", exclude={"transcript", "task_id"})
        return record | {"transcript": self.transcript, "lost": self.lost}


def read_said(conversation: Conversation, outputs: OutputStore) -> Said:
    """Read what was said in a conversation; what cannot be read any more says why."""
    if conversation.transcript is None:
        return Said(conversation, None)
    try:
        return Said(conversation, outputs.get(conversation.transcript, Transcript))
    except EchelonError as error:
        return Said(conversation, None, str(error))


def show_conversation(console: Console, heading: str, said: Said) -> None:
    """Print a conversation from its beginning to its end."""
    for _, show in pieces_of(heading, said):
        show(console)


def pieces_of(heading: str, said: Said) -> Iterator[Piece]:
    """Yield a conversation in pieces, in their order: its head, then each message."""
    began = said.conversation.began
    yield began, partial(_show_head, heading=heading, said=said)
    at = began
    for place, message in enumerate(said.transcript.messages if said.transcript else ()):
        at = max(at, message.at or at)
        yield at, partial(_show_message, message=message)
        if place == 0 and said.transcript and said.transcript.left_out_messages:
            yield at, partial(_show_left_out, transcript=said.transcript)


def _show_head(console: Console, heading: str, said: Said) -> None:
    record, kept = said.conversation, said.transcript
    took = duration((kept.ended - kept.began).total_seconds()) if kept else ""
    facts = (record.agent, record.model, moment(record.began), took, count(record.answers, "answer"))
    console.print(Text.assemble((heading, "bold"), f" · {' · '.join(fact for fact in facts if fact)}"))
    if record.error:
        console.print(f"  no answer: {record.error}", style="red")
    if kept is None:
        console.print(f"  cannot be read: {said.lost}" if said.lost else f"  not kept: {record.not_kept}")


def _show_left_out(console: Console, transcript: Transcript) -> None:
    left_out = f"{count(transcript.left_out_messages, 'message')} ({size(transcript.left_out_bytes)})"
    console.print(f"  … {left_out} left out")


def _show_message(console: Console, message: Message) -> None:
    facts = (
        f"{message.at.astimezone():%H:%M:%S.%f}"[:-3] if message.at else "",
        message.model,
        f"ended by {message.finish_reason}" if message.finish_reason else "",
        "" if message.tokens_in is None else f"{message.tokens_in:,} tokens in",
        "" if message.tokens_out is None else f"{message.tokens_out:,} tokens out",
        "cut off" if message.interrupted else "",
    )
    console.print(Text.assemble("  ", (message.role, "bold"), f" {' · '.join(fact for fact in facts if fact)}"))
    for part in message.parts:
        _show_part(console, part)
    if message.left_out_parts:
        console.print(f"    … {count(message.left_out_parts, 'part')} left out")


def _show_part(console: Console, part: MessagePart) -> None:
    outcome = f" ({part.outcome})" if part.outcome else ""
    console.print(Text.assemble("    ", (f"{part.kind} {part.tool}".rstrip(), "dim"), outcome))
    for line in Text(printable(part.text)).wrap(console, max(1, console.width - len(_INDENT)), overflow="fold"):
        console.print(f"{_INDENT}{line.plain}".rstrip())
    if part.left_out_bytes:
        console.print(f"    … {size(part.left_out_bytes)} left out")
