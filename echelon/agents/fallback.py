"""`Fallback`: what stands in when an agent, or a phase that is needed, does not deliver (F2). Data, tried in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self, cast

from echelon.agents.agent import Agent, AgentLike
from echelon.agents.handoffs import checked_max_age
from echelon.model.fallback import FallbackKind

#: Always have something to give, so that nothing behind them is ever tried.
_LAST = frozenset({FallbackKind.DEFAULT, FallbackKind.SKIP})


@dataclass(frozen=True, kw_only=True)
class Fallback:
    """What stands in for work that was not delivered.

    Fallback.agent(other)          another agent, or another model, does the task
    Fallback.last_good()           the output of an earlier run on the same inputs, of any age or up to `max_age`
    Fallback.default(value)        a value that fits the contract
    Fallback.skip("why it is ok")  nothing: it stays missing, with the note
    """

    kind: FallbackKind
    other: AgentLike | None = None
    """The other agent."""
    value: object = None
    """The value stated beforehand."""
    note: str = ""
    """Why it can be skipped."""
    max_age: timedelta | None = None
    """How old the last good output may be; None: of any age (C9)."""

    @property
    def stand_in(self) -> Agent:
        """The other agent, which was made one when the job was defined."""
        return cast("Agent", self.other)

    @classmethod
    def agent(cls, other: AgentLike) -> Self:
        """Let another agent do the task; it must keep the same contract."""
        return cls(kind=FallbackKind.AGENT, other=other)

    @classmethod
    def last_good(cls, *, max_age: timedelta | None = None) -> Self:
        """Take the last output that an earlier run on the same inputs made for the task; there may be none.

        One that was made longer than `max_age` ago is not there (C9); `InvalidJob` when nothing could be so young.
        """
        return cls(kind=FallbackKind.LAST_GOOD, max_age=checked_max_age("last_good", max_age))

    @classmethod
    def default(cls, value: object) -> Self:
        """Take a value that fits the contract."""
        return cls(kind=FallbackKind.DEFAULT, value=value)

    @classmethod
    def skip(cls, note: str) -> Self:
        """Go on without; the note says why that can be lived with."""
        return cls(kind=FallbackKind.SKIP, note=note)


#: One fallback, another agent, or several of them in the order in which they are tried.
Fallbacks = Fallback | AgentLike | Sequence[Fallback | AgentLike]


def fallbacks_of(given: Fallbacks | None) -> tuple[Fallback, ...]:
    """Return what was given as fallbacks in the order in which they are tried; another agent is one."""
    if given is None:
        return ()
    several = given if isinstance(given, list | tuple) else (cast("Fallback | AgentLike", given),)
    return tuple(one if isinstance(one, Fallback) else Fallback.agent(one) for one in several)


def never_tried(fallbacks: Sequence[Fallback]) -> Fallback | None:
    """Return a fallback that stands behind one that always has something to give; None when there is none."""
    ended = False
    for fallback in fallbacks:
        if ended:
            return fallback
        ended = fallback.kind in _LAST
    return None
