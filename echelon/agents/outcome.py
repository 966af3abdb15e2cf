"""What an agent returns when there is more to say than the output itself."""

from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar, cast

from echelon.contract.iterators import is_iterator, read_out
from echelon.model.concern import Concern
from echelon.model.errors import AgentBlocked, AgentFailed
from echelon.model.status import ENDED, Status
from echelon.model.usage import Usage

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, kw_only=True)
class Outcome(Generic[T_co]):
    """An output with what belongs to it. An agent may also return the bare output."""

    output: T_co
    """What was asked for; validated against the contract."""
    summary: str = ""
    """What was done, in one sentence; the start of the output when empty."""
    confidence: float = 1.0
    """How sure the agent is, 0 to 1."""
    concerns: tuple[Concern, ...] = ()
    """What somebody should know (O1)."""
    next_steps: tuple[str, ...] = ()
    """Follow-up tasks suggested."""
    status: Status = Status.COMPLETED
    """How the task ended; of one that failed or is blocked the summary says why, and the output does not count."""
    usage: Usage = field(default_factory=Usage)
    """Tokens and calls; seconds are measured around the call."""
    repairs: tuple[str, ...] = ()
    """What the agent's own machinery repaired, or asked for again, before the output fitted (C5)."""
    shortfall: str = ""
    """What of the work is missing in the output, and why, in a sentence; empty when all of it is there (F7)."""

    def __post_init__(self) -> None:
        """Take a status by its word too; `ValueError` for one that does not end a task (C2)."""
        if self.status not in ENDED:
            raise ValueError(f"an outcome ends a task as completed, failed or blocked, and not as {self.status!r}")
        object.__setattr__(self, "status", Status(self.status))


def outcome_of(returned: object) -> Outcome[object]:
    """Return what an agent returned as an outcome; a bare output becomes one with nothing more to say.

    An iterator is read out, which runs what the agent wrote: call it where the agent itself is run. `ValueError` for
    one that does not end.
    """
    outcome = cast("Outcome[object]", returned) if isinstance(returned, Outcome) else Outcome(output=returned)
    return replace(outcome, output=read_out(outcome.output)) if is_iterator(outcome.output) else outcome


def delivered(name: str, outcome: Outcome[object]) -> Outcome[object]:
    """Return the outcome of the agent `name`; `AgentFailed` or `AgentBlocked` where it says so, with what it says."""
    if outcome.status is Status.COMPLETED:
        return outcome
    kind, said = (AgentBlocked, "is blocked") if outcome.status is Status.BLOCKED else (AgentFailed, "failed")
    why = outcome.summary or (outcome.output if isinstance(outcome.output, str) else "")
    error = kind(f"{name} says that it {said}: {why or 'it does not say why'}", concerns=outcome.concerns)
    error.usage = outcome.usage
    raise error
