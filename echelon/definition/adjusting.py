"""A job with changes that were applied to it: what is organised otherwise than its code says (G). Pure.

The job itself stays as it is written: what is returned is a copy, for the plans and runs that go by the changes.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar, cast

from echelon.agents.function import FunctionAgent
from echelon.definition.definition import JobDefinition
from echelon.definition.fitting import received_types
from echelon.definition.names import recordable_name
from echelon.definition.phase import PhaseDefinition
from echelon.definition.sync.sync import ALL_OTHERS, PhaseSync, Sync
from echelon.model.diagnosis.adjustment import Adjustment, Lever
from echelon.model.errors import InvalidInput

J = TypeVar("J", bound=JobDefinition)


def adjusted(job: J, adjustments: Iterable[Adjustment]) -> J:
    """Return a job with changes applied to it, in their order; the same job where there are none.

    A change of a phase that the job does not have any more is left out. Raise `InvalidInput` for what cannot be
    changed from outside: the code says that it must be so.
    """
    several = tuple(one for one in adjustments if not one.phase or one.phase in job.phases)
    if not several:
        return job
    changed = copy(job)
    changed.phases = dict(job.phases)
    for one in several:
        _LEVERS[one.lever](changed, one)
    changed.adjustments = (*job.adjustments, *several)
    return changed


def adjusted_as_far_as_possible(job: J, adjustments: Iterable[Adjustment]) -> tuple[J, tuple[str, ...]]:
    """Return a job with those changes that its code still allows, and why others are left out."""
    refused: list[str] = []
    for one in adjustments:
        try:
            job = adjusted(job, [one])
        except InvalidInput as error:
            refused.append(f"{one.said}: {error}")
    return job, tuple(refused)


def _of_job(attribute: str, job: JobDefinition, one: Adjustment) -> None:
    setattr(job, attribute, one.after)


def _structure(job: JobDefinition, one: Adjustment) -> None:
    job.organisation = job.organisation.model_copy(update={"structure": one.after})


def _of_phase(change: Callable[[PhaseDefinition, Any], PhaseDefinition], job: JobDefinition, one: Adjustment) -> None:
    job.phases[one.phase] = change(job.phases[one.phase], one.after)


def _sync(phase: PhaseDefinition, tasks: int | None) -> PhaseDefinition:
    if tasks is None:
        if phase.sync is not None and phase.sync.stop is not None:
            raise InvalidInput(f"phase {phase.name!r} asks between waves whether it is enough: it stays in waves")
        return replace(phase, sync=None)
    stop = phase.sync.stop if phase.sync is not None else None
    return replace(phase, sync=PhaseSync(rhythms={ALL_OTHERS: Sync.every(tasks)}, stop=stop))


def _needs(phase: PhaseDefinition, names: Iterable[str]) -> PhaseDefinition:
    kept = tuple(names)
    receiving = next((one.name for one in phase.agents if _receives(one)), None)
    if receiving is not None:
        raise InvalidInput(
            f"phase {phase.name!r} cannot do without a phase that it needs: {receiving} takes its handoffs; "
            "take that parameter away first"
        )
    couplings = {name: need for name, need in phase.couplings.items() if name in kept}
    return replace(phase, needs=kept, couplings=couplings)


def _receives(agent: object) -> bool:
    """Say whether an agent takes handoffs; what is no function reads whatever there is."""
    return not isinstance(agent, FunctionAgent) or any(received_types(cast("FunctionAgent[..., object]", agent)))


def _domains(phase: PhaseDefinition, domain_of: Mapping[str, str]) -> PhaseDefinition:
    written, key = phase.domain, phase.key

    def domain(item: object) -> str:
        known = domain_of.get(f"{phase.name}/{recordable_name(str(key(item)))}")
        return known if known is not None else written(item) if written is not None else ""

    return replace(phase, domain=domain)


def _timeout(phase: PhaseDefinition, seconds: float) -> PhaseDefinition:
    return replace(phase, resilience=phase.resilience.model_copy(update={"timeout_seconds": seconds}))


_LEVERS: Mapping[Lever, Callable[[JobDefinition, Adjustment], None]] = {
    Lever.SPAN: partial(_of_job, "span"),
    Lever.STRUCTURE: _structure,
    Lever.MAX_CONCURRENCY: partial(_of_job, "max_concurrency"),
    Lever.MERGE: partial(_of_job, "merge"),
    Lever.ADAPT: partial(_of_job, "adapt"),
    Lever.SYNC: partial(_of_phase, _sync),
    Lever.NEEDS: partial(_of_phase, _needs),
    Lever.DOMAINS: partial(_of_phase, _domains),
    Lever.TIMEOUT: partial(_of_phase, _timeout),
}
