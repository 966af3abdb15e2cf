"""What a process asks of the standing budgets of a job, what it is told, and how that is decided (F10). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from echelon.model.standing.sums import NO_SUMS, Sums, bounds_of
from echelon.model.standing.window import CalendarWindow
from echelon.model.usage import Budget

#: Sums of money have an error of rounding that is smaller than this.
_DUST = 1e-9


class ClaimAsk(NamedTuple):
    """A call wants so much, and can do with less."""

    wanted: Sums
    """What it will use at most."""
    least: Sums
    """With less it is not made."""


class ClaimAnswer(NamedTuple):
    """What came of an ask; neither of both: not before others give back."""

    granted: Sums | None = None
    """What was reserved."""
    refused_by: int | None = None
    """The budget that has too little, whatever others give back."""


@dataclass(frozen=True, kw_only=True)
class WindowBooks:
    """What all runs of a job did to one standing budget in its window."""

    spent: Sums = NO_SUMS
    """What the log says that was used, and what calls under way have used already."""
    reserved: Sums = NO_SUMS
    """What calls under way may still use, in all processes."""
    runs: int = 0
    """Runs that used something."""
    unpriced_tokens: int = 0
    """Tokens without a known price, which no bound on cost sees."""


@dataclass(frozen=True, kw_only=True)
class ClaimTold:
    """What a process is told."""

    books: tuple[WindowBooks, ...] = ()
    """By budget, with what was reserved just now."""
    answers: tuple[ClaimAnswer, ...] = ()
    """By ask."""
    is_whole: bool = True
    """Are all runs of the job in the books? Else nothing was reserved: they are to be adopted first."""


@dataclass(frozen=True, kw_only=True)
class StandingBudget:
    """A standing budget at one moment: its bounds, and the window they are for."""

    budget: Budget
    """The bounds."""
    window: CalendarWindow
    """The day or month."""

    @property
    def bounds(self) -> Mapping[str, float]:
        """What is bounded."""
        return bounds_of(self.budget)


def decide(budgets: Sequence[StandingBudget], books: Sequence[WindowBooks], asks: Sequence[ClaimAsk]) -> ClaimTold:
    """ClaimAnswer asks in their turn: as with the budget of a run, but for processes that only the journal connects.

    All of it where that is left; else whatever is left, once no call under way holds anything. Nobody overtakes in one
    process: behind an ask that waits all wait.
    """
    reserved, answers, is_waiting = NO_SUMS, list[ClaimAnswer](), False
    for ask in asks:
        waits = is_waiting and ask.wanted != NO_SUMS  # who asks for nothing wants to be told only
        answer = ClaimAnswer() if waits else _decide(budgets, books, ask, reserved)
        answers.append(answer)
        is_waiting = is_waiting or answer == ClaimAnswer()
        reserved = reserved.plus(answer.granted or NO_SUMS)
    then = tuple(
        WindowBooks(
            spent=one.spent,
            reserved=one.reserved.plus(reserved),
            runs=one.runs,
            unpriced_tokens=one.unpriced_tokens,
        )
        for one in books
    )
    return ClaimTold(books=then, answers=tuple(answers))


def _decide(
    budgets: Sequence[StandingBudget], books: Sequence[WindowBooks], ask: ClaimAsk, reserved: Sums
) -> ClaimAnswer:
    granted, waits = ask.wanted._asdict(), False
    for number, (standing, found) in enumerate(zip(budgets, books, strict=True)):
        held = found.reserved.plus(reserved)._asdict()
        for what, bound in standing.bounds.items():
            left = bound - getattr(found.spent, what)
            if not getattr(ask.wanted, what):  # what needs nothing of a thing is not refused when that is used up
                continue
            if left <= _DUST or getattr(ask.least, what) > left + _DUST:
                return ClaimAnswer(refused_by=number)
            if granted[what] <= left - held[what] + _DUST:
                continue
            if held[what] > _DUST:
                waits = True
            else:
                granted[what] = type(granted[what])(left)
    return ClaimAnswer() if waits else ClaimAnswer(granted=Sums(**granted))
