"""Tells what one breaker does, as values that may be handed to another thread (F1)."""

from collections.abc import Callable
from typing import Any, Literal

from pybreaker import STATE_CLOSED, STATE_HALF_OPEN, STATE_OPEN

from echelon.model.breaker_news import BreakerNews, Turn
from echelon.resilience.breaker.breaker import Breaker
from echelon.resilience.breaker.listener import BreakerListener

#: Called under the breaker's lock and from any thread: hands the news on, and neither blocks nor raises.
Tell = Callable[[BreakerNews], None]


class BreakerWatcher(BreakerListener):
    """Listens to one breaker, from `begin` to `end`."""

    def __init__(self, breaker: Breaker, tell: Tell) -> None:
        self._breaker = breaker
        self._tell = tell

    def begin(self) -> None:
        """Tell how it stands, unless all is well, and then what changes."""
        breaker = self._breaker
        with breaker.lock:
            breaker.attach(self)
            if breaker.isolated:
                self._say(Turn.ISOLATED, breaker.reason, found=True)
            elif breaker.state != STATE_CLOSED:
                self._say(_TURNS[breaker.state], breaker.reason, found=True)
            elif breaker.degraded:
                self._say(self._spared, breaker.degraded, found=True)

    def end(self) -> None:
        """Tell how it is left, and nothing more."""
        with self._breaker.lock:
            self._breaker.detach(self)
            self._say(Turn.LEFT, "" if self._breaker.state == STATE_CLOSED else self._breaker.reason)

    def state_change(self, cb: Any, old_state: Any, new_state: Any) -> None:
        """Hear of another state; an isolation is told of apart, with who and why."""
        del cb, old_state
        if not self._breaker.isolated:
            turn = _TURNS[new_state.name]
            # The breaker itself is told of its new state only after its listeners.
            self._say(turn, "" if turn is Turn.CLOSED else self._breaker.reason, state=new_state.name)

    def isolated(self, name: str, why: str) -> None:
        """Hear that a person opened it."""
        del name
        self._say(Turn.ISOLATED, why)

    def degraded(self, name: str, why: str) -> None:
        """Hear that it should refuse calls and does not, or that it need not any more."""
        del name
        self._say(self._spared if why else Turn.RELIEVED, why)

    @property
    def _spared(self) -> Turn:
        return Turn.MEASURED if self._breaker.policy.metrics_only else Turn.PANIC

    def _say(self, turn: Turn, reason: str, *, state: str = "", found: bool = False) -> None:
        breaker, now = self._breaker, state or self._breaker.state
        shared: Literal["redis", "process"] = "redis" if breaker.shares else "process"
        waiting = now == STATE_OPEN and not breaker.isolated
        news = BreakerNews(
            name=breaker.name,
            turn=turn,
            state=now,
            reason=reason,
            trips=breaker.trips,
            trial_in_seconds=max(0.0, breaker.probe_at - breaker.clock()) if waiting else 0.0,
            shared=shared,
            found=found,
        )
        self._tell(news)


_TURNS = {STATE_OPEN: Turn.OPENED, STATE_HALF_OPEN: Turn.TRYING, STATE_CLOSED: Turn.CLOSED}
