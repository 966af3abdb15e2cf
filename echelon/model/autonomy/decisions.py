"""What was decided about the results of a phase, and the records that it rests on, as events keep it (X6, X7, X11)."""

from pydantic import Field

from echelon.model.autonomy.terms import DEFAULT_TERMS, AutonomyTerms, Band
from echelon.model.autonomy.track import Track
from echelon.model.base import Value


class ResultDecision(Value):
    """A result that did not simply proceed."""

    task_id: str
    """Whose result: a task, or what an integration is recorded as."""
    version: str
    """Digest of the output: another result of the same task is decided anew."""
    agent: str
    """Who made it."""
    code: str = ""
    """Fingerprint of the agent; empty when it is not known."""
    band: Band
    """What the rules say of it."""
    reasons: tuple[str, ...]
    """Why, in words."""
    stated: float | None = None
    """How sure the agent said it is; None where it said nothing."""
    estimate: float = Field(ge=0, le=1)
    """How often results like it are right, by the record of the agent."""
    judged: bool = False
    """Did a check, or somebody else, say whether it is right?"""
    approved_by: str = ""
    """Who decided, below a person, that it proceeds: a lead, as `lead NAME`; empty where nobody did."""
    declined: str = ""
    """What a lead said who did not approve it; empty where none was asked, or it approved."""
    concern: str = ""
    """The concern in which a person is asked about it, together with others; empty where none is."""


class AgentStanding(Value):
    """The record of one agent, as it is now, where a phase ends."""

    agent: str
    """Its name."""
    code: str = ""
    """Its fingerprint: a changed agent begins a record of its own."""
    before: Track = Track()
    """From earlier runs of the job."""
    own: Track = Track()
    """From this phase."""
    kinds: tuple[str, ...] = ()
    """Kinds of work it has done in this phase: contract and kind of item."""


class AgentAutonomy(Value):
    """How far an agent may proceed, before a run and behind it."""

    agent: str
    """Its name."""
    code: str = ""
    """Its fingerprint; empty when it is not known."""
    before: Track = Track()
    """Its record from earlier runs."""
    now: Track = Track()
    """The same, with what this run shows of it."""
    band_before: Band
    """What its record allowed when the run began."""
    band: Band
    """What it allows now."""

    @classmethod
    def of(
        cls, agent: str, code: str, before: Track, now: Track, terms: AutonomyTerms = DEFAULT_TERMS
    ) -> "AgentAutonomy":
        """Return where an agent stands by two records."""
        return cls(
            agent=agent,
            code=code,
            before=before,
            now=now,
            band_before=before.estimate(terms=terms).band(terms),
            band=now.estimate(terms=terms).band(terms),
        )


class ApprovalQueue(Value):
    """How results wait that somebody decides about (X7)."""

    escalated: int = Field(ge=0)
    """Results that did not proceed by themselves."""
    by_lead: int = Field(ge=0)
    """Of these, approved by a lead."""
    batches: int = Field(ge=0)
    """Batches that a person was asked about."""
    waiting: int = Field(ge=0)
    """Results in batches that nobody has decided."""
    longest_seconds: float | None = None
    """How long the oldest of them waits, or the slowest took; None where a person was asked about nothing."""
