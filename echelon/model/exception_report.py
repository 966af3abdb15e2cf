"""What is pushed upwards, and nothing else is (V1): no news is good news."""

from datetime import datetime
from enum import StrEnum

from echelon.model.base import Value


class Trigger(StrEnum):
    """Why an agent or a coordinator spoke up."""

    FAILED = "failed"  #: a step ended without output
    BLOCKED = "blocked"  #: waits for something outside
    LATE = "late"  #: so late that its standby takes over (F9)
    RESOURCE = "resource"  #: its budget was used up, and it wrote down what it had (F4)
    OVERRUN = "overrun"  #: more of a budget used than there was, or jobs deeper in one another than is allowed
    RETRIED = "retried"  #: needed more than one attempt
    BREAKER = "breaker"  #: a dependency is being refused
    INCIDENT = "incident"  #: failures with one cause, told once (F6)
    RENEWED = "renewed"  #: done before, and done again since what it was made from has changed (F8)
    KEPT = "kept"  #: done before from older inputs, and not done again since it cannot be undone (F8)
    OUTGROWN = "outgrown"  #: the structure does not fit the work any more: a change is proposed or made (R10)
    NOT_TOLD = "not_told"  #: a message to a person could not be delivered; it is sent again (O8)
    EMPTY = "empty"  #: a phase had nothing to do
    PARTIAL = "partial"  #: an integration went ahead with something missing, or a task was delivered in part


class Level(StrEnum):
    """How loud it is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class ExceptionReport(Value):
    """A deviation, with the full path from the root to where it happened."""

    trigger: Trigger
    """Why it was sent."""
    level: Level
    """How loud it is."""
    path: tuple[str, ...]
    """Node ids from the primary down to the source."""
    message: str
    """What happened, in one sentence."""
    at: datetime
    """When, in UTC."""
