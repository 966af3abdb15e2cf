"""`Need`: how much a phase needs another one, and what stands in when that one does not deliver (D3, F2, C4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from echelon.agents.fallback import Fallback, Fallbacks, fallbacks_of
from echelon.model.errors import InvalidJob
from echelon.model.fallback import FallbackKind
from echelon.model.graph import Coupling


@dataclass(frozen=True, init=False)
class Need:
    """A phase whose handoffs are needed.

    tight    its consumers start only when every task of it delivered
    medium   a fallback stands in for what it did not deliver
    loose    they start with whatever there is, be it nothing
    none     they only come later, and receive nothing

    Unstated, a need with a fallback is medium; one without is loose, with one exception: consumers do not start when
    the phase had work and delivered nothing at all, since what an agent makes of nothing is made up.
    """

    phase: str
    """The phase that is needed."""
    coupling: Coupling | None
    """How much it is needed; None: not stated."""
    reason: str
    """Why it is tight."""
    fallbacks: tuple[Fallback, ...]
    """What stands in for what it does not deliver, in the order in which it is tried."""
    timeout: float | None
    """How long its consumers wait for it, in seconds from its start; what has not ended by then is missing (C4)."""

    def __init__(
        self,
        phase: str,
        coupling: Coupling | str | None = None,
        *,
        reason: str = "",
        fallback: Fallbacks | None = None,
        timeout: float | None = None,
    ) -> None:
        given = fallbacks_of(fallback)
        stated = _coupling(phase, coupling) or (Coupling.MEDIUM if given else None)
        values = {"phase": phase, "coupling": stated, "reason": reason, "fallbacks": given, "timeout": timeout}
        for name, value in values.items():
            object.__setattr__(self, name, value)  # frozen for everybody else
        self._check()

    def _check(self) -> None:
        if self.timeout is not None and self.timeout <= 0:
            raise InvalidJob(f"need {self.phase!r}: timeout is {self.timeout:g} s; state more than 0, or leave it out")
        if self.coupling is Coupling.MEDIUM and not self.fallbacks:
            raise InvalidJob(
                f"need {self.phase!r} is medium and has no fallback; state one (Fallback.last_good(), .default(value) "
                "or .skip(note)), or make it loose"
            )
        if any(fallback.kind is FallbackKind.AGENT for fallback in self.fallbacks):
            raise InvalidJob(
                f"need {self.phase!r}: another agent as a fallback belongs to the task itself; give it to phase "
                f"{self.phase!r} itself"
            )


def _coupling(phase: str, given: Coupling | str | None) -> Coupling | None:
    if given is not None and given not in list(Coupling):
        raise InvalidJob(f"need {phase!r}: {given!r} is not a coupling (those are: {', '.join(Coupling)})")
    return None if given is None else Coupling(given)


#: A phase, several of them, or each with its coupling.
Needs = str | Need | Sequence[str | Need] | Mapping[str, Any]


def needs_of(given: Needs) -> tuple[Need, ...]:
    """Return what was given as needs, in its order; `InvalidJob` for what is neither a name nor a need."""
    if isinstance(given, Mapping):
        return tuple(Need(phase, coupling) for phase, coupling in given.items())
    several = (given,) if isinstance(given, str | Need) else tuple(given)
    return tuple(one if isinstance(one, Need) else Need(one) for one in several)
