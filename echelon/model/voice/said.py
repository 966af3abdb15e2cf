"""What an agent says while it works, each as one value, written as one line of JSON (X15)."""

import json
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, JsonValue, TypeAdapter, field_validator

from echelon.model.base import Value
from echelon.model.concern import Concern, Escaped
from echelon.model.phrasing import truncate

#: How much of its goal a proposed task is called by, in characters.
KEY_CHARACTERS = 80


class Proposal(Value):
    """A task that an agent wants to be done; whether it is, its owner decides at the sync point (D10)."""

    goal: Escaped = Field(min_length=1)
    """What is to be achieved, in one sentence."""
    reason: Escaped = ""
    """Why."""
    item: JsonValue = None
    """What it is to be done on, as the phase takes it that does such tasks; None: the goal says it all."""

    @field_validator("item")
    @classmethod
    def _can_be_on_record(cls, item: JsonValue) -> JsonValue:
        try:
            json.dumps(item, allow_nan=False)
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error
        return item

    @property
    def key(self) -> str:
        """What the task is called."""
        return truncate(self.goal, KEY_CHARACTERS)


class SaidConcern(Value):
    """Somebody should know something (O1)."""

    kind: Literal["concern"] = "concern"
    concern: Concern
    """What."""


class SaidConfidence(Value):
    """How sure the agent is of what it is about to deliver."""

    kind: Literal["confidence"] = "confidence"
    confidence: float = Field(ge=0, le=1)
    """0 to 1."""


class SaidBlocked(Value):
    """The agent cannot do the task yet."""

    kind: Literal["blocked"] = "blocked"
    on: Escaped = Field(min_length=1)
    """What it waits for: a task, a person, a service."""
    reason: Escaped = ""
    """Why it cannot do without."""


class SaidTask(Value):
    """A task should be done that is not planned (D10)."""

    kind: Literal["task"] = "task"
    proposal: Proposal
    """Which."""


Said: TypeAlias = SaidConcern | SaidConfidence | SaidBlocked | SaidTask
"""One thing that was said."""

_READER: TypeAdapter[Said] = TypeAdapter(Annotated[Said, Field(discriminator="kind")])


def read_said(line: str | bytes) -> Said:
    """Return what one line of JSON says; `ValidationError` when it says nothing of that."""
    return _READER.validate_json(line)


def blocked_on(on: str, reason: str) -> str:
    """Say that an agent cannot do its task yet.

    >>> blocked_on("the schema", "two versions of it are about")
    'blocked on the schema: two versions of it are about'
    """
    return f"blocked on {on}" + (f": {reason}" if reason else "")
