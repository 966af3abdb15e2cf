"""How long steps waited for slots, in sum. Values only."""

from echelon.model.base import Value


class WaitView(Value):
    """How long steps waited for the slots of one limiter (F5)."""

    limiter: str
    """What bounds how many are at work at one time."""
    steps: int
    """How often a step waited there."""
    seconds: float
    """All waits together."""
    longest_seconds: float
    """The longest of them."""
    longest_queue: int
    """The most that waited there when another one came."""
