"""Decide for a job and its inputs: the plan, and who is called for each of its tasks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from pydantic import BaseModel

from echelon.agents.agent import Agent, cannot_be_undone
from echelon.agents.prices import published_prices
from echelon.contract.claims import has_keys
from echelon.definition.definition import JobDefinition
from echelon.definition.expansion import Expansion, Found, check_runnable, expand
from echelon.definition.facts import model_name
from echelon.definition.graphs.runnable_graph import graph_calls, graph_plan, in_phases
from echelon.definition.limits import limits_of
from echelon.definition.merging.features import features_of
from echelon.definition.oversight.planning import with_oversight
from echelon.definition.phase import PhaseDefinition, integrators_of
from echelon.definition.rehearsal import RehearsalJob
from echelon.definition.rolling.independence import check_findings
from echelon.definition.success.findings import success_findings
from echelon.definition.sync.planned import domains_as_run, why_in_waves, with_sync
from echelon.definition.terms import shapes_of, terms_of
from echelon.model.graph import CapacityLimit, TaskGraph
from echelon.model.learning.learnt import Learnt
from echelon.model.phrasing import count, listed
from echelon.model.plan import PhasePlan, Plan, Reason, Spending
from echelon.model.terms import OpenPhase
from echelon.planning.domains import domains_of
from echelon.planning.learning.forecast import with_learnt
from echelon.planning.planner import plan
from echelon.planning.regime import Priority
from echelon.planning.spending import Verifications, with_rounds, with_verifications

#: So many phases that one needs are named in a reason.
NEEDS_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What a run carries out."""

    job: JobDefinition
    """The job, with the phases of the plan: a task graph has none before it is planned."""
    plan: Plan
    expansion: Expansion


def planned(
    job: JobDefinition,
    inputs: BaseModel,
    *,
    priority: Priority | None = None,
    limits: Sequence[CapacityLimit] | None = None,
    found: Found = MappingProxyType({}),
    spans: Mapping[str, int] = MappingProxyType({}),
    learnt: Learnt | None = None,
) -> Planned:
    """Plan a job and find its calls; a rehearsal has both already. `InvalidInput` for a graph that lacks agents.

    `limits` bound how many agents are at work at one time; None: those that the job states, or the usual ones. `found`
    are the items that were found on the way; phases whose items are not among them stay open (X12). `spans` are
    those that the run has changed in parts of its tree, by phase (R10). With `learnt` the forecast rests on what
    earlier runs measured instead of what is stated and assumed (X10).
    """
    if isinstance(job, RehearsalJob):
        return Planned(job=job, plan=job.plan, expansion=job.expansion)
    if job.graph is not None:
        check_runnable(job)
        made = with_learnt(graph_plan(job, priority, limits_of(job) if limits is None else limits), learnt)
        made = made.model_copy(update={"adjustments": job.adjustments})
        return Planned(job=in_phases(job, made), plan=made, expansion=graph_calls(job, made))
    expansion = expand(job, inputs, found)
    features = features_of(job, expansion)
    expansion = features.merged(expansion)
    made = plan(
        expansion.graph,
        phase_order=_phase_order(job, expansion.graph),
        span=job.span,
        priority=priority,
        limits=limits_of(job) if limits is None else limits,
        agents_fixed=True,
        grown=grown_phases(job),
        together=features.together,
        spans={**dict.fromkeys(adapting_phases(job)), **spans},
    )
    declared = ((phase, job.phases[phase.name]) for phase in made.phases)
    phases = tuple(with_sync(phase.model_copy(update=_declared(job, one)), one) for phase, one in declared)
    synchronised = tuple(filter(None, map(why_in_waves, phases)))
    still_open = tuple(_open(phase) for phase in job.phases.values() if phase.is_open and phase.name not in found)
    changes: dict[str, object] = {
        "terms": terms_of(job),
        "contracts": shapes_of(job),
        "phases": phases,
        "open": still_open,
        "adjustments": job.adjustments,
        "reasons": (*made.reasons, *features.reasons, *synchronised, *map(_why_open, still_open), *_why_adjusted(job)),
        "findings": (
            *made.findings,
            *features.findings,
            *check_findings(job),
            *success_findings(job.phases, expansion.graph),
        ),
    }
    whole = with_oversight(made.model_copy(update=changes), job.oversight, job.phases)
    whole = whole.model_copy(update={"spending": _with_checks(job, made.spending, expansion.graph, whole)})
    whole = with_learnt(whole, learnt)
    domains = domains_as_run(domains_of(whole), job.phases.values())
    return Planned(job=job, plan=whole.model_copy(update={"domains": domains}), expansion=expansion)


def foreseen(
    job: JobDefinition,
    inputs: BaseModel,
    *,
    priority: Priority | None = None,
    limits: Sequence[CapacityLimit] | None = None,
    learnt: Learnt | None = None,
) -> Planned:
    """Plan a job with the items that its phases are expected to find; a run begins without, and finds its own (X12)."""
    items = {phase.name: phase.foreseen(inputs) for phase in job.phases.values() if phase.foreseen is not None}
    made = planned(job, inputs, priority=priority, limits=limits, found=items, learnt=learnt)
    if not items:
        return made
    reasons = (*made.plan.reasons, *(_why_foreseen(job.phases[name], len(found)) for name, found in items.items()))
    return replace(made, plan=made.plan.model_copy(update={"reasons": reasons}))


