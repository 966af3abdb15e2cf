"""No call into a closed window: the rung that refuses it, and the door where it waits without holding anything (F10).

Every attempt is checked, and every request of a model that makes many: a window may close while a call is under way.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from echelon.model.errors import QuotaExhausted
from echelon.resilience.ledger import Deadline
from echelon.resilience.line import WaitingLine
from echelon.resilience.progress import CallProgress
from echelon.resilience.quota.windows import QuotaWindows

#: So many attempts of one call may end at closed windows; what is refused more often is left to a later process.
MOST_REFUSED_ATTEMPTS = 10


@dataclass(frozen=True)
class QuotaGate:
    """What stands before one dependency, in one run: its rung, and its door."""

    windows: QuotaWindows
    dependency: str
    longest_wait_seconds: float
    """For what opens later no call waits: it ends, and says until when."""
    attempts: int = 1
    """Calls that the policy allows; with a single one what was made is never made again (F3)."""

    def check(self) -> None:
        """Raise `QuotaExhausted` while the window is closed."""
        self.windows.check(self.dependency)

    async def enter(self, call: CallProgress[Any]) -> None:  # noqa: ARG002 - the signature of a rung
        """Let a call pass, or refuse it: it waits at the door."""
        self.check()

    async def leave(self, call: CallProgress[Any], error: BaseException | None) -> None:
        """Give nothing back: nothing was taken."""

    @property
    def line(self) -> WaitingLine:
        """Those who wait for the dependency, in all runs of this process."""
        return self.windows.line(self.dependency, self.longest_wait_seconds)

    def lets_wait(self, call: CallProgress[Any], error: Exception) -> bool:
        """Let a call wait for a window that opens soon, unless what it did already must not be done again."""
        if not isinstance(error, QuotaExhausted) or error.dependency != self.dependency:
            return False
        made = call.attempts_before + call.attempts
        again = not made or (self.attempts > 1 and made < MOST_REFUSED_ATTEMPTS)
        return again and self.windows.opens_in(self.dependency) <= self.longest_wait_seconds

    def patience(self, deadline: Deadline) -> Deadline:
        """Return what the budgets leave; without one there is no bound, since a limit of a provider is no failure."""
        return deadline

    def too_late(self, error: Exception, waited_seconds: float, patience: Deadline) -> Exception:  # noqa: ARG002 - it says when
        """Say until when the window is closed now: it may have been closed for longer meanwhile."""
        window = self.windows.closed(self.dependency)
        return error if window is None else QuotaExhausted(self.dependency, until=window.until, said=window.said)


_GATE: ContextVar[QuotaGate | None] = ContextVar("echelon_quota_gate", default=None)


def check_quota() -> None:
    """Raise `QuotaExhausted` when the window of the dependency under call has closed since the call began."""
    gate = _GATE.get()
    if gate is not None:
        gate.check()


@contextmanager
def gated(gate: QuotaGate | None) -> Generator[None]:
    """Let the parts of a call be checked one by one in the block."""
    token = _GATE.set(gate)
    try:
        yield
    finally:
        _GATE.reset(token)
