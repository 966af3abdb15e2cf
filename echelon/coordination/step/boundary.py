"""The boundary that every output crosses: strict or flexible, and at most one more question to the agent (C3, C5)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError

from echelon.agents.outcome import Outcome
from echelon.contract.complaint import complaint
from echelon.contract.json import recorded
from echelon.contract.repair import validate_lenient, validate_strict
from echelon.coordination.step.envelope import MAX_MESSAGE, one_line, shortened
from echelon.coordination.step.summary import summary_of
from echelon.model.errors import ContractViolation, EchelonError
from echelon.model.usage import Usage
from echelon.model.verification.verification import Verification

#: How much of a repair is recorded, in characters.
MAX_REPAIR = 300

Perform = Callable[[], Awaitable[Outcome[object]]]
AskAgain = Callable[[str], Awaitable[Outcome[object]]]


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """An outcome whose output fits its contract, in the form it is recorded in."""

    outcome: Outcome[object]
    """With the output as its contract has it, and a summary."""
    plain: object
    """The output in JSON types."""
    repairs: tuple[str, ...] = ()
    """What was mended (C5)."""
    verification: Verification | None = None
    """What checks of it said; None: none was made (D11)."""

    @property
    def usage(self) -> Usage:
        """What it cost; read by the guard."""
        return self.outcome.usage


@dataclass(frozen=True, kw_only=True)
class Boundary:
    """What an output must be to be handed on."""

    contract: TypeAdapter[object]
    """What it must fit."""
    producer: str
    """Who is told when it does not."""
    flexible: bool = False
    """Is it mended where that takes no guess?"""

    def take(self, outcome: Outcome[object]) -> Accepted:
        """Accept an outcome; `ContractViolation` says where it does not fit, what was delivered, and by whom."""
        try:
            fitted = (validate_lenient if self.flexible else validate_strict)(outcome.output, self.contract)
            plain, lost = recorded(fitted.value, self.contract)
            if lost and not self.flexible:
                raise ValueError(str(lost[0]))
        except ValidationError as error:
            raise self._violation(complaint(error, self.producer), outcome) from error
        except (ValueError, TypeError, RecursionError) as error:
            told = f"what {self.producer} delivered cannot be recorded: {error}"
            raise self._violation(shortened(told, MAX_MESSAGE), outcome) from error
        summary = one_line(outcome.summary) or summary_of(plain)
        repairs = tuple(one_line(repair, MAX_REPAIR) for repair in (*outcome.repairs, *fitted.repairs, *map(str, lost)))
        return Accepted(outcome=replace(outcome, output=fitted.value, summary=summary), plain=plain, repairs=repairs)

    def salvage(self, violation: ContractViolation) -> Outcome[object]:
        """Return what an agent delivered that itself refused what its tool said; perhaps it can be mended (C5).

        The violation itself where there is nothing, or nothing may be mended.
        """
        if not (self.flexible and violation.delivered):
            raise violation
        return Outcome(output=violation.delivered[0], usage=violation.usage or Usage())

    def _violation(self, message: str, outcome: Outcome[object]) -> ContractViolation:
        violation = ContractViolation(message)
        violation.usage = outcome.usage  # what is refused has been paid for too
        return violation


async def accept(boundary: Boundary, perform: Perform, ask_again: AskAgain | None = None) -> Accepted:
    """Let an agent work until its output fits; `ContractViolation` when it does not.

    A flexible boundary mends what it can, and asks an agent that can be asked (`ask_again`, given the complaint) once
    more; what both answers cost is told with the second.
    """
    try:
        try:
            outcome = await perform()
        except ContractViolation as violation:
            outcome = boundary.salvage(violation)
        return boundary.take(outcome)
    except ContractViolation as violation:
        if ask_again is None or not boundary.flexible:
            raise
        return await _second(boundary, violation, ask_again)


async def _second(boundary: Boundary, violation: ContractViolation, ask_again: AskAgain) -> Accepted:
    spent = violation.usage or Usage()
    try:
        outcome = await ask_again(str(violation))
    except EchelonError as error:
        error.usage = spent + (error.usage or Usage())
        raise
    taken = boundary.take(replace(outcome, usage=spent + outcome.usage))
    return replace(taken, repairs=(one_line(f"asked once more: {violation}", MAX_REPAIR), *taken.repairs))
