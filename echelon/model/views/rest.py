"""What a sample leaves to be done, and what that is expected to take (V6). Values only."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from echelon.model.base import Value
from echelon.model.phrasing import count

#: What a run waits for at its gates.
PERSON = "the answer of a person"

_DEFAULTS = {"deny": "denied", "approve": "approved"}


class Waiting(Value):
    """What a run waits for. In JSON the first key is `for`."""

    for_: str = Field(serialization_alias="for")
    """What must happen, or whose answer it needs."""
    until: str | None = None
    """When it goes on by itself, as a time in UTC; None: when somebody resumes it."""
    default: Literal["", "deny", "approve"] = ""
    """What counts then, where it waits for an answer that nobody has given; empty where something resets then."""
    limits: tuple[str, ...] = Field(default=(), exclude=True)
    """The quotas and budgets in that, the first to reset first (F10)."""

    @property
    def said(self) -> str:
        """Say what is waited for, and until when."""
        if not self.until:
            return self.for_
        return f"{self.for_}{self.ends(f'{datetime.fromisoformat(self.until):%Y-%m-%d %H:%M:%S} UTC')}"

    @property
    def by_person(self) -> bool:
        """Is a person asked?"""
        return self.for_.startswith(PERSON)

    def ends(self, at: str) -> str:
        """Say how the wait ends at a time that is written so, as what follows on what is waited for."""
        return f", without one it is {_DEFAULTS[self.default]} at {at}" if self.default else f" until {at}"


class LeftOut(Value):
    """Tasks of a phase that are not begun in a sample, for one reason."""

    phase: str
    """The phase."""
    tasks: int
    """How many; 0 for a phase whose items are not known."""
    reason: str
    """Why."""

    @property
    def said(self) -> str:
        """Say it in one line."""
        many = f", {count(self.tasks, 'task')}" if self.tasks else ""
        return f"phase {self.phase!r}{many} not begun: {self.reason}"


class Estimate(Value):
    """A sum that is foreseen from a sample."""

    expected: float
    """The mean of the sample, times what is left."""
    low: float | None = None
    """Where it lies 19 times out of 20 if the rest is like the sample; None: one task says nothing about spread."""
    high: float | None = None
    """The other end of that."""


class PhaseRest(Value):
    """What is left to be done of one phase."""

    phase: str
    """The phase."""
    left: int
    """Tasks that have not delivered yet."""
    again: int = 0
    """Tasks that are done once more, since what they use is not whole yet."""
    completed: int
    """Tasks that were completed in the sample: what is foreseen is foreseen from these."""
    failed: int = 0
    """Tasks that failed in it."""
    seconds_each: float | None = None
    """Mean working time of a task that was completed, in seconds; None: it is not known."""
    tokens_each: float | None = None
    """Mean tokens; None: none were reported."""
    cost_each: float | None = None
    """Mean cost; None: no price is known."""
    work_seconds: Estimate | None = None
    """Working time of what is left and done again, in seconds."""
    tokens: Estimate | None = None
    """Tokens of the same."""
    cost: Estimate | None = None
    """Money for the same."""

    @property
    def failed_share(self) -> float | None:
        """Share of the sample that failed; None where nothing of it has ended."""
        ended = self.completed + self.failed
        return self.failed / ended if ended else None


class Rest(Value):
    """What a sample leaves to be done, foreseen from what it measured. None is not known, which is never zero."""

    items: int
    """How many tasks of each wide phase were asked for."""
    left_out: tuple[LeftOut, ...]
    """What is not begun because of that, and why."""
    left: int
    """Tasks that have not delivered yet, as far as they are known."""
    again: int
    """Tasks that are done once more, since what they use is not whole yet."""
    phases: tuple[PhaseRest, ...] = ()
    """The same by phase."""
    seconds: float | None = None
    """Wall time of the rest, by the planner's own schedule with the measured durations, in seconds."""
    work_seconds: Estimate | None = None
    """Working time of the rest, in seconds."""
    tokens: Estimate | None = None
    """Tokens of the rest."""
    cost: Estimate | None = None
    """Money for the rest."""
    notes: tuple[str, ...] = ()
    """What is to be known about these figures."""
