"""What a run measured beside what its plan foresaw: how far forecasts can be trusted (V6, X10). Pure."""

from pydantic import Field

from echelon.model.base import Value
from echelon.model.costs.measures import Measures
from echelon.model.plan import Plan, Range


class Comparison(Value):
    """One forecast, and what became of it. None is not known, which is never zero."""

    name: str
    """What was foreseen, with its unit."""
    predicted: Range | None
    """The forecast; both ends are the same where it is a single number."""
    measured: float | None
    """What the run measured."""
    off: float | None = Field(default=None)
    """How far the measured value lies outside the forecast, as a share of the nearer end; 0 inside, negative below."""


def compare(plan: Plan, measures: Measures) -> tuple[Comparison, ...]:
    """Return the forecasts of a plan beside the measures of its run: makespan, coordination, tokens."""
    band, tokens = plan.overhead.band, plan.spending.tokens
    return (
        _comparison("makespan, seconds", _exactly(plan.makespan.predicted), measures.makespan_seconds),
        _comparison("coordination ratio", Range(low=band.low, high=band.high), measures.coordination_ratio),
        _comparison("tokens", tokens, measures.tokens),
    )


def _exactly(value: float | None) -> Range | None:
    return None if value is None else Range(low=value, high=value)


def _comparison(name: str, predicted: Range | None, measured: float | None) -> Comparison:
    return Comparison(name=name, predicted=predicted, measured=measured, off=_off(predicted, measured))


def _off(predicted: Range | None, measured: float | None) -> float | None:
    if predicted is None or measured is None:
        return None
    nearer = min(max(measured, predicted.low), predicted.high)
    return (measured - nearer) / nearer if nearer else None
