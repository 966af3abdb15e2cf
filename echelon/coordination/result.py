"""How a run ended, from what its phases delivered. Pure, except for reading outputs."""

from collections.abc import Mapping
from typing import Any

from echelon.coordination.context import RunContext
from echelon.coordination.delivery import Delivery
from echelon.coordination.supply import is_integrated
from echelon.model.handoff import Missing
from echelon.model.run import RunStatus


def status_after(delivered: Mapping[str, Delivery]) -> RunStatus:
    """Failed when the last phase delivered nothing although it should; partial when anything is missing (F7).

    What only an old output or a default value stands in for is missing too. Whatever else it lacks, a run waits while
    only a person knows how it goes on (F8).
    """
    if not delivered:
        return RunStatus.COMPLETED
    if any(missing.asks for missing in missing_in(delivered)):
        return RunStatus.WAITING
    last = list(delivered.values())[-1]
    if last.missing and not last.handoffs:
        return RunStatus.FAILED
    return RunStatus.PARTIAL if any(delivery.lacks for delivery in delivered.values()) else RunStatus.COMPLETED


def missing_in(delivered: Mapping[str, Delivery]) -> tuple[Missing, ...]:
    """Return everything that any phase lacks, each thing once, with what stands in for it."""
    return tuple(dict.fromkeys(missing for delivery in delivered.values() for missing in delivery.lacks))


def output_of(run: RunContext, delivered: Mapping[str, Delivery]) -> Any:
    """Return the output of the last phase as JSON.

    The output itself where there can be only one (one agent, or integrated up to the primary), else task → output:
    also of the parts of an integration that failed (F7). None when nothing was delivered.
    """
    if not delivered:
        return None
    phase, delivery = list(delivered.items())[-1]
    if not delivery.handoffs:
        return None
    outputs = {h.task_id: run.outputs.get(h.output_location, Any) for h in delivery.handoffs if h.output_location}
    definition = run.job.phases[phase]
    only_one = definition.single or is_integrated(definition, run.plan.phases[-1], delivery)
    return next(iter(outputs.values())) if only_one else outputs
