"""What a plan says of when its phases synchronise (X3): what a run does, and nothing else."""

from collections.abc import Iterable

from echelon.definition.phase import PhaseDefinition
from echelon.definition.sync.sync import PhaseSync
from echelon.model.phrasing import count
from echelon.model.plan import PhasePlan, Reason
from echelon.model.terms import DomainPlan
from echelon.oversight.sync.adaptive import first_pace


def with_sync(plan: PhasePlan, phase: PhaseDefinition) -> PhasePlan:
    """Return a phase of a plan that says when it synchronises."""
    if phase.sync is None:
        return plan
    changes = {"policy": phase.sync.policy, "every": _every(phase.sync)}
    return plan.model_copy(update={"sync": plan.sync.model_copy(update=changes)})


def why_in_waves(plan: PhasePlan) -> Reason | None:
    """Say that a phase is done in waves; None for one that synchronises at its end only."""
    if plan.sync.policy == "phase":
        return None
    often = f", {count(plan.sync.every, 'task')} to begin with" if plan.sync.every else ""
    text = f"phase {plan.name!r} is done in waves, with light sync points between them: {plan.sync.policy}{often}"
    return Reason(rule="X3", text=text)


def domains_as_run(domains: Iterable[DomainPlan], phases: Iterable[PhaseDefinition]) -> tuple[DomainPlan, ...]:
    """Return what is planned for domains; when they synchronise is no advice where all phases go by it (X14)."""
    if not all(one.sync is not None and one.sync.by_plan is not None for one in phases):
        return tuple(domains)
    return tuple(
        one.model_copy(update={"advised": tuple(choice for choice in one.advised if choice != "sync")})
        for one in domains
    )


def _every(sync: PhaseSync) -> int | None:
    """Return the tasks of the first wave, where all of the phase has one rhythm and that is a number."""
    if sync.by_domain:
        return None
    terms = sync.of("").terms
    return first_pace(terms).size if terms.policy == "adaptive" else terms.every
