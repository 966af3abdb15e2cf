"""How a measure stands: on target, to be looked at, or bad (M). Values only."""

from typing import Literal, TypeAlias

from echelon.model.base import Value

Standing: TypeAlias = Literal["ok", "warning", "critical", "unknown"]
"""`ok` is neither a warning nor critical, and perhaps not on target; `unknown` is not measured."""


class GradedMeasure(Value):
    """One of the ten measures, with its band."""

    id: str
    """Its rule: M1 to M10."""
    name: str
    """What is measured."""
    value: float | None
    """What was measured; None when it cannot be known."""
    unit: Literal["share", "times", "steps"]
    """A share from 0 to 1, multiples of one agent, or steps."""
    target: str
    """What is wanted."""
    band: Standing
    """How it stands."""
    on_target: bool | None
    """Is it what is wanted? None when it is not known."""
    note: str = ""
    """What else is to be known of it; empty when nothing is."""
