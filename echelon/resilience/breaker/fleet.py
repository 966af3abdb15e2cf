"""The panic rule: when too many dependencies seem down at once, no further breaker refuses calls (F1).

It is then more likely that the fault is ours, and a process that refuses everything does nothing at all.
"""

import threading

from echelon.model.policy import BreakerPolicy


class Fleet:
    """All breakers of a registry, and which of them refuse calls. Thread-safe; asked on changes of state only."""

    def __init__(self) -> None:
        self._members: set[str] = set()
        self._open: set[str] = set()
        self._lock = threading.Lock()

    def add(self, name: str) -> None:
        """Count a breaker."""
        with self._lock:
            self._members.add(name)

    def enter(self, name: str, policy: BreakerPolicy) -> str:
        """Let a breaker begin to refuse calls; otherwise return why it must not."""
        with self._lock:
            refused = len(self._open | {name})
            allowed = self._allowed(policy)
            if name not in self._open and refused > allowed:
                return (
                    f"{len(self._open)} of {len(self._members)} breakers refuse calls already, "
                    f"and no more than {policy.max_open_share:.0%} may"
                )
            self._open.add(name)
            return ""

    def isolated(self, name: str) -> None:
        """Count a breaker that a person opened: the rule is for machines, and is not asked."""
        with self._lock:
            self._open.add(name)

    def leave(self, name: str) -> None:
        """Note that a breaker refuses calls no longer."""
        with self._lock:
            self._open.discard(name)

    @property
    def open(self) -> frozenset[str]:
        """Names of those that refuse calls."""
        with self._lock:
            return frozenset(self._open)

    def _allowed(self, policy: BreakerPolicy) -> int:
        fleet = len(self._members)
        return fleet if fleet < policy.min_fleet else max(1, int(policy.max_open_share * fleet))
