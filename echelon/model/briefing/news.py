"""What is new when a phase begins: data, so that it is told in other processes, too (X2, X8, O6). Values only."""

from pydantic import Field

from echelon.model.base import Value


class News(Value):
    """What those who work in a phase are told of what happened before it, beside what they receive."""

    changed: tuple[str, ...] = ()
    """What has changed since the last sync point: new versions, phases that were planned, items that are gone."""
    decisions: tuple[str, ...] = ()
    """What was decided in the run, by whom and why, the newest first."""
    domains: dict[str, tuple[str, ...]] = Field(default_factory=dict[str, tuple[str, ...]])
    """What each domain delivered in earlier phases that are not received as a whole, with references."""
    flat: tuple[str, ...] = ()
    """All open concerns, where the sync point before was a flat moment (O6)."""
