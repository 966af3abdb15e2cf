"""What an audit says of an integration, and how the results of a run were judged. Values only (O3, O4)."""

from enum import StrEnum

from pydantic import Field

from echelon.model.base import Value
from echelon.model.phrasing import listed
from echelon.model.verification.verification import CheckResult

#: Who raises concerns about what an audit rejects: no node of a plan, so that no coordinator stands above it (O11).
AUDIT_SOURCE = "audit"

#: Findings that a sentence spells out at most, and how many of them are kept on record.
SAID, MOST_KEPT = 3, 50


class AuditKind(StrEnum):
    """What is wrong with an integration."""

    GAP = "gap"  #: it says that it is complete, and lacks a key that one of its parts has
    CONTRADICTION = "contradiction"  #: it says of a key what none of its parts says
    TWO_ANSWERS = "two_answers"  #: it says two different things about one key
    DROPPED_CONCERN = "dropped_concern"  #: a concern of one of its parts is not in it
    WRONG_WORD = "wrong_word"  #: a word that is not in the vocabulary
    STALE_INPUT = "stale_input"  #: it was made from a version that is not the newest
    COPIED = "copied"  #: one of its parts is what was made for another item, or two items come to the same: a doubt
    CLAIMS_COMPLETE = "claims_complete"  #: it says that nothing was missing, and something was
    JUDGED = "judged"  #: an agent that audits rejects it


#: What may be right all the same: it is no reason to reject anything, and somebody should look.
DOUBTS = frozenset({AuditKind.COPIED})


class AuditFinding(Value):
    """One thing that is wrong with an integration."""

    kind: AuditKind
    """What kind of thing."""
    where: str
    """Where it shows: a key, a field, a task."""
    said: str
    """What is wrong, in a sentence."""


class AuditRecord(Value):
    """What came of looking at one integration."""

    key: str
    """Identity of the audit: the integration in its version, and who looked."""
    phase: str
    """The phase."""
    task_id: str
    """What the integration is recorded as."""
    node: str
    """The coordinator that integrated."""
    agent: str = ""
    """The integrator that did it."""
    code: str = ""
    """Version of its code; empty when it is not known."""
    domain: str | None = None
    """The domain of the coordinator; None for one without."""
    version: str
    """Digest of the output that was looked at."""
    parts: int = Field(ge=0)
    """Outputs that it was made from."""
    verdict: CheckResult
    """What was found."""
    reason: str = ""
    """Why it cannot be told, or how looking failed; empty otherwise."""
    findings: tuple[AuditFinding, ...] = ()
    """What is wrong, or may be, the first of them."""
    by: tuple[str, ...] = ()
    """Agents that judged it besides what its contract promises."""

    @property
    def is_rejected(self) -> bool:
        """Does it reject the integration?"""
        return self.verdict == "rejected"

    @property
    def said(self) -> str:
        """Why it is not accepted, in one sentence."""
        more = listed([one.said for one in self.findings], SAID)
        return more or self.reason


class JudgedResults(Value):
    """How many results of a run somebody else has looked at, with what came of that (O3, O4)."""

    verified: int = 0
    """Results of tasks that their checks, or whoever verified them, accepted."""
    unverified: int = 0
    """Those of which nobody knows whether they are good, although success was stated, or they are relied on most."""
    rejected: int = 0
    """Those that were rejected, for good."""
    by_nobody: int = 0
    """Of the unverified ones, those on the critical path, or in front of a gate, that nobody verifies."""
    integrations: int = 0
    """Integrations that were made."""
    audited: int = 0
    """Those of them that were audited."""
    audit_rejected: int = 0
    """Those of them that the audit rejected."""
    audit_unknown: int = 0
    """Those of them of which the audit could not tell: it failed, or has a doubt."""

    @property
    def is_stated(self) -> bool:
        """Is there anything to say?"""
        return bool(self.verified or self.unverified or self.rejected or self.audited)

    @property
    def said(self) -> str:
        """Say it in one line."""
        results = f"{self.verified:,} verified, {self.unverified:,} unverified, {self.rejected:,} rejected"
        if not self.audited:
            return results
        counted = ((self.audit_rejected, "rejected"), (self.audit_unknown, "not known"))
        came = ", ".join(f"{number:,} {what}" for number, what in counted if number)
        wrong = f" ({came})" if came else ""
        return f"{results}; {self.audited:,} of {self.integrations:,} integrations audited{wrong}"
