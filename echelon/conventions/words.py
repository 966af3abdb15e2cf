"""The words that conventions fix, each with one meaning (C1, C2, D3)."""

from collections.abc import Mapping

from echelon.model.graph import Coupling
from echelon.model.handoff import Handoff
from echelon.model.status import Status

COORDINATION_SHARE = 0.70  # of what a coordinator and those below it use: more of it is a signal (R6)
WAITING_SHARE = 0.20  # of the time of tasks, spent waiting for coordinators: more is a signal (R6)

#: What each status says of a task (C2).
STATUSES: dict[Status, str] = {
    Status.PENDING: "assigned, not begun",
    Status.IN_PROGRESS: "its agent is at work",
    Status.COMPLETED: "done, its output can be read",
    Status.FAILED: "cannot be done (`error` says why)",
    Status.BLOCKED: "waits for something outside the agent (`error` says what)",
}

#: What each coupling says of whoever uses the other (D3).
COUPLINGS: dict[Coupling, str] = {
    Coupling.TIGHT: "cannot run unless all of it is there",
    Coupling.MEDIUM: "cannot run when nothing of it is there",
    Coupling.LOOSE: "is better with it and continues without",
    Coupling.NONE: "does not use it",
}


def spelled(words: Mapping[Status, str]) -> str:
    """Return words with their meanings, in one line."""
    return "; ".join(f"`{word.value}` {meaning}" for word, meaning in words.items())


ONE_MEANING = f"Statuses, with no other words beside them: {spelled(STATUSES)}."
ENVELOPE = f"Work changes hands in a handoff: {', '.join(f'`{name}`' for name in Handoff.model_fields)}."
BY_REFERENCE = (
    "Outputs are handed on by reference: `output_location` says where one is read. `dependencies` tells the version of "
    "everything used. `error` is set exactly when the task failed or is blocked."
)
