"""What one call of a model was asked and answered, by reference (V2). Values only."""

from datetime import datetime

from pydantic import Field

from echelon.model.base import Value
from echelon.model.handoff import OutputReference


class Conversation(Value):
    """What one call of a model was asked and answered, by reference."""

    key: str
    """Identity of the step it was called for (F8)."""
    task_id: str
    """The task; for an integration what it is recorded as."""
    agent: str
    """The agent that the model is."""
    model: str = ""
    """The model that was asked; empty when it is not known."""
    began: datetime
    """When it was asked, in UTC."""
    answers: int = Field(default=0, ge=0)
    """Answers in it, calls of tools included."""
    context_tokens: int | None = Field(default=None, ge=0)
    """Tokens of the largest of its requests, with the answer: how full its context was (M5); None where the provider
    does not say, and in logs of before."""
    error: str = ""
    """Why there is no answer in the end, in one line; empty when there is one."""
    transcript: OutputReference | None = None
    """Where it can be read; None when it was not kept."""
    not_kept: str = ""
    """Why it was not kept; empty when it was."""
