"""A time in which a dependency takes no calls, since a limit of its provider is used up (F10)."""

from datetime import datetime

from echelon.model.base import Value


class QuotaWindow(Value):
    """A closed window: no call is made before its end."""

    dependency: str
    """The dependency: its breaker or provider, else the agent that calls it."""
    until: datetime
    """When calls are taken again, in UTC."""
    said: str = ""
    """Where that is known from, in the words of the dependency; hostile text."""
