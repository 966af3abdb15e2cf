"""The one envelope in which work changes hands (C1): exact fields, closed by `extra="forbid"`."""

from datetime import datetime
from typing import Literal, Self, TypeAlias

from pydantic import AliasChoices, Field, model_validator

from echelon.model.base import Value
from echelon.model.concern import Concern
from echelon.model.conflicts.overruled import Overruled
from echelon.model.errors import ApprovalPending, EffectUncertain
from echelon.model.fallback import UsedFallback
from echelon.model.phrasing import one_line, truncate
from echelon.model.redundancy.replicas import UsedReplicas
from echelon.model.status import ENDED, Status
from echelon.model.usage import Usage
from echelon.model.verification.verification import Verification

#: Version of the envelope; the major part changes when a consumer must (C7).
HANDOFF_SCHEMA_VERSION = "1.8"

#: Bytes of text that one token stands for, about; how what is handed on is estimated where no model counts it (C6).
BYTES_PER_TOKEN = 4

#: What is said about what was made in the last call (F4).
WRAPPED_UP = "its budget was used up before it was done; it wrote down what it had by then"

#: How much is told of why something stands in, in characters.
CAVEAT_CHARACTERS = 300


class OutputReference(Value):
    """Where an output lies, so that it is handed on by reference (C6)."""

    location: str
    """Path below the outputs root, with forward slashes; of an output that is in the journal only its name."""
    sha256: str
    """Digest of the bytes; a torn or changed output is found when it is read."""
    size_bytes: int = Field(ge=0)
    """Length in bytes."""
    contract: str
    """Name of the type the output was validated against."""
    content: str | None = Field(default=None, repr=False)
    """The output itself, as JSON, where it is small: it is in the journal with its handoff. None: it is in a file."""


class UsedDependency(Value):
    """A task whose output was used, with the version used."""

    task_id: str
    """The task used."""
    version: str
    """Digest of the output used, so that a stale input can be told (X4)."""


StoppedBy: TypeAlias = Literal[
    "passed", "rounds", "no_progress", "unverifiable", "failed", "budget", "waiting", "alternating"
]
"""Why no further round is made: it passed; all rounds are made; the check finds nothing new; it cannot tell; the work,
or the check, failed; a budget is used up; a quota, or a budget of a day or a month, has to reset first; it
goes back and forth between versions."""

#: Kinds of errors that say that a stated limit was kept: of items or of a budget, and of rounds.
OVER_LIMIT, NOT_PASSED = "OverLimit", "NotPassed"


#: Kinds of errors that a person is waited for.
_ASKING = (ApprovalPending.__name__, EffectUncertain.__name__)


class ErrorReport(Value):
    """Why a step failed or is blocked."""

    kind: str
    """Class of the error."""
    message: str
    """What happened, in one sentence."""
    can_pass: bool
    """Could the same call succeed later?"""
    next_step: str = ""
    """What to do about it."""
    dependency: str = ""
    """The dependency whose breaker guards the call; empty when none does (F1)."""
    causes: tuple[str, ...] = ()
    """Tasks or phases that it waited for and did not get (F6)."""
    until: datetime | None = None
    """When it can be done, in UTC: a quota that it needs, or that what it waits for needs, resets then (F10)."""
    waits_for: str = ""
    """The quota or budget that resets then; empty where what it waits for says so, and in logs of before (F10)."""
    asked: str = ""
    """What a person must do before what it waits for can be delivered; empty where it waits for nobody (O5)."""

    @property
    def over_limit(self) -> bool:
        """Was it not begun, or not carried on, because of a stated limit?"""
        return self.kind in (OVER_LIMIT, NOT_PASSED)

    @property
    def asks(self) -> str:
        """What a person must do before it can go on; empty when nobody is waited for."""
        return self.asked or (self.next_step if self.kind in _ASKING else "")


