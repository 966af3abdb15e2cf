"""The terms of a gate, as a job states them: who is asked, why, and what counts when nobody answers (O5)."""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, StringConstraints, model_validator

from echelon.model.base import Value

#: How long an answer may be waited for, in seconds: ten years.
MAX_SECONDS = 315_360_000

#: What somebody is called; blanks around it say nothing.
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Gate(Value):
    """A gate before a step: it waits until a person has said that it may begin.

    What cannot be undone has one without being stated; here its terms are.
    """

    reason: str = ""
    """Why somebody has to be asked; shown to whoever is."""
    approvers: tuple[Name, ...] = ()
    """Who may answer; empty: anybody who can write to the journal."""
    expires_seconds: float | None = Field(default=None, gt=0, le=MAX_SECONDS, allow_inf_nan=False)
    """How long an answer is waited for, and how long an approval is good; None: for any time."""
    on_expiry: Literal["deny", "approve"] = "deny"
    """What counts when nobody has answered by then."""
    staged: bool = False
    """Is it there so that what would be done is recorded and shown first, and done by `echelon apply`?"""
    asks_ready: bool = True
    """Are those who did the work before asked whether they are ready for it?"""

    @model_validator(mode="after")
    def _ends_where_it_has_a_default(self) -> Self:
        if self.on_expiry == "approve" and self.expires_seconds is None:
            raise ValueError("on_expiry='approve' says what counts when its time is over: give expires_seconds, too")
        return self


GateLike: TypeAlias = Gate | str | bool
"""A gate as a job may state it: its terms, the reason alone, or True for one with the usual terms."""


def gate_of(stated: object) -> object:
    """Return the terms of a gate that was stated in short; what is stated in full stays as it is, None is no gate.

    >>> gate_of("it is sent to customers") == Gate(reason="it is sent to customers")
    True
    """
    if isinstance(stated, str):
        return Gate(reason=stated)
    return Gate() if stated is True else stated or None
