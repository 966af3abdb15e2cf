"""A concern and its way: who raised it, how sure, how bad, and how it was disposed of (O1).

Concerns are never deleted; a disposition with an author and a reason is the only end, and it is kept.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from echelon.model.base import Value
from echelon.model.phrasing import one_line, printable, truncate

#: From here on a confidence, or an impact, counts as high (O1). Between two words there is no third.
HIGH = 0.6


#: How much of what a concern is about, and of what it says, stands in a line, in characters.
ABOUT_CHARACTERS, LINE_CHARACTERS = 120, 400


class Route(StrEnum):
    """Where a concern goes."""

    IMMEDIATE = "immediate"  #: high confidence, high impact: act now
    NORMAL = "normal"  #: high confidence, low impact: handled with the work
    HUMAN_REVIEW = "human_review"  #: low confidence, high impact: a person looks, always
    PATTERN_LOG = "pattern_log"  #: low confidence, low impact: kept to find patterns

    @property
    def words(self) -> str:
        """Say it."""
        return self.value.replace("_", " ")


#: Every list begins with what cannot wait.
URGENCY = (Route.IMMEDIATE, Route.HUMAN_REVIEW, Route.NORMAL, Route.PATTERN_LOG)

#: Routes that a person looks at, always, and that nothing irreversible begins beside (X13).
CRITICAL = frozenset({Route.IMMEDIATE, Route.HUMAN_REVIEW})

#: (confidence is high, impact is high) → route.
ROUTES: dict[tuple[bool, bool], Route] = {
    (True, True): Route.IMMEDIATE,
    (True, False): Route.NORMAL,
    (False, True): Route.HUMAN_REVIEW,
    (False, False): Route.PATTERN_LOG,
}


def _escaped(text: object) -> object:
    return printable(text) if isinstance(text, str) else text


#: Words for a confidence or an impact, where no number is at hand.
WEIGHTS = {"low": 0.2, "medium": 0.5, "high": 0.9}


def _weighed(given: object) -> object:
    return WEIGHTS.get(given.strip().lower(), given) if isinstance(given, str) else given


#: A number from 0 to 1, which may be given as a word.
Weight = Annotated[float, BeforeValidator(_weighed, json_schema_input_type=float | Literal["low", "medium", "high"])]

#: A text in which half and control characters are written out: refused, they would take the concern with them (O1).
Escaped = Annotated[str, BeforeValidator(_escaped)]


class Concern(Value):
    """Something that an agent thinks somebody should know."""

    about: Escaped = Field(min_length=1)
    """What it is about: a file, a task, an output, a decision."""
    message: Escaped = Field(min_length=1)
    """What the matter is, in one sentence."""
    confidence: Weight = Field(ge=0, le=1)
    """How sure the source is, 0 to 1; `low`, `medium` and `high` will do."""
    impact: Weight = Field(ge=0, le=1)
    """How bad it is if true, 0 to 1; `low`, `medium` and `high` will do."""
    evidence: tuple[Escaped, ...] = ()
    """What it rests on: messages, references, measurements."""

    @property
    def line(self) -> str:
        """What it says in one line, cut to a length: whoever wrote it can neither forge a line nor fill a page."""
        return (
            f"{truncate(one_line(self.about), ABOUT_CHARACTERS)}: {truncate(one_line(self.message), LINE_CHARACTERS)}"
        )

    @property
    def route(self) -> Route:
        """Where the concern goes, by confidence and impact (O1)."""
        return ROUTES[self.confidence >= HIGH, self.impact >= HIGH]


class Disposition(Value):
    """The end of a concern: who decided what, why, and what was looked at for it (O10)."""

    verdict: Literal["resolved", "accepted", "dismissed"]
    """Resolved: the cause is gone. Accepted: true, and lived with. Dismissed: not true."""
    author: str = Field(min_length=1)
    """Who decided."""
    reason: str = Field(min_length=1)
    """Why."""
    looked_at: tuple[Escaped, ...] = ()
    """What was looked at to decide it: files, outputs, measurements. A dismissal needs some."""
    counts: str = ""
    """Of a concern about a conflict: the task whose side counts; empty where that is not decided (X9)."""
    at: datetime
    """When, in UTC."""


class Reopening(Value):
    """The end of a concern that was taken back, since it proved wrong (O7)."""

    disposition: Disposition
    """What had ended it."""
    by: str = Field(min_length=1)
    """Who took it back."""
    reason: Escaped = Field(min_length=1)
    """Why."""
    evidence: tuple[Escaped, ...] = ()
    """What it rests on."""
    at: datetime
    """When, in UTC."""


#: The end of the line beside the hierarchy, which every concern reaches (O11).
PERSON = "person"


def _route_stated(known: dict[str, Any]) -> Route:
    """Return where a concern goes that was put on record before its route was."""
    concern: Concern = known["concern"]
    return concern.route


class ConcernRecord(Value):
    """A concern on record: what was raised, by whom and when, whom it reaches, and what became of it."""

    id: str
    """Unique within the journal."""
    run_id: str
    """The run it was raised in."""
    source: str
    """Node or agent that raised it."""
    step: str = ""
    """Key of the step that raised it; empty for a person's."""
    task_id: str = ""
    """Task of that step, or what it is recorded as; empty where no step raised it, or the record is older than that."""
    concern: Concern
    """What was raised."""
    at: datetime
    """When it was raised, in UTC."""
    route: Route = Field(default_factory=_route_stated)
    """Where it goes, as was decided when it was raised; by its two weights alone where it is older than that."""
    route_reasons: tuple[str, ...] = ()
    """Why it goes further up than its two weights say; empty where it does not."""
    lead: str = ""
    """The nearest coordinator of its source, whom it reaches in the transaction that puts it on record (O2)."""
    line: str = PERSON
    """Where else it reaches in the same transaction: beside the hierarchy, at a person (O11)."""
    about_nodes: tuple[str, ...] = ()
    """Nodes of the plan that it is about: none of them may end it (O10)."""
    dismissed_before: int = Field(default=0, ge=0)
    """How often the same had been dismissed in this job when it was raised (O7)."""
    disposition: Disposition | None = None
    """What ended it; None while it is open."""
    reopened: tuple[Reopening, ...] = ()
    """Each time its end was taken back, in that order."""

    @property
    def is_open(self) -> bool:
        """Does it wait for somebody?"""
        return self.disposition is None

    @property
    def said(self) -> str:
        """What was raised, how urgent it is, and by whom."""
        return f"{self.route.words}, raised by {self.source}: {self.concern.about}: {self.concern.message}"

    @property
    def open_since(self) -> datetime:
        """Since when it waits, or waited: since it was raised, or reopened last."""
        return self.reopened[-1].at if self.reopened else self.at

    def disposed(self, disposition: Disposition) -> "ConcernRecord":
        """Return it ended."""
        return self.model_copy(update={"disposition": disposition})

    def reopen(self, by: str, reason: str, evidence: tuple[str, ...], at: datetime) -> "ConcernRecord":
        """Return it open again, with what had ended it kept; it stays as it is while it is open."""
        if self.disposition is None:
            return self
        taken_back = Reopening(disposition=self.disposition, by=by, reason=reason, evidence=evidence, at=at)
        return self.model_copy(update={"disposition": None, "reopened": (*self.reopened, taken_back)})
