"""Scale: hierarchy, federation and infrastructure, each asked for only from the size that needs it (R1, R3)."""

from collections import defaultdict
from collections.abc import Sequence

from echelon.model.graph import Coupling
from echelon.model.phrasing import count
from echelon.model.plan import NodeKind
from echelon.model.run import RunView, StepKind, StepRecord
from echelon.planning.infrastructure import INFRASTRUCTURE_FROM
from echelon.planning.regime import FLAT_UP_TO
from echelon.visibility.checklist.answers import Entry, ItemAnswer, done, not_applicable, not_done
from echelon.visibility.checklist.conditions import COMBINE, WRITE_JOB, from_agents, from_run, from_steps, with_run
from echelon.visibility.checklist.evidence import JobEvidence
from echelon.visibility.checklist.optimization import integrating_kinds
from echelon.visibility.checklist.wording import named, share, tallied

FEDERATED_FROM = 101  # agents (R1)
STATISTICS_FROM = 200  # agents (V5)

deep = from_agents(FLAT_UP_TO + 1, "R2 asks for another level")
federated = from_agents(FEDERATED_FROM, "R1 asks for a federation")
#: What to do where nobody judges the work of others.
STATE_OVERSIGHT = "state who does: Job(..., oversight=Oversight(verify=AGENT, audit=Audit(by=AGENT)))"

large = from_agents(INFRASTRUCTURE_FROM, "R3 asks for agents that coordinate only")


@deep
def _leads_there(evidence: JobEvidence) -> ItemAnswer:
    if not evidence.leads:
        return not_done(
            "R2: there are no leads below the primary", "leave the structure to the plan, or narrow the span"
        )
    leads = ", ".join(count(number, lead) for lead, number in evidence.leads.items())
    if not evidence.staged:
        found = f"R2: {leads} in the plan, and nothing for them to do: no integrator has a `combine`"
        return not_done(found, COMBINE if evidence.phases else WRITE_JOB)
    return done(f"R2: {leads} that integrate their own, on {count(evidence.plan.levels, 'coordinating level')}")


@deep
def _domains_bounded(evidence: JobEvidence) -> ItemAnswer:
    shared = evidence.warnings("D2")
    if shared:
        return not_done(f"D2: {shared[0].message}", shared[0].fix)
    labels = {task.domain for task in evidence.plan.tasks if task.domain}
    bare = sum(task.domain is None for task in evidence.plan.tasks)
    if bare:
        found = f"D2: {count(bare, 'task')} in no domain; teams are made without their bounds"
        return not_done(found, "say where a task belongs: `domain=` of the phase, or `domain` in the graph")
    return done(f"D2: {count(len(labels), 'domain')}: {named(sorted(labels))}")


@deep
def _domains_coordinated(evidence: JobEvidence) -> ItemAnswer:
    crossing = evidence.plan.handoffs.crossing
    if not crossing:
        return not_applicable("D2: no handoff crosses a domain, so there is nothing to agree on")
    return _crossing(evidence, crossing)


def _crossing(evidence: JobEvidence, crossing: int) -> ItemAnswer:
    bare = _without_contract(evidence)
    if bare:
        found = f"D2: {count(crossing, 'handoff')} cross a domain, and anything may come from {named(bare)}"
        return not_done(found, "state the contract of what other domains use")
    return done(f"D2: {count(crossing, 'handoff')} cross a domain, each under a contract")


@deep
def _aggregated_in_stages(evidence: JobEvidence) -> ItemAnswer:
    staged = [phase.name for phase in evidence.phases if phase.combiner]
    at_once = [phase.name for phase in evidence.phases if phase.merger and not phase.combiner]
    if not staged or at_once:
        where = f", in {named(at_once)}" if at_once else ""
        return not_done(f"X2: results of teams and domains are not integrated in stages{where}", COMBINE)
    return done(f"X2: results of integrations are integrated further up in {named(staged)}")


@federated
def _federations_bounded(evidence: JobEvidence) -> ItemAnswer:
    nodes, top = evidence.plan.nodes, evidence.plan.primary.members
    parts = [name for name in top if name in nodes and nodes[name].kind is not NodeKind.AGENT]
    if len(parts) < 2:
        return not_done(
            "R1: there are no parts that could go on by themselves", "name domains, so that it can be divided"
        )
    bare = sum(task.domain is None for task in evidence.plan.tasks)
    torn = _torn(evidence, parts)
    if bare or torn:
        what = f"{count(bare, 'task')} in no domain" if bare else f"domains that lie in several parts: {named(torn)}"
        found = f"R1: {count(len(parts), 'part')}, and {what}: no one can say what a part may decide alone"
        return not_done(found, "give each task a domain, and domains small enough to lie in one part")
    return done(f"R1: {count(len(parts), 'part')} of whole domains, below {evidence.plan.primary.id}: {named(parts)}")


def _torn(evidence: JobEvidence, parts: Sequence[str]) -> list[str]:
    """Return the domains whose tasks lie in more than one part; the first name of a label is the domain."""
    plan, places = evidence.plan, defaultdict[str, set[str]](set)
    for task in plan.tasks:
        agent = plan.agent_of.get(task.id, "")
        if task.domain and agent in plan.nodes:
            places[task.domain.partition(".")[0]].add(plan.part_of(agent))
    return sorted(domain for domain, where in places.items() if len(where & {*parts, ""}) > 1)


@federated
def _federation_contracts(evidence: JobEvidence) -> ItemAnswer:
    bare = _without_contract(evidence)
    if not evidence.phases and not evidence.handed_on:
        return not_applicable("C7: no agent uses what another one makes")
    if bare:
        return not_done(
            f"C7: no contract for what comes from {named(bare)}", "state it, with a version in a task graph"
        )
    return _versions_in_run(evidence) if evidence.phases else done("C7: each output that others use names its contract")


