"""What a plan says of a phase: is it wanted, how often and by how many is it done, and what must come of it (X12)."""

from pydantic import Field

from echelon.model.base import Value
from echelon.model.phrasing import count, one_line
from echelon.model.redundancy.replicas import said_of_redundancy


class PhaseConditions(Value):
    """Whether a phase is done, how often, and by how many."""

    when: str = ""
    """What says whether the phase is wanted; empty: it always is (X12)."""
    until: str = ""
    """The check that its work, or that of its loop, is repeated for; empty: it is done once (X12)."""
    rounds: int = Field(default=1, ge=1)
    """Rounds at most."""
    loop: tuple[str, ...] = ()
    """The phases that are repeated together; none where the phase is repeated by itself, or done once."""
    replicas: int = Field(default=1, ge=1)
    """How many do each task at the same time (F9)."""
    agree: int = Field(default=1, ge=1)
    """How many of them must deliver the same; with 1 the first handoff wins."""
    standby: str = ""
    """The agent that takes over when another one is late or fails; empty: there is none."""

    success: tuple[str, ...] = ()
    """What must be true of each result, as it was stated: texts, evidence, and checks by their names (D11)."""
    verify: tuple[str, ...] = ()
    """Who verifies each result, in a step of its own (O3)."""
    attempts: int = Field(default=1, ge=1)
    """How often work that somebody verifies may be done, each time with the verification behind it."""

    settle: str = ""
    """What decides which of two outputs counts that contradict each other; empty: theirs have no keys (X9)."""
    flat: bool = False
    """Is its sync point a flat moment (O6)?"""

    @property
    def said(self) -> str:
        """Say it in one line; empty for a phase that is always done, and once."""
        wanted = f"only when {self.when} says so" if self.when else ""
        together = f" with {', '.join(self.loop)}" if self.loop else ""
        bound = f"at most {count(self.rounds, 'round')}"
        repeated = f"repeated{together} until {self.until} says that it passes, {bound}" if self.until else ""
        accepted = f"success: {', '.join(map(one_line, self.success))}" if self.success else ""
        again = f", at most {count(self.attempts, 'round')}" if self.verify else ""
        verified = f"verified by {', '.join(self.verify)}{again}" if self.verify else ""
        redundant = said_of_redundancy(self.replicas, self.agree, self.standby)
        settled = f"conflicts settled by {self.settle}" if self.settle else ""
        flat = "a flat moment behind it" if self.flat else ""
        return "; ".join(part for part in (wanted, repeated, redundant, accepted, verified, settled, flat) if part)
