"""What a plan says of a phase that may be skipped, or is repeated until a check passes (X12)."""

from pydantic import Field

from echelon.model.base import Value
from echelon.model.phrasing import count


class PhaseConditions(Value):
    """Whether a phase is done, and how often."""

    when: str = ""
    """What says whether the phase is wanted; empty: it always is (X12)."""
    until: str = ""
    """The check that its work, or that of its loop, is repeated for; empty: it is done once (X12)."""
    rounds: int = Field(default=1, ge=1)
    """Rounds at most."""
    loop: tuple[str, ...] = ()
    """The phases that are repeated together; none where the phase is repeated by itself, or done once."""

    @property
    def said(self) -> str:
        """Say it in one line; empty for a phase that is always done, and once."""
        wanted = f"only when {self.when} says so" if self.when else ""
        together = f" with {', '.join(self.loop)}" if self.loop else ""
        bound = f"at most {count(self.rounds, 'round')}"
        repeated = f"repeated{together} until {self.until} says that it passes, {bound}" if self.until else ""
        return "; ".join(part for part in (wanted, repeated) if part)
