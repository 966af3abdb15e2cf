"""Who worked on a run and when: one process holds it at a time, and only the time it is held is worked (F8)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from pydantic import Field

from echelon.model.base import Value

#: A time between two sessions of a run in which nobody worked on it: from, until.
Pause = tuple[datetime, datetime]


class Session(Value):
    """The time in which one process held a run, or one part of it."""

    run_id: str
    """The run."""
    part: str = ""
    """The part of the run that it holds; empty for the run itself."""
    under: int = Field(default=0, ge=0)
    """Token of the run that the part is held under; 0 for the run itself."""
    token: int = Field(ge=1)
    """Grows with every session of a run, or of a part: whoever writes with an older one is refused."""
    host: str
    """Name of the machine, for people."""
    machine: str
    """Where the number of the process means something: machine, boot and namespace of processes."""
    pid: int
    """The process."""
    process_started: float
    """When the process began, in seconds since the machine did (older journals: since 1970): numbers are used again."""
    began: datetime
    """When it took the run, in UTC."""
    seen: datetime
    """When it last said that it is alive, in UTC."""
    ended: datetime | None = None
    """When it gave the run back, or was last seen before another process took it; None while it is held."""


class EffectIntent(Value):
    """What is put on record before an agent changes the world outside, so that a crash cannot hide it (F8)."""

    run_id: str
    """The run."""
    key: str
    """Identity of the step."""
    task_id: str
    """The task; for an integration what it is recorded as."""
    effect: str
    """`write` or `irreversible`."""
    idempotency_key: str
    """The same in every attempt: the receiver can tell that it got this before."""
    attempt: int = Field(ge=1)
    """How often it was begun, this time included."""
    token: int = Field(ge=0)
    """The session that began it; 0 for a run that nobody holds."""
    at: datetime
    """When, in UTC."""
    gate_id: str = ""
    """The gate whose approval it uses up; empty for what needs none (O5)."""
    settled: bool = False
    """Did the agent say that nothing happened? Else it may have."""


def pauses(sessions: Sequence[Session], worked: Sequence[datetime] = ()) -> tuple[Pause, ...]:
    """Return the times between sessions, given in their order; `worked` are times at which work is known to have ended.

    A process that was killed was at work until it was last seen, or until the last work it put on record after that.
    """
    return tuple(
        (end, after.began)
        for before, after in pairwise(sessions)
        if (end := _end(before, after.began, worked)) < after.began
    )


def seconds_without(began: datetime, ended: datetime, idle: Sequence[Pause]) -> float:
    """Return the seconds from `began` to `ended` without the pauses that lie in between."""
    lost = sum((max(timedelta(), min(end, ended) - max(begin, began)) for begin, end in idle), timedelta())
    return max(timedelta(), ended - began - lost).total_seconds()


def _end(session: Session, next_began: datetime, worked: Sequence[datetime]) -> datetime:
    known = [moment for moment in worked if session.began <= moment <= next_began]
    return max([session.ended or session.seen, *known])
