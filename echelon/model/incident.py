"""An incident: failures that share one upstream cause, with reach and containment (F6). Values only."""

from datetime import datetime

from echelon.model.base import Value
from echelon.model.phrasing import count, listed


class Incident(Value):
    """Failures that belong together."""

    cause: str
    """What they share, in a few words."""
    began: datetime
    """When the first of them ended, in UTC."""
    within: tuple[str, ...]
    """Node ids from the primary down to the lowest node that contains all of it."""
    failed: tuple[str, ...]
    """Tasks that failed, or were refused, by this cause."""
    blocked: tuple[str, ...] = ()
    """Consumers that were not started because of it."""
    replaced: tuple[str, ...] = ()
    """Those of them that a fallback stands in for."""
    domains: tuple[str, ...] = ()
    """Domains that lost work to it; empty when tasks have none."""
    went_on: int = 0
    """Other tasks that ended with an output nevertheless."""

    @property
    def reach(self) -> str:
        """Say how far it went."""
        blocked = f", {len(self.blocked):,} not started" if self.blocked else ""
        where = f" in {count(len(self.domains), 'domain')} ({listed(self.domains, NAMED)})" if self.domains else ""
        return f"{count(len(self.failed), 'task')} failed{blocked}{where}"

    @property
    def containment(self) -> str:
        """Say what it did not reach."""
        replaced = f"{len(self.replaced):,} replaced by a fallback, " if self.replaced else ""
        return f"{replaced}{count(self.went_on, 'other task')} delivered"

    @property
    def reached(self) -> str:
        """Say how far it went, where, and what it did not reach."""
        return f"{self.reach}; within {' › '.join(self.within)}; {self.containment}"

    @property
    def message(self) -> str:
        """Say all of it in one sentence."""
        return f"one incident: {self.cause}; {self.reach}; {self.containment}"


#: Domains named in a message; more are only counted.
NAMED = 3
