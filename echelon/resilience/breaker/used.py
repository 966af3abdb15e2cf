"""The breakers that one run uses, of all those of its process, and who is told of what they do (F1)."""

from echelon.resilience.breaker.breaker import Breaker
from echelon.resilience.breaker.watcher import BreakerWatcher, Tell


class BreakersUsed:
    """Notes breakers as they are used, and listens to each from its first use on. For one thread."""

    def __init__(self) -> None:
        self._tell: Tell | None = None
        self._watchers: dict[str, BreakerWatcher] = {}

    def note(self, breaker: Breaker) -> Breaker:
        """Note that a breaker is used; return it."""
        if self._tell is not None and breaker.name not in self._watchers:
            watcher = self._watchers[breaker.name] = BreakerWatcher(breaker, self._tell)
            watcher.begin()
        return breaker

    def watch(self, tell: Tell) -> None:
        """Have `tell` called with what happens to those that are used from now on."""
        self._tell = tell

    def stop(self) -> None:
        """Tell how each is left, and nothing more."""
        watchers, self._watchers, self._tell = self._watchers, {}, None
        for watcher in watchers.values():
            watcher.end()
