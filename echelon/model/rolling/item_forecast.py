"""What a job would be with the fewest and the most items that its phases expect to find on the way (X12)."""

from echelon.model.base import Value
from echelon.model.organisation import Structure
from echelon.model.plan import Makespan, Spending


class ForecastEnd(Value):
    """What a job would be with a certain number of items in the phases that state how many they expect."""

    items: dict[str, int]
    """Items by phase."""
    n_agents: int
    """Agents that do tasks."""
    structure: Structure | None = None
    """How they would be organised; None where they are too many for a forecast, like all that follows."""
    makespan: Makespan | None = None
    """How long it would take."""
    spending: Spending | None = None
    """What it would consume."""


class ForecastRange(Value):
    """The forecast with the fewest and with the most items that are expected."""

    low: ForecastEnd
    """With the fewest."""
    high: ForecastEnd
    """With the most."""
