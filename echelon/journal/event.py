"""An entry of the event log: anything worth keeping that has no table of its own."""

from datetime import datetime
from typing import Any

from pydantic import Field

from echelon.model.base import Value


class EventRecord(Value):
    """Something that happened in a run."""

    number: int = Field(ge=1)
    """Increases with every event of the journal."""
    run_id: str
    """The run it happened in."""
    kind: str
    """What kind of thing happened."""
    subject: str
    """The node, agent or thing it happened to."""
    payload: dict[str, Any]
    """What there is to know about it, as JSON."""
    at: datetime
    """When, in UTC."""
