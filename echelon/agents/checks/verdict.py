"""What a check says of work: accepted, rejected with what is missing, or that it cannot be told (D11)."""

from typing import Literal, Self

from pydantic import Field

from echelon.model.base import Value


class Verdict(Value):
    """What a check says. A check may also return True, False, or a text: what is missing, empty for nothing."""

    result: Literal["accepted", "rejected", "unverifiable"]
    """Does the work do what was asked? `unverifiable`: nobody can tell."""
    gap: str = ""
    """What is missing, or why it cannot be told; whoever does the work again is given it."""
    items: dict[str, str] = Field(default_factory=dict[str, str])
    """What is missing of single items, by their key, from a check of a whole phase: only these are done again."""

    @classmethod
    def accepted(cls) -> Self:
        """Say that the work does what was asked."""
        return cls(result="accepted")

    @classmethod
    def rejected(cls, gap: str, items: dict[str, str] | None = None) -> Self:
        """Say what is missing, of the whole or of single items by their key."""
        return cls(result="rejected", gap=gap, items=items or {})

    @classmethod
    def unverifiable(cls, reason: str) -> Self:
        """Say that it cannot be told, and why."""
        return cls(result="unverifiable", gap=reason)

    @property
    def passed(self) -> bool:
        """Does the work do what was asked?"""
        return self.result == "accepted"


def verdict_of(output: object) -> Verdict:
    """Return what a check means by what it returned; `TypeError` for what is none of the kinds.

    >>> verdict_of("2 tests fail").gap, verdict_of("").passed, verdict_of(True).passed
    ('2 tests fail', True, True)
    """
    if isinstance(output, Verdict):
        return output
    if isinstance(output, bool):
        return Verdict.accepted() if output else Verdict.rejected("it does not pass")
    if isinstance(output, str):
        return Verdict.rejected(output) if output.strip() else Verdict.accepted()
    raise TypeError(f"a check returns True, False, a text or a Verdict, and not a {type(output).__name__}")