def _why_foreseen(phase: PhaseDefinition, items: int) -> Reason:
    then = f"a run finds its own after {listed(phase.needs, NEEDS_NAMED)}, and is planned with those then"
    return Reason(
        rule="X12", text=f"phase {phase.name!r}: planned with {count(items, 'item')} that are foreseen; {then}"
    )


def _with_checks(job: JobDefinition, once: Spending, graph: TaskGraph, made: Plan) -> Spending:
    """Return a forecast with the rounds of what is repeated or verified, and with the models that verify (X12, O3)."""
    rounds = {phase.name: max(phase.rounds, phase.attempts) for phase in made.phases}
    asked = [
        Verifications(model=model, least=results, most=results * rounds[phase.name])
        for phase in made.phases
        for verifier, results in _verifiers(job, phase, made)
        if (model := model_name(verifier)) is not None and results
    ]
    prices = {**published_prices(one.model for one in asked), **graph.prices}
    return with_verifications(with_rounds(once, graph, rounds), asked, graph.priors, prices)


def _verifiers(job: JobDefinition, phase: PhasePlan, made: Plan) -> Iterator[tuple[Agent, int]]:
    """Yield those who verify in a phase, each with how many results it is asked about."""
    declared = job.phases[phase.name]
    yield from ((one, len(phase.tasks)) for one in declared.success.verifiers)
    critical = sum(task in made.to_verify for task in phase.tasks)
    yield from ((one, critical) for one in declared.judges.critical.verifiers)


def _phase_order(job: JobDefinition, graph: TaskGraph) -> tuple[str, ...]:
    """Return the phases as they were declared, without those that have no items and say that they may have none."""
    busy = {task.phase for task in graph.tasks}
    return tuple(name for name, phase in job.phases.items() if name in busy or not phase.items or phase.items[0] > 0)


def grown_phases(job: JobDefinition) -> tuple[str, ...]:
    """Return the phases that find their items on the way."""
    return tuple(phase.name for phase in job.phases.values() if phase.is_open)


def adapting_phases(job: JobDefinition) -> tuple[str, ...]:
    """Return the phases whose part of the tree may change while the job runs: those behind a sync point (R10)."""
    return tuple(phase.name for phase in job.phases.values() if phase.needs) if job.adapt == "apply" else ()


def _open(phase: PhaseDefinition) -> OpenPhase:
    return OpenPhase(
        phase=phase.name,
        after=phase.needs,
        finder=phase.finder.name,
        agent=phase.agents[0].name,
        items=phase.items,
        proposed=phase.discovery is not None and phase.discovery.proposals is not None,
        irreversible=any(map(cannot_be_undone, phase.agents)),
        gate=phase.gate,
    )


def _why_open(phase: OpenPhase) -> Reason:
    planned_then = "planned, linted and forecast then, within the budget, and on record before it begins"
    return Reason(rule="X12", text=f"phase {phase.phase!r}: {phase.known}; {planned_then}")


def _why_adjusted(job: JobDefinition) -> Iterator[Reason]:
    for one in job.adjustments:
        yield Reason(rule="G", text=f"{one.said}, since a run showed {one.mode.value}: {one.reason}")


def _declared(job: JobDefinition, phase: PhaseDefinition) -> dict[str, object]:
    """Return what a phase of a plan takes from its definition."""
    integrations = ("none", "primary", "staged")
    loop = next((one for one in job.loops if phase.name in one.members), None)
    repetition = loop.repetition if loop else phase.repetition
    return {
        "single": phase.single,
        "integration": integrations[len(integrators_of(phase))],
        "when": phase.condition.name if phase.condition else "",
        "until": repetition.check.name if repetition else "",
        "rounds": repetition.rounds if repetition else 1,
        "loop": loop.members if loop else (),
        "replicas": phase.redundancy.replicas,
        "agree": phase.redundancy.agree,
        "standby": phase.redundancy.standby.name if phase.redundancy.standby else "",
        "settle": _settles(job, phase),
        "flat": phase.flat,
        **_criteria(job, phase),
    }


def _settles(job: JobDefinition, phase: PhaseDefinition) -> str:
    """Return what decides between outputs of a phase; empty where they say nothing that could be compared (X9)."""
    if not any(has_keys(one.output_type) for one in phase.agents):
        return ""
    settler = phase.settler or job.settler
    return settler.name if settler else "a person"


def _criteria(job: JobDefinition, phase: PhaseDefinition) -> dict[str, object]:
    """Return what a phase of a plan says of success (D11, O3)."""
    inherited = phase.resilience.over(job.defaults)
    verify = tuple(one.name for one in phase.success.verifiers)
    attempts = [1 if cannot_be_undone(one) else one.resilience.over(inherited).attempts or 1 for one in phase.agents]
    return {
        "success": phase.success.said,
        "verify": verify,
        "attempts": max(attempts) if verify or phase.judges.critical.verifiers else 1,
    }
