"""Decide for a job and its inputs: the plan, and who is called for each of its tasks."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from echelon.definition.definition import JobDefinition
from echelon.definition.expansion import Expansion, expand
from echelon.definition.limits import limits_of
from echelon.definition.phase import PhaseDefinition, integrators_of
from echelon.definition.rehearsal import RehearsalJob
from echelon.definition.terms import terms_of
from echelon.model.graph import CapacityLimit
from echelon.model.plan import Plan
from echelon.planning.planner import plan
from echelon.planning.regime import Priority


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What a run carries out."""

    plan: Plan
    expansion: Expansion


def planned(
    job: JobDefinition,
    inputs: BaseModel,
    *,
    priority: Priority | None = None,
    limits: Sequence[CapacityLimit] | None = None,
) -> Planned:
    """Plan a job and find its calls; a rehearsal has both already. `InvalidInput` for a graph, which has no agents.

    `limits` bound how many agents are at work at one time; None: those that the job states, or the usual ones.
    """
    if isinstance(job, RehearsalJob):
        return Planned(plan=job.plan, expansion=job.expansion)
    expansion = expand(job, inputs)
    made = plan(
        expansion.graph,
        phase_order=tuple(job.phases),
        span=job.span,
        priority=priority,
        limits=limits_of(job) if limits is None else limits,
        agents_fixed=True,
    )
    phases = tuple(phase.model_copy(update=_declared(job.phases[phase.name])) for phase in made.phases)
    return Planned(plan=made.model_copy(update={"terms": terms_of(job), "phases": phases}), expansion=expansion)


def _declared(phase: PhaseDefinition) -> dict[str, object]:
    """Return what a phase of a plan takes from its definition."""
    integrations = ("none", "primary", "staged")
    return {"single": phase.single, "integration": integrations[len(integrators_of(phase))]}
