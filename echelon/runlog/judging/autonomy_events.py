"""What was decided about results at a sync point: a part of the union in `runlog.events` (X6, X7, X11)."""

from typing import Literal

from pydantic import Field

from echelon.model.autonomy.decisions import AgentStanding, ResultDecision
from echelon.model.autonomy.terms import DEFAULT_TERMS, AutonomyTerms
from echelon.runlog.run_events import Event


class AutonomyDecided(Event):
    """The results of a phase were looked at: which of them proceed, and who decides about the others.

    The last one of a phase counts.
    """

    kind: Literal["autonomy_decided"] = "autonomy_decided"
    phase: str
    """The phase."""
    of: str
    """Identity of all results that were looked at: the same results are decided once."""
    proceeded: int = Field(ge=0)
    """How many proceed, and nobody is asked."""
    decisions: tuple[ResultDecision, ...] = ()
    """The others."""
    standings: tuple[AgentStanding, ...] = ()
    """The records of those who made them; none where the job lets results proceed by what is stated alone."""
    terms: AutonomyTerms = DEFAULT_TERMS
    """The thresholds."""

    @property
    def subject(self) -> str:
        """The phase."""
        return self.phase
