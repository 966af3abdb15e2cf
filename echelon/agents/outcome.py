"""What an agent returns when there is more to say than the output itself."""

from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar, cast

from echelon.contract.iterators import is_iterator, read_out
from echelon.model.concern import Concern
from echelon.model.usage import Usage

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, kw_only=True)
class Outcome(Generic[T_co]):
    """An output with what belongs to it. An agent may also return the bare output."""

    output: T_co
    """What was asked for; validated against the contract."""
    summary: str = ""
    """What was done, in one sentence; the start of the output when empty."""
    confidence: float = 1.0
    """How sure the agent is, 0 to 1."""
    concerns: tuple[Concern, ...] = ()
    """What somebody should know (O1)."""
    next_steps: tuple[str, ...] = ()
    """Follow-up tasks suggested."""
    usage: Usage = field(default_factory=Usage)
    """Tokens and calls; seconds are measured around the call."""
    repairs: tuple[str, ...] = ()
    """What the agent's own machinery repaired, or asked for again, before the output fitted (C5)."""


def outcome_of(returned: object) -> Outcome[object]:
    """Return what an agent returned as an outcome; a bare output becomes one with nothing more to say.

    An iterator is read out, which runs what the agent wrote: call it where the agent itself is run. `ValueError` for
    one that does not end.
    """
    outcome = cast("Outcome[object]", returned) if isinstance(returned, Outcome) else Outcome(output=returned)
    return replace(outcome, output=read_out(outcome.output)) if is_iterator(outcome.output) else outcome
