"""What came of asking somebody who verifies about results that were made wrong on purpose. Values only (O3)."""

from pydantic import Field

from echelon.model.base import Value
from echelon.model.phrasing import count


class VerifierProbe(Value):
    """A verifier that had accepted everything, and was asked about results that nobody should accept."""

    verifier: str
    """Its name."""
    phase: str
    """The phase whose results it had accepted."""
    task_id: str
    """The task whose result was made wrong."""
    accepted: tuple[str, ...] = ()
    """In which ways a result was wrong that it accepted all the same."""
    noticed: str = ""
    """The way it noticed, or in which it could not tell; empty where it accepted all of them."""
    verdicts: int = Field(ge=0)
    """Results that it had accepted by then."""

    @property
    def is_exposed(self) -> bool:
        """Does it accept whatever it is given?"""
        return bool(self.accepted) and not self.noticed

    @property
    def said(self) -> str:
        """Say what that means for its verdicts."""
        return (
            f"{self.verifier} accepts whatever it is given, including {count(len(self.accepted), 'result')} made "
            "wrong on purpose"
        )
