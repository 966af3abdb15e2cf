"""What a breaker tells besides pybreaker's own events (F1)."""

from pybreaker import CircuitBreakerListener


class BreakerListener(CircuitBreakerListener):
    """pybreaker's listener (`state_change`, `failure`, `success`) with the events it does not know.

    All run under the breaker's lock, so they must be short and not raise.
    """

    def degraded(self, name: str, why: str) -> None:
        """Hear that breaker `name` lets calls through that it should refuse, and why; an empty text ends that."""

    def isolated(self, name: str, why: str) -> None:
        """Hear that a person opened breaker `name`, who and why; one that was open before changes no state."""

    def shared(self, name: str, through: str) -> None:
        """Hear that the state of breaker `name` is now shared through `redis`, or known to this `process` only."""
