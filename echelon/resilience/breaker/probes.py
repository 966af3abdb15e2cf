"""The slots for probes of a half-open breaker: never more taken than there are, none lost for ever (F1)."""

from itertools import count


class Probes:
    """Slots of one half-open time. Not thread-safe: its breaker holds the lock.

    A slot is taken until its call ends or, when that never happens, until its time is up; a success keeps it.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._until: dict[str, float] = {}
        self._numbers = count()
        self.successes = 0
        self.slow = 0

    def take(self, now: float, seconds: float) -> str | None:
        """Take a slot for so many seconds and return its token; None when there is none."""
        self._until = {token: until for token, until in self._until.items() if until > now}
        if len(self._until) + self.successes >= self._slots:
            return None
        token = f"here-{next(self._numbers)}"
        self._until[token] = now + seconds
        return token

    def hold(self, token: str, until: float) -> None:
        """Note a slot that was given elsewhere, so that it counts here too."""
        self._until[token] = until

    def leave(self, token: str | None) -> None:
        """Give a slot back; one that was given up already changes nothing."""
        if token is not None:
            self._until.pop(token, None)

    def succeeded(self, *, slow: bool) -> None:
        """Count a success, slow or not."""
        self.successes += 1
        self.slow += slow

    @property
    def complete(self) -> bool:
        """Have as many succeeded as there are slots?"""
        return self.successes >= self._slots

    @property
    def slow_rate(self) -> float:
        """Share of the successes that were slow; 0 while there is none."""
        return self.slow / self.successes if self.successes else 0.0

    def is_free(self, now: float) -> bool:
        """Say whether a slot could be taken."""
        return sum(until > now for until in self._until.values()) + self.successes < self._slots

    def next_in(self, now: float, at_most: float) -> float:
        """Return the seconds until a slot is free again at the latest."""
        return max(0.0, min((until - now for until in self._until.values()), default=at_most))
