"""A gate: a step that waits for a person before it begins, what exactly was asked, and what was answered (O5)."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeAlias, cast

from pydantic import BeforeValidator, Field

from echelon.model.adapter import JsonObject
from echelon.model.base import Value
from echelon.model.concern import Escaped
from echelon.model.handoff import UsedDependency
from echelon.model.oversight.terms import Gate
from echelon.model.phrasing import printable

#: How much of a preview is on record, in characters.
MAX_PREVIEW = 40_000


class Question(StrEnum):
    """What a person is asked."""

    BEGIN = "begin"  #: may it begin?
    AGAIN = "again"  #: it was done from older inputs: is it to be done again, with those of today?
    CUT_OFF = "cut_off"  #: it was begun, and its end is not on record: did it happen?

    @property
    def text(self) -> str:
        """Ask it."""
        return _TEXTS[self]

    @property
    def verdicts(self) -> tuple["Verdict", ...]:
        """What may be answered; what does nothing twice comes first."""
        return tuple(_MEANINGS[self])

    def meaning(self, verdict: "Verdict") -> str:
        """Say what a verdict is given for, as one of `verdicts`."""
        return _MEANINGS[self][verdict]


_TEXTS = {
    Question.BEGIN: "may it begin?",
    Question.AGAIN: "do it again with the new ones?",
    Question.CUT_OFF: "was it done (done), or is it to be done again (approve)?",
}

Verdict: TypeAlias = Literal["approve", "done", "deny"]
"""Approve: do it, or do it again. Done: it happened, and this came out of it. Deny: it is not done."""

_MEANINGS: dict[Question, dict[Verdict, str]] = {
    Question.BEGIN: {"approve": "to do it", "deny": "not to do it"},
    Question.AGAIN: {"done": "if it happened already", "approve": "to do it again", "deny": "to keep what was done"},
    Question.CUT_OFF: {"done": "if it happened already", "approve": "to do it again", "deny": "not to do it"},
}

Channel: TypeAlias = Literal["cli", "terminal", "prefect", "token", "python", "option", "expiry"]
"""Where an answer came from: a command, the form of a run in a terminal, Prefect's form, a notification, a program, an
option of `resume`, or the default when nobody answered in time."""


def _bounded(text: object) -> object:
    return printable(text[:MAX_PREVIEW]) if isinstance(text, str) else text


class Action(Value):
    """What would be done, exactly: what is approved is this, and nothing else."""

    agent: str
    """Who would do it."""
    task_id: str
    """The task; for an integration what it is recorded as."""
    phase: str
    """The phase."""
    effect: str
    """What it does to the world outside."""
    arguments: JsonObject
    """What it would be called with: the inputs of the job, and the item where there is one."""
    inputs: tuple[UsedDependency, ...] = ()
    """Outputs that it would use, each with its version."""
    missing: tuple[str, ...] = ()
    """What of its inputs is not there, each with the reason."""
    preview: Annotated[str, BeforeValidator(_bounded)] = ""
    """What it would do, as the agent itself says: a diff, an address, an amount. Hostile text."""
    preview_characters: int = Field(default=0, ge=0)
    """Length of the whole preview; 0 where that was not put on record."""
    preview_digest: str = ""
    """Identity of the whole preview, of which only the beginning may be on record."""
    preview_trouble: Escaped = ""
    """Why there is no preview; empty where there is one, or the agent has none."""
    code: str = ""
    """Fingerprint of the agent: a change of its code is another action."""

    @property
    def shown_arguments(self) -> JsonObject:
        """The arguments as people read them: without the fields of an item that say nothing."""
        item = self.arguments.get("item")
        if not isinstance(item, dict):
            return self.arguments
        fields = cast("JsonObject", item)
        said = {name: value for name, value in fields.items() if value not in (None, "", [], {})}
        return {**self.arguments, "item": said}

    @property
    def preview_cut(self) -> str:
        """Say that the preview is not all there, which who approves must know; empty where it is."""
        if self.preview_characters <= MAX_PREVIEW:
            return ""
        return f"(the preview is cut: {MAX_PREVIEW:,} of {self.preview_characters:,} characters are on record)"


class Readiness(Value):
    """What one participant said before an irreversible step (O5)."""

    agent: str
    """Who was asked."""
    answer: Literal["ready", "not_ready", "not_asked", "no_answer"]
    """Not asked: it has no way to be. No answer: it was asked, and failed to say."""
    reason: Escaped = ""
    """Why it is not ready, or why there is no answer."""


class GateAnswer(Value):
    """An answer to a gate. All are kept; the first that counts decides."""

    verdict: Verdict
    """What was decided."""
    author: str = Field(min_length=1)
    """Who answered."""
    reason: str = ""
    """Why."""
    at: datetime
    """When, in UTC."""
    channel: Channel = "cli"
    """Where it came from."""
    digest: str
    """Digest of the action that was answered: an approval is for nothing else."""
    nonce: str
    """Of the gate: an approval is good for one of them, once."""
    partial: bool = False
    """Does it say that the step may begin without what is missing of its inputs?"""
    output: Any = None
    """What came out of it, where it was done already; JSON."""
    refused: str = ""
    """Why it does not count; empty when it does, unless another one came first."""


class GateRecord(Value):
    """A gate on record."""

    id: str
    """Unique within the journal."""
    run_id: str
    """The run."""
    key: str
    """Identity of the step that waits (F8)."""
    node: str
    """The agent or coordinator in the tree."""
    question: Question = Question.BEGIN
    """What is asked."""
    note: str = ""
    """What is said beside the question: when it was begun or done before."""
    action: Action
    """What would be done."""
    digest: str
    """Of the action, canonical."""
    nonce: str
    """Different for each gate: what was approved once cannot be used again."""
    terms: Gate = Gate()
    """Who may answer, until when, and what counts then."""
    takes: dict[str, str] = Field(default_factory=dict[str, str])
    """What `done` takes as the output: field → what it holds (C8); empty where `done` is no answer, or it is not known,
    and in gates of before."""
    readiness: tuple[Readiness, ...] = ()
    """What participants said."""
    concerns: tuple[str, ...] = ()
    """Open concerns about it or its inputs when it was raised, by id."""
    at: datetime
    """When it was raised, in UTC."""
    expires: datetime | None = None
    """When the default counts, and an approval ends, in UTC; None: never. Anybody may extend it."""
    answers: tuple[GateAnswer, ...] = ()
    """All that were given, in the order of the log."""
    closed: str = ""
    """Why it is not asked any more, although nobody decided; empty while it is."""
    closed_at: datetime | None = None
    """When that was, in UTC; None while it is asked."""
    used: bool = False
    """Was the approval used up, since what it allowed was begun?"""

    @property
    def decision(self) -> GateAnswer | None:
        """The answer that counts: the first that was not refused; None while there is none."""
        return next((one for one in self.answers if not one.refused), None)

    @property
    def is_open(self) -> bool:
        """Does it wait for an answer?"""
        return not self.closed and self.decision is None
