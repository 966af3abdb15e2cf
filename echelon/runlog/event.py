"""What all events have, and all those about a step."""

from datetime import datetime

from echelon.model.base import Value


class Event(Value):
    """What all events have."""

    run_id: str
    """The run it happened in."""
    at: datetime
    """When it happened, in UTC."""

    @property
    def subject(self) -> str:
        """The task, phase, breaker or concern it is about; empty when it is about the run."""
        return ""


class StepEvent(Event):
    """What events about one step have."""

    key: str
    """Identity of the step (F8)."""
    task_id: str
    """The task; for an integration what it is recorded as."""

    @property
    def subject(self) -> str:
        """The task."""
        return self.task_id
