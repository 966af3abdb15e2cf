"""What of a run was done again. Values only."""

from datetime import datetime

from echelon.model.base import Value
from echelon.model.phrasing import listed, moment

#: Tasks named of those that were to be done again.
RETRIED_NAMED = 5


class TaskRetry(Value):
    """What was to be done again in a run, whatever had come of it (F8)."""

    tasks: tuple[str, ...]
    """The tasks, and what integrations are recorded as."""
    by: str
    """Who asked for it; empty when that is not known."""
    at: datetime
    """When, in UTC."""

    @property
    def said(self) -> str:
        """Say it in one line."""
        asked = f", asked for by {self.by}" if self.by else ""
        return f"{listed(self.tasks, RETRIED_NAMED)}, on {moment(self.at)}{asked}"
