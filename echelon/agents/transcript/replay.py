"""From a transcript back to messages of pydantic-ai, so that a model goes on in a conversation that is on record (D1).

What was not kept is not there: secrets, files, and what was only thought. Instructions are those of whoever goes on.
"""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING

from echelon.agents.model_limits import library
from echelon.agents.transcript.transcript import Message, MessagePart, Transcript
from echelon.model.edges import Foreign
from echelon.model.phrasing import size

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage


def why_not_whole(kept: Transcript) -> str:
    """Say why a conversation cannot be gone on with; empty when it can. Long texts in it may be cut, and say so."""
    parts = [part for message in kept.messages for part in message.parts]
    if kept.left_out_messages or any(message.left_out_parts for message in kept.messages):
        return "is too long to be kept whole"
    if any(part.left_out_bytes and part.kind == "tool-call" for part in parts):
        return "has a call of a tool that is too long to be kept whole"
    return "" if kept.messages else "is empty"


def messages_of(kept: Transcript) -> "list[ModelMessage]":
    """Return a conversation as the library takes it up again; calls of tools that were not answered are closed."""
    messages = library("pydantic_ai.messages")
    return messages.repair_messages(list(_messages(kept, messages)))


def _messages(kept: Transcript, library_of: ModuleType) -> "Iterator[ModelMessage]":
    for message in kept.messages:
        parts = list(_parts(message, library_of))
        if parts:
            kind = library_of.ModelResponse if message.role == "response" else library_of.ModelRequest
            yield kind(parts=parts)


def _parts(message: Message, library_of: ModuleType) -> Iterator[Foreign]:
    for part in message.parts:
        made = _PARTS.get((message.role, part.kind))
        if made is not None:
            yield made(library_of, part)


def _text(part: MessagePart) -> str:
    return f"{part.text}\n[{size(part.left_out_bytes)} left out]" if part.left_out_bytes else part.text


def _said(of: Foreign, part: MessagePart) -> Foreign:
    return of.UserPromptPart(content=_text(part))


def _returned(of: Foreign, part: MessagePart) -> Foreign:
    outcome = "retried" if part.kind == "retry-prompt" else part.outcome or "success"
    return of.ToolReturnPart(tool_name=part.tool, content=_text(part), tool_call_id=part.call_id, outcome=outcome)


#: Who said it, and its kind → the part of a message; all other kinds are left out.
_PARTS: dict[tuple[str, str], Callable[[Foreign, MessagePart], Foreign]] = {
    ("request", "user-prompt"): _said,
    ("request", "tool-return"): _returned,
    # The library's own complaint about an answer; where it answers the call of a tool, it is what that returned.
    ("request", "retry-prompt"): lambda of, part: (_returned if part.call_id else _said)(of, part),
    ("request", "retry-feedback"): _said,
    ("response", "text"): lambda of, part: of.TextPart(content=_text(part)),
    ("response", "tool-call"): lambda of, part: of.ToolCallPart(
        tool_name=part.tool, args=part.text, tool_call_id=part.call_id
    ),
}
