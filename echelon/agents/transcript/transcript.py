"""A transcript: what one call of a model was asked and answered. Values only."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from echelon.model.base import Value

#: The contract under which transcripts are written.
CONTRACT = "Transcript@1"

#: The most that is kept of the texts of one message, in bytes of UTF-8.
MESSAGE_BYTES = 32 * 1024

#: The most that is kept of one call of a model, in bytes of its JSON: two messages of any content always fit.
TRANSCRIPT_BYTES = 512 * 1024

#: The most parts of one message that are kept: a model may call any number of tools at once.
MESSAGE_PARTS = 50

#: The most that is kept of a name: of a tool, a call, a model.
NAME_CHARACTERS = 100


class MessagePart(Value):
    """One part of a message."""

    kind: str
    """What it is, in the words of pydantic-ai: `instructions`, `user-prompt`, `text`, `tool-call`, `tool-return` …"""
    text: str
    """What it says; arguments of a tool and what it returned as JSON, files by their type and size."""
    tool: str = ""
    """The tool that is called, or has returned; empty for all other parts."""
    call_id: str = ""
    """Which call of a tool it is, so that what it returned can be found; empty for all other parts."""
    outcome: str = ""
    """How the call of a tool ended where it did not succeed, as `retried`; empty for all other parts."""
    left_out_bytes: int = Field(default=0, ge=0)
    """How much of its text is left out at the end, in bytes."""


class Message(Value):
    """What was sent to a model at one time, or what it answered."""

    role: Literal["request", "response"]
    """Sent to the model, or by it."""
    at: datetime | None = None
    """When, in UTC; None when it is not known."""
    parts: tuple[MessagePart, ...] = ()
    """What it consists of, in order."""
    model: str = ""
    """The model that answered, as its provider names it; empty for requests."""
    finish_reason: str = ""
    """Why the answer ended; empty for requests, and where the provider does not say it."""
    tokens_in: int | None = None
    """Tokens that were read for an answer; None for requests, and where the provider does not say it."""
    tokens_out: int | None = None
    """Tokens of an answer; None for requests, and where the provider does not say it."""
    interrupted: bool = False
    """Was it cut off before it was whole?"""
    left_out_parts: int = Field(default=0, ge=0)
    """Parts at its end that are left out."""


class Transcript(Value):
    """What one call of a model was asked and answered, its tools included."""

    agent: str
    """The agent that the model is."""
    model: str = ""
    """The model that was asked; empty when it is not known."""
    began: datetime
    """When it was asked, in UTC."""
    ended: datetime
    """When that was over, in UTC."""
    error: str = ""
    """Why there is no answer, in one line; empty when there is one."""
    messages: tuple[Message, ...] = ()
    """The conversation, oldest first; what a call went on from stands at its beginning."""
    left_out_messages: int = Field(default=0, ge=0)
    """Messages that are left out behind the first one."""
    left_out_bytes: int = Field(default=0, ge=0)
    """Their size, in bytes of JSON."""
