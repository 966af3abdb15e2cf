"""What happens to the quotas of dependencies in a run: a part of the union in `runlog.events` (F10)."""

from typing import Literal

from echelon.model.quota.window import QuotaWindow
from echelon.runlog.run_events import Event


class QuotaClosed(Event):
    """A limit of a dependency is used up: nobody of the run calls it before the end of the window (F10)."""

    kind: Literal["quota_closed"] = "quota_closed"
    window: QuotaWindow
    """The dependency, until when, and what it said."""

    @property
    def subject(self) -> str:
        """The dependency."""
        return self.window.dependency
