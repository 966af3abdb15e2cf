"""What is pushed upwards, and nothing else is (V1): no news is good news."""

import hashlib
from datetime import datetime
from enum import StrEnum

from echelon.model.base import Value

#: Digits of an id: enough to tell all apart that a run will ever push.
_ID_DIGITS = 16


class Trigger(StrEnum):
    """Why an agent or a coordinator spoke up."""

    FAILED = "failed"  #: a step ended without output
    BLOCKED = "blocked"  #: waits for something outside
    LATE = (
        "late"  #: more than a fifth over the time that is expected of it, or so late that its standby takes over (F9)
    )
    AT_RISK = "at_risk"  #: at the pace it has, it will be late
    RESOURCE = "resource"  #: more than four fifths of a budget or of a context are used, or all of it (F4)
    HEARTBEAT = "heartbeat"  #: it gave signs of life again and again, and then none
    OUTLIER = "outlier"  #: it took or used far more, or failed far more often, than others that do the same
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
    about: str = ""
    """What it says of what: who sees the same again does not push it again. Empty where nobody has to know that."""
    tasks: tuple[str, ...] = ()
    """The tasks that it is about, where it is about several, or names one that is at work."""

    @property
    def id(self) -> str:
        """Tell it from all others of its run."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:_ID_DIGITS]
