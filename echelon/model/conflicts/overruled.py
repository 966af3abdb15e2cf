"""What of an output does not count, since its owner decided for another one (X9)."""

from echelon.model.base import Value


class Overruled(Value):
    """A subject about which an output does not count."""

    subject: str
    """What it is about."""
    decided: str
    """Which output counts instead, and what decided that."""