class Passed(Value):
    """What reached a step from the steps before it (C6)."""

    bytes_by_value: int = Field(default=0, ge=0)
    """Bytes told without being asked for: summaries, and what is missing."""
    bytes_by_reference: int = Field(default=0, ge=0)
    """Bytes of outputs it may read, none of which it has to."""

    @property
    def tokens_by_value(self) -> int:
        """Estimated tokens told without being asked for."""
        return tokens_in(self.bytes_by_value)

    @property
    def tokens_by_reference(self) -> int:
        """Estimated tokens of outputs it may read."""
        return tokens_in(self.bytes_by_reference)

    def __add__(self, other: "Passed") -> "Passed":
        """Sum what two sources passed."""
        return Passed(
            bytes_by_value=self.bytes_by_value + other.bytes_by_value,
            bytes_by_reference=self.bytes_by_reference + other.bytes_by_reference,
        )


class Handoff(Value):
    """What a step hands on (C1)."""

    task_id: str
    """The task this is the result of; for an integration, the node that integrated."""
    status: Status
    """Completed, failed or blocked: a handoff ends a step."""
    summary: str
    """What was done, in one sentence."""
    output_location: OutputReference | None = None
    """Reference to the full output; None exactly when there is none."""
    dependencies: tuple[UsedDependency, ...] = ()
    """Tasks whose outputs were used."""
    next_steps: tuple[str, ...] = ()
    """Follow-up tasks suggested."""
    producer: str
    """The agent or node that made it."""
    assignment_id: str
    """The assignment it answers."""
    schema_version: str = HANDOFF_SCHEMA_VERSION
    """Version of this envelope (C7)."""
    confidence: float = Field(default=1.0, ge=0, le=1)
    """How sure the producer is, 0 to 1."""
    usage: Usage = Usage()
    """What it cost."""
    concerns: tuple[Concern, ...] = ()
    """What the producer thinks somebody should know."""
    error: ErrorReport | None = None
    """Set exactly when the step failed or is blocked."""
    attempts: int = Field(default=1, ge=0)
    """Calls made for it, the last one included; 0 when it was refused before the first."""
    repairs: tuple[str, ...] = ()
    """What was repaired in the output so that it fits a flexible contract (C5)."""
    fallback: UsedFallback | None = None
    """What stood in for the work itself; None when nothing had to (F2)."""
    received: Passed = Passed()
    """What reached the step by value and by reference (C6)."""
    wrapped_up: bool = Field(default=False, validation_alias=AliasChoices("wrapped_up", "landed"))
    """Was it made in the final call, when a budget was used up (F4)? Called `landed` up to schema 1.2."""
    shortfall: str = ""
    """What of the work is missing in the output, as its producer says; empty when all of it is there (F7)."""

    stopped_by: StoppedBy | None = None
    """Why no further round was made, of work that is repeated until a check passes (X12); None: it is done once."""
    rounds: int = Field(default=1, ge=1)
    """Rounds that were made of it."""
    kept_from: str = ""
    """The run in which it was really done, where nothing that it is made from has changed since; empty: in this one."""
    replicas: UsedReplicas | None = None
    """Whose output it is, of a task with replicas or a standby (F9); None: one agent did it, or it is one of them."""
    verification: Verification | None = None
    """What was stated of success, and what came of checking it (D11, O3); None: nothing was stated."""
    overruled: tuple[Overruled, ...] = ()
    """What it says and does not count, since another output was decided for (X9)."""
    outdated: tuple[str, ...] = ()
    """What is asked otherwise now than when it was made, as was seen at the sync point (D8)."""

    @model_validator(mode="after")
    def _ends_a_step(self) -> Self:
        if self.status not in ENDED:
            raise ValueError(f"a handoff ends a step; {self.status} does not")
        if (self.error is None) != (self.status is Status.COMPLETED):
            raise ValueError("error is set exactly when a step failed or is blocked")
        if (self.output_location is None) == (self.status is Status.COMPLETED):
            raise ValueError("output_location is set exactly when a step completed")
        return self

    def again(self, used: UsedFallback) -> Self:
        """Return it once more, as what stands in for work that was not done: nothing of it is counted or said twice."""
        return self.counting_nothing().model_copy(update={"fallback": used})

    def counting_nothing(self) -> Self:
        """Return it as it is told once more: what it took, and what was said with it, is on record already."""
        return self.model_copy(update={"usage": Usage(), "received": Passed(), "concerns": (), "attempts": 0})

    @property
    def version(self) -> str:
        """Digest of the output: what tells it from any other; empty where there is none."""
        return self.output_location.sha256 if self.output_location else ""

    @property
    def done(self) -> bool:
        """Is there an output to read?"""
        return self.status is Status.COMPLETED

    @property
    def waits(self) -> bool:
        """Can it be done later: when a quota or a budget has reset (F10), or a person has answered (O5)?"""
        return self.waits_for_person or (self.error is not None and self.error.until is not None)

    @property
    def waits_for_person(self) -> bool:
        """Does a person have to do something before it can be done (O5)?"""
        return self.error is not None and bool(self.error.asks)

    @property
    def caveat(self) -> str:
        """What a reader of the output must know: what stands in and why (F2), or that it is cut off (F4)."""
        if not self.done:
            return ""
        if self.fallback is not None:
            reason = truncate(one_line(self.fallback.reason), CAVEAT_CHARACTERS)
            return f"not the work itself: {self.fallback.said} stands in, since: {reason}"
        lacks = WRAPPED_UP if self.wrapped_up else truncate(one_line(self.shortfall), CAVEAT_CHARACTERS)
        said = (
            f"not all of the work: {lacks}" if lacks else "",
            truncate(self.unverified, CAVEAT_CHARACTERS),
            truncate(self._overruled, CAVEAT_CHARACTERS),
            f"made for an older assignment: {', '.join(self.outdated)}" if self.outdated else "",
        )
        return "; ".join(filter(None, said))

    @property
    def _overruled(self) -> str:
        said = "; ".join(f"{one.subject} ({one.decided})" for one in self.overruled)
        return one_line(f"overruled about {said}") if said else ""

    @property
    def unverified(self) -> str:
        """Why nobody knows that the output is what was asked for, where success was stated (D11); else empty."""
        known = self.verification
        if known is None or known.is_known or not self.done:
            return ""
        why = "its check failed" if known.result == "error" else "cannot be verified"
        return one_line(f"{why}: {known.reason}")

    @property
    def stands_in(self) -> bool:
        """Is the output there, but not the work itself (F2), or not all of it (F4, F7)?"""
        replaced = self.fallback is not None and self.fallback.replaces
        return self.done and (self.wrapped_up or bool(self.shortfall) or replaced)

    @property
    def falls_short(self) -> bool:
        """Is the output there, and not the whole work itself, or work that nobody could verify (D11)?"""
        return self.stands_in or bool(self.unverified)


class Missing(Value):
    """Something an integrator does not get, and why (F7)."""

    task_id: str
    """The task whose output is missing."""
    producer: str
    """The agent or node that should have made it."""
    reason: str
    """Why it is missing."""
    instead: str = ""
    """What stands in for it; empty when nothing does (F2)."""
    asks: str = ""
    """What a person must do before it can be delivered; empty when nobody is waited for (F8)."""
    over_limit: bool = False
    """Is it missing because a stated limit was kept: of items, of a budget, of rounds (X12)?"""
    until: datetime | None = None
    """When it can be delivered, in UTC, since a quota resets then; None: it does not wait for one (F10)."""
    next_step: str = ""
    """What helps, where the same comes of it when the run is only resumed; empty where that may help."""
    follows: bool = False
    """Is it missing because something that it needs is, and for no reason of its own (F6)?"""


def tokens_in(size_bytes: int) -> int:
    """Estimate the tokens of so many bytes of text, rounded up."""
    return -(-size_bytes // BYTES_PER_TOKEN)
