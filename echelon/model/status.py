"""The life of a step: five words with one meaning each, and the table of changes allowed (C2)."""

from enum import StrEnum

from echelon.model.errors import IllegalTransition


class Status(StrEnum):
    """Where a step stands."""

    PENDING = "pending"  #: assigned, not started
    IN_PROGRESS = "in_progress"  #: its agent is at work
    COMPLETED = "completed"  #: done, the output can be read
    FAILED = "failed"  #: cannot be done, `error` says why
    BLOCKED = "blocked"  #: waits for something outside of the agent, `error` says for what


#: What each status may become. A failed or blocked step may be tried again; completed is final.
TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.IN_PROGRESS, Status.BLOCKED, Status.FAILED}),
    Status.IN_PROGRESS: frozenset({Status.COMPLETED, Status.FAILED, Status.BLOCKED}),
    Status.BLOCKED: frozenset({Status.PENDING, Status.IN_PROGRESS, Status.FAILED}),
    Status.FAILED: frozenset({Status.PENDING, Status.IN_PROGRESS}),
    Status.COMPLETED: frozenset(),
}

#: The statuses that a handoff can end a step with.
ENDED = frozenset({Status.COMPLETED, Status.FAILED, Status.BLOCKED})


def advance(current: Status, wanted: Status) -> Status:
    """Return `wanted` when the table allows the change from `current`; raise `IllegalTransition` when not (C2)."""
    if wanted not in TRANSITIONS[current]:
        raise IllegalTransition(current, wanted)
    return wanted
