"""Where the phases of a run stand, and how work ended that is repeated (X12)."""

from datetime import datetime

from echelon.model.base import Value
from echelon.model.handoff import StoppedBy
from echelon.model.organisation import Structure
from echelon.model.phrasing import count
from echelon.model.plan import Finding


class PhaseView(Value):
    """Where a phase stands."""

    name: str
    """The phase."""
    planned: int
    """Tasks it has."""
    completed: int
    """Tasks that delivered an output, of their own or of a fallback."""
    failed: int
    """Tasks that ended without output, for good."""
    waiting: int = 0
    """Tasks that wait for a quota, or for a budget of a day or a month (F10)."""
    at_work: int = 0
    """Tasks that somebody works on."""
    seconds: float | None
    """From the first step that began to the last that ended; None before anything ended."""
    started: datetime | None = None
    """When it began, in UTC."""
    ended: datetime | None = None
    """When its sync point was passed, in UTC."""
    skipped: str = ""
    """Why nothing of it is done; empty for a phase that is wanted (X12)."""
    rounds: int = 1
    """The last round that was made of it, or of one of its tasks, where it is repeated until a check passes (X12)."""
    flat: tuple[str, ...] | None = None
    """Open concerns, by id, that everybody who decides behind it was given; None: it was no flat moment (O6)."""

    @property
    def note(self) -> str:
        """Say that it is skipped, in which round it is, or that a flat moment ended it; empty for any other phase."""
        if self.skipped:
            return f"skipped: {self.skipped}"
        rounds = count(self.rounds, "round") if self.rounds > 1 else ""
        flat = f"flat moment: {count(len(self.flat), 'open concern')}" if self.flat is not None else ""
        return "; ".join(filter(None, (rounds, flat)))


class RepeatedWork(Value):
    """Work that was repeated until a check passed, or another round was of no use (X12)."""

    task_id: str
    """The task; the check, where that judges a phase or a loop as a whole."""
    rounds: int
    """Rounds that were made of it."""
    stopped_by: StoppedBy
    """Why no further one is made."""


class PlanExtension(Value):
    """What became known of a phase on the way, and the plan that follows from it (X12)."""

    phase: str
    """The phase that was planned."""
    at: datetime
    """When it was on record, in UTC."""
    tasks: int
    """Tasks that it has."""
    reason: str
    """What was found, and how the job is organised now, in one sentence."""
    structure: Structure
    """How the whole job is organised since."""
    n_agents: int
    """Agents that the whole job has since."""
    levels: int
    """Coordinating levels above them."""
    predicted_seconds: float | None = None
    """How long the whole job is expected to take since, from its beginning; None: nothing states its seconds."""
    findings: tuple[Finding, ...] = ()
    """What should be changed about it, and was not known before."""