@from_run
def _versions_in_run(run: RunView) -> ItemAnswer:
    versions = dict.fromkeys(s.handoff.output_location.contract for s in run.steps if s.handoff.output_location)
    return done(f"C7: {count(len(versions), 'contract')} with a version in run {run.record.run_id}: {named(versions)}")


@federated
@from_run
def _integrated_apart(run: RunView) -> ItemAnswer:
    kinds = integrating_kinds(run)
    if not kinds[NodeKind.DOMAIN.value]:
        found = f"X2: in run {run.record.run_id} no domain integrated its own"
        return not_done(found, COMBINE)
    return done(f"X2: in run {run.record.run_id} parts integrated their own: {tallied(kinds)}")


@federated
def _eventually_consistent(evidence: JobEvidence) -> ItemAnswer:
    domain_of = {task.id: task.domain for task in evidence.plan.tasks}
    tight = [
        f"{task.id} → {link.task}"
        for task in evidence.plan.tasks
        for link in task.depends_on
        if link.coupling is Coupling.TIGHT and domain_of[link.task] != task.domain
    ]
    tight += [f"{user} → {used}" for user, used in evidence.tight_phases if _apart(evidence, user, used)]
    if tight:
        found = f"D3: {count(len(tight), 'tight dependency', 'tight dependencies')} across domains: {named(tight)}"
        return not_done(found, "make them loose, or move both ends into one domain")
    if not evidence.plan.handoffs.crossing:
        return not_applicable("D3: no domain uses what another one makes")
    crossing = count(evidence.plan.handoffs.crossing, "handoff")
    return done(f"D3: {crossing} between domains, none of them tight, so no domain waits for another at every step")


def _apart(evidence: JobEvidence, user: str, used: str) -> bool:
    """Tell whether the tasks of two phases lie in more than one domain."""
    return len({task.domain for task in evidence.plan.tasks if task.phase in {user, used}}) > 1


@large
def _coordination_agents(evidence: JobEvidence) -> ItemAnswer:
    planned = [one.id.rpartition("/")[2] for one in evidence.plan.infrastructure]
    if not planned:
        found = "R11: the journal keeps the state and carries messages; no agent verifies or audits"
        return not_done(found, STATE_OVERSIGHT)
    asked = {step.handoff.task_id.rpartition("/")[2] for run in evidence.runs for step in run.steps if _judges(step)}
    if not asked.issuperset(planned):
        found = f"R11: {named(planned)} judge the work of others in the plan, and no run shows all of them at work"
        return not_done(found, "run the job")
    return done(f"R11: {named(planned)} judge the work of others, and report to a person; the journal does the rest")


def _judges(step: StepRecord) -> bool:
    return step.kind is StepKind.CHECK and ("/verify/" in step.handoff.task_id or "/audit/" in step.handoff.task_id)


@large
@from_steps
def _state_kept(run: RunView) -> ItemAnswer:
    keys = {step.key for step in run.steps}
    return done(f"F8: the journal keeps {count(len(keys), 'step')} of run {run.record.run_id} by what they were given")


@large
@with_run
def _messages_routed(evidence: JobEvidence, run: RunView) -> ItemAnswer:
    pairs = evidence.plan.pairs
    if not run.measures.bytes_by_reference:
        return not_done(f"C6: nothing was handed on by reference in run {run.record.run_id}", "see what its tasks made")
    size = f"{run.measures.bytes_by_reference:,} bytes by reference (C6)"
    return done(
        f"R7: work moves along {pairs.structure:,} pairs instead of {pairs.mesh:,}, in run {run.record.run_id} {size}"
    )


@large
def _statistics_shown(evidence: JobEvidence) -> ItemAnswer:
    if evidence.plan.n_agents < STATISTICS_FROM:
        return not_applicable(f"V5: statistics are asked for from {STATISTICS_FROM} agents on")
    first = evidence.last.measures.first_try_rate if evidence.last else None
    rates = (
        f"rates are measured ({share(first)} at the first attempt)" if first is not None else "no rate is measured yet"
    )
    return not_done(
        f"V5: {rates}, distributions and samples are not in this version", "echelon show RUN --json has all"
    )


def _without_contract(evidence: JobEvidence) -> list[str]:
    if evidence.phases:
        return [call.name for call in evidence.calls if call.contract is None]
    return [task.id for task in evidence.handed_on if task.contract is None]


ENTRIES = (
    Entry("hierarchy.sub-orchestrators", "Parts of the work have leads of their own.", _leads_there),
    Entry("hierarchy.domain-boundaries", "It is settled which domain each task belongs to.", _domains_bounded),
    Entry("hierarchy.cross-domain", "What crosses a domain follows an agreement.", _domains_coordinated),
    Entry("hierarchy.aggregation", "Results are put together level by level.", _aggregated_in_stages),
    Entry(
        "federation.boundaries", "The whole is divided into parts that can go on by themselves.", _federations_bounded
    ),
    Entry("federation.contracts", "Those parts rely on contracts with versions.", _federation_contracts),
    Entry("federation.integration", "Each of those parts integrates its own.", _integrated_apart),
    Entry("federation.eventual-consistency", "Parts need not agree at every moment.", _eventually_consistent),
    Entry("infrastructure.agents", "Some agents do nothing but coordinate.", _coordination_agents),
    Entry("infrastructure.state", "The state of the whole is kept in one durable place.", _state_kept),
    Entry(
        "infrastructure.routing",
        "Handoffs reach their consumers without all agents talking to each other.",
        _messages_routed,
    ),
    Entry("infrastructure.statistics", "Many agents are looked at by rates and samples.", _statistics_shown),
)
