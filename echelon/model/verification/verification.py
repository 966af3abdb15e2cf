"""The verdict on a result, as its handoff carries it (D11). Its status keeps the five words of C2."""

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from echelon.model.base import Value
from echelon.model.phrasing import listed
from echelon.model.verification.trace import Trace

CheckResult: TypeAlias = Literal["accepted", "rejected", "unverifiable", "error"]
"""What a check says: it passes; it does not; it cannot be told; the check itself failed."""

#: Texts that a reason spells out at most.
TEXTS_NAMED = 3

#: The worst comes first: it is what all checks together say.
_ORDER: tuple[CheckResult, ...] = ("rejected", "error", "unverifiable", "accepted")


class CheckReport(Value):
    """What one check said of a result."""

    name: str
    """The check."""
    result: CheckResult
    """What it says."""
    gap: str = ""
    """What is missing, why it cannot be told, or how the check failed."""
    independent: bool | None = None
    """Is it the judgement of another model or method than the producer's (O3)? None: it is code, and judges nothing."""


class Verification(Value):
    """What was stated of success, and what came of checking it."""

    result: CheckResult
    """What all checks together say. `unverifiable` and `error`: nobody knows that the result is good."""
    reason: str = ""
    """Why it is not simply accepted, in a sentence; empty when there is nothing to say."""
    checks: tuple[CheckReport, ...] = ()
    """What each check said, in the order they were made."""
    unchecked: tuple[str, ...] = ()
    """What is stated in words, and was checked by nobody."""
    trace: Trace | None = None
    """What the work left behind, where a check asks for it: a check can be made again without the work (F8)."""
    code: str = ""
    """Fingerprint of the checks; changes with their code."""

    @property
    def is_known(self) -> bool:
        """Is it known whether the result is good?"""
        return self.result in ("accepted", "rejected")

    @property
    def said(self) -> str:
        """Say it in one line: what each check said, then why."""
        by_check = ", ".join(f"{one.name} {one.result}" for one in self.checks)
        by_nobody = f"not checked: {listed(self.unchecked, TEXTS_NAMED, repr)}" if self.unchecked else ""
        found = ": ".join(filter(None, (self.result, by_check)))
        return "; ".join(filter(None, (found, by_nobody, self.reason)))


def concluded(
    checks: Sequence[CheckReport],
    unchecked: Sequence[str] = (),
    *,
    vacuous: str = "",
    trace: Trace | None = None,
    code: str = "",
    by_another: bool = False,
) -> Verification:
    """Return what checks say together; `vacuous` says why they verify nothing, although they accept.

    With `by_another` it takes another model or method than the author's: agreement of the same one confirms nothing,
    and the result stays unverifiable (O3).

    Texts that nobody checks stand beside the checks as not checked; where nothing else is stated, nobody can tell.
    """
    result, reason = _worst(checks)
    if result == "accepted" and vacuous:
        result, reason = "unverifiable", vacuous
    elif result == "accepted" and by_another and checks and all(one.independent is False for one in checks):
        result = "unverifiable"
    elif not checks and unchecked:
        result, reason = "unverifiable", _not_checked(unchecked)
    return Verification(
        result=result,
        reason=reason,
        checks=tuple(checks),
        unchecked=tuple(unchecked),
        trace=trace,
        code=code,
    )


def joined(
    first: Verification | None, more: Iterable[CheckReport], *, vacuous: str = "", by_another: bool = False
) -> Verification:
    """Return a verification with what those say who verify the result; they know what is stated in words."""
    known = first or Verification(result="accepted")
    whole = concluded((*known.checks, *more), vacuous=vacuous, by_another=by_another)
    return whole.model_copy(update={"trace": known.trace, "code": known.code})


def _worst(checks: Sequence[CheckReport]) -> tuple[CheckResult, str]:
    for result in _ORDER[:-1]:
        for one in checks:
            if one.result == result:
                return result, f"{one.name}: {one.gap}" if one.gap else one.name
    alike = [one.name for one in checks if one.independent is False]
    judged = [one for one in checks if one.independent is not False]
    if alike:
        also = "" if judged else ", and nothing else confirms it"
        return "accepted", f"{listed(alike, TEXTS_NAMED)} is not independent: the same model as the author{also}"
    return "accepted", ""


def _not_checked(texts: Sequence[str]) -> str:
    said = listed(texts, TEXTS_NAMED, repr)
    return (
        f"success is stated in words only ({said}), and nobody checks words; state a check, or let an agent verify it "
        "(verify=)"
    )
