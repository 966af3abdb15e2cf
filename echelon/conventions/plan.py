"""What conventions say about one plan: names, phases, owners, contracts, budget, gates, shared things (D6, D9)."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from echelon.conventions.size import Lines
from echelon.conventions.texts import Aspect
from echelon.model.graph import Coupling, TaskSpec
from echelon.model.markdown import NAMED_AT_MOST, literal, names
from echelon.model.organisation import Structure
from echelon.model.phrasing import count, listed
from echelon.model.plan import NodeKind, PhasePlan, Plan
from echelon.planning.schedule.phase_graph import depths, direct_needs, needs_of_phases

NAMED_IN_A_ROW = 4  # names of one row, where a list has a row for each of several things

#: Coordinators below the primary, as they are spoken of.
LEADS: dict[NodeKind, str] = {NodeKind.DOMAIN: "domain", NodeKind.TEAM: "team"}


def plan_lines(plan: Plan) -> Lines:
    """Return what is true of this plan only, by aspect; names are bounded and marked as names."""
    return {
        Aspect.STRUCTURE: tuple(_who_leads_whom(plan)),
        Aspect.SYNC: tuple(_phases(plan)),
        Aspect.INTEGRATION: tuple(_owners(plan)),
        Aspect.VERIFICATION: tuple(_verifiers(plan)),
        Aspect.VOCABULARY: tuple(_couplings(plan)),
        Aspect.CONTRACTS: tuple(_contracts(plan)),
        Aspect.BUDGETS: tuple(_budget(plan)),
        Aspect.GATES: tuple(_gates(plan)),
        Aspect.SHARED: tuple(_shared(plan)),
    }


def shared_things(plan: Plan) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Return the things that more than one task changes, each with the tasks and their phases in order (D4)."""
    phase_of = {task: (number, phase.name) for number, phase in enumerate(plan.phases) for task in phase.tasks}
    changed: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for task in plan.tasks:
        for thing in task.touches:
            changed[thing].append((*phase_of[task.id], task.id))
    return {
        thing: [(name, task) for _, name, task in sorted(places)]
        for thing, places in changed.items()
        if len(places) > 1
    }


def _who_leads_whom(plan: Plan) -> Iterator[str]:
    if plan.structure is Structure.SINGLE:
        return  # one agent leads nobody
    primary = plan.primary
    yield f"{literal(primary.id)} is the primary and leads {names(primary.members)}."
    for kind, title in LEADS.items():
        leads = [node.id for node in plan.tree if node.kind is kind]
        if leads:
            ids = "" if tuple(leads) == primary.members else f": {names(leads)}"
            yield f"{count(len(leads), title)}, each with a lead{ids}."
    yield f"No one leads more than {plan.span}; your brief names whom you report to."


def _phases(plan: Plan) -> Iterator[str]:
    if len(plan.tasks) <= 1:
        return
    needs = needs_of_phases(plan.phases)
    in_a_row = len(set(depths(needs).values())) == len(needs)
    after = {} if in_a_row else direct_needs(needs)
    between = ", then " if in_a_row else "; "
    rows = listed(plan.phases, NAMED_AT_MOST, lambda phase: _phase(phase, after.get(phase.name, ())), between)
    yield f"{count(len(plan.phases), 'phase')}: {rows}. Report at the end of yours."
    for one in plan.open[:NAMED_AT_MOST]:
        yield f"{literal(one.phase)} is planned when {names(one.after)} {'are' if len(one.after) > 1 else 'is'} done."
    for phase in plan.phases[:NAMED_AT_MOST]:
        if phase.sync.hubs:
            hubs = names(phase.sync.hubs, NAMED_IN_A_ROW)
            yield f"Handed on at the sync point of {literal(phase.name)}, not one by one: {hubs}."


def _phase(phase: PhasePlan, after: Sequence[str] = ()) -> str:
    behind = f", after {names(after)}" if after else ""
    return f"{literal(phase.name)} ({count(len(phase.tasks), 'task')}{behind})"


def _owners(plan: Plan) -> Iterator[str]:
    owners = dict.fromkeys(phase.sync.owner for phase in plan.phases)
    yield f"The whole is integrated by {names(list(owners))}, the owner of the sync points."
    leads = sum(node.kind is not NodeKind.AGENT for node in plan.tree)
    crossings = len(plan.owners) - len(plan.tasks) - leads
    if crossings > 0:
        crossing = count(crossings, "dependency", "dependencies")
        yield f"{crossing} between teams: each is owned by the nearest coordinator above both ends."


def _verifiers(plan: Plan) -> Iterator[str]:
    checks = [task for task in plan.tasks if task.verifies]
    if checks:
        yield f"Independent checks: {listed(checks, NAMED_AT_MOST, _check, between='; ')}."
    if plan.infrastructure:
        yield f"Coordination agents: {names([agent.id for agent in plan.infrastructure])}."


def _check(task: TaskSpec) -> str:
    return f"{literal(task.id)} checks {names(task.verifies, NAMED_IN_A_ROW)}"


def _couplings(plan: Plan) -> Iterator[str]:
    counts = Counter(used.coupling for task in plan.tasks for used in task.depends_on)
    if counts:
        yield f"In this plan: {', '.join(f'{counts[word]:,} {word.value}' for word in Coupling if counts[word])}."


def _contracts(plan: Plan) -> Iterator[str]:
    contracts = Counter(task.contract for task in plan.tasks if task.contract)
    if contracts:
        rows = [f"{literal(name)} ({count(number, 'task')})" for name, number in contracts.most_common()]
        yield f"Outputs keep: {listed(rows, NAMED_AT_MOST)}."
    if plan.handoffs.crossing:
        yield f"{count(plan.handoffs.crossing, 'handoff')} between domains, each under its contract."


def _budget(plan: Plan) -> Iterator[str]:
    bounds = plan.budget.model_dump(exclude_none=True, exclude={"final_call"}) if plan.budget else {}
    if bounds:
        yield f"The job may use {', '.join(f'{_plain(value)} {unit}' for unit, value in bounds.items())} at most."


def _plain(value: float) -> str:
    return f"{value:,}".removesuffix(".0")


def _gates(plan: Plan) -> Iterator[str]:
    gated = [phase for phase in plan.phases if phase.gate]
    if gated:
        yield f"Behind a gate: {listed(gated, NAMED_AT_MOST, _gate, between='; ')}."
        yield "None of these begins before all who take part are ready and every concern about it is disposed of."


def _gate(phase: PhasePlan) -> str:
    return f"{names(phase.gate, NAMED_IN_A_ROW)} in {literal(phase.name)}"


def _changing(plan: Plan, places: Sequence[tuple[str, str]]) -> str:
    """Return who changes a thing: in turns, or one agent that holds all tasks which do, so that nobody takes turns."""
    agents = dict.fromkeys(plan.agent_of.get(task, task) for _, task in places)
    if len(agents) == 1:
        return f"{count(len(places), 'task')}, one after another, all of them of agent {names(list(agents))}"
    return listed(places, NAMED_IN_A_ROW, _turn, between=", then ")


def _turn(place: tuple[str, str]) -> str:
    phase, task = place
    return f"{literal(task)} in {literal(phase)}"


def _shared(plan: Plan) -> Iterator[str]:
    things = shared_things(plan)
    for thing, places in list(things.items())[:NAMED_AT_MOST]:
        yield f"{literal(thing)} is changed by {_changing(plan, places)}; no other agent."
    if len(things) > NAMED_AT_MOST:
        yield f"And {len(things) - NAMED_AT_MOST:,} more things are shared in this way."
