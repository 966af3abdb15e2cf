"""Say in plain sentences why a plan is as it is, each with the rule behind it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from echelon.model.graph import TaskSpec
from echelon.model.organisation import Structure
from echelon.model.phrasing import count
from echelon.model.plan import HandoffCount, Node, NodeKind, Pairs, PhasePlan, Reason
from echelon.planning.enough import SingleAgentReason
from echelon.planning.labels import by_capability
from echelon.planning.outline import cohesion
from echelon.planning.regime import Priority, overhead_floor, recommended_levels, structure_for
from echelon.planning.schedule.order import producers_of
from echelon.planning.schedule.phase_graph import depths, needs_of_phases


class PlanFacts(NamedTuple):
    """What the reasons are made from."""

    tasks: Sequence[TaskSpec]
    """All tasks."""
    tree: Sequence[Node]
    """All nodes."""
    structure: Structure
    """How the agents are organised."""
    levels: int
    """Coordinating levels."""
    span: int
    """The most direct reports allowed."""
    priority: Priority | None
    """What the plan is optimised for."""
    phases: Sequence[PhasePlan]
    """All phases."""
    owners: Mapping[str, str]
    """Who owns what."""
    pairs: Pairs
    """Who talks to whom."""
    handoffs: HandoffCount
    """How often work changes hands."""
    enough: SingleAgentReason | None = None
    """Why one agent is enough, or is not although it was wanted; None when there is nothing to say."""
    levelled: bool = False
    """Do tasks stand in later phases than they could, so that phases are shorter?"""

    @property
    def agents(self) -> int:
        """Agents that do tasks."""
        return sum(node.kind is NodeKind.AGENT for node in self.tree)

    @property
    def labels(self) -> int:
        """Different domain labels."""
        return len({task.domain for task in self.tasks if task.domain})

    @property
    def chained(self) -> bool:
        """Does any agent use another one directly, not only through a sync point?"""
        return any(self.owners[used] != self.owners[task.id] for task in self.tasks for used in producers_of(task))

    @property
    def vanished(self) -> int:
        """Handoffs from a task to another one of the same agent: they are none."""
        return sum(self.owners[used] == self.owners[task.id] for task in self.tasks for used in producers_of(task))

    @property
    def dependent(self) -> bool:
        """Does any agent use the work of another?"""
        return self.handoffs.after > 0


#: Coordinating levels from which leads are led by leads (R1): with fewer there are the primary and one level of leads.
LEADS_OF_LEADS_FROM = 3

#: Why each structure is the one for its numbers (R1).
_WHY_STRUCTURE: dict[Structure, str] = {
    Structure.SINGLE: "there is nothing to coordinate",
    Structure.FLAT: "one coordinator can still follow all agents, so a hierarchy would only add cost",
    Structure.HIERARCHICAL: "one coordinator can no longer follow all agents, so there are leads in between",
    Structure.MULTI_TIER: "the leads themselves need to be led, and outputs are integrated in stages",
    Structure.FEDERATED: "no agent can hold the whole, so domains work alone and meet through explicit contracts",
}

_ONE_LEVEL_OF_LEADS = (
    "one coordinator can no longer follow all agents nor integrate all outputs, so that leads integrate in stages"
)
_EARLY_FEDERATION = "resilience comes first, so domains work alone and meet through explicit contracts"


def why_structure(structure: Structure, levels: int, agents: int) -> str:
    """Return why `agents` are organised like this on so many coordinating levels (R1)."""
    if structure is Structure.MULTI_TIER and levels < LEADS_OF_LEADS_FROM:
        return _ONE_LEVEL_OF_LEADS
    if structure is Structure.FEDERATED and structure_for(agents) is not Structure.FEDERATED:
        return _EARLY_FEDERATION
    return _WHY_STRUCTURE[structure]


#: What a priority does to the tree (R1, R2).
WHY_PRIORITY: dict[Priority, str] = {
    "coherence": "priority coherence: the tree takes the recommended depth, with narrower teams",
    "speed": "priority speed: the tree is as flat as the span allows, and agents decide more on their own",
    "resilience": "priority resilience: the top is divided widely, so that a failing part takes the least with it",
}


def reasons_for(facts: PlanFacts) -> tuple[Reason, ...]:
    """Return the reasons of a plan, most important first."""
    if not facts.tasks:
        return (Reason(rule="R1", text="0 agents: the graph has no tasks, so there is nothing to organise"),)
    return tuple(Reason(rule=rule, text=text) for rule, text in _reasons(facts))


def _reasons(facts: PlanFacts) -> Iterator[tuple[str, str]]:
    n = facts.agents
    yield "R1", f"{count(n, 'agent')}: {facts.structure}, because {why_structure(facts.structure, facts.levels, n)}"
    if facts.enough:
        yield facts.enough.rule, facts.enough.text
    yield from _manner(facts)
    yield from _merged(facts)
    levels = f"{count(facts.levels, 'coordinating level')} ({recommended_levels(n)} recommended)"
    yield "R2", f"{levels}: no one has more than {facts.span} direct reports"
    if facts.priority:
        yield "R1", WHY_PRIORITY[facts.priority]
    ends = "each ends" if len(facts.phases) > 1 else "it ends"
    joined = sum(phase.continues is not None for phase in facts.phases)
    but = f"; {count(joined, 'phase')} begun by each agent when it is done with the one before" if joined else ""
    phases = f"{count(len(facts.phases), 'phase')}, {_phases_from(facts)}"
    yield "D4", f"{phases}; {ends} with a sync point{but}{_at_the_same_time(facts.phases)}"
    yield from _synchronised(facts)
    yield "D6", _ownership(facts)
    if facts.pairs.structure < facts.pairs.mesh:
        yield "R7", f"{count(facts.pairs.structure, 'pair')} along the tree instead of {facts.pairs.mesh:,} in a mesh"
    if facts.levels > 1 and facts.pairs.scoped is not None:
        views = f"{facts.pairs.scoped:,} of {n * (n - 1):,} views"
        yield "V4", f"{views} when each agent sees its scope only: n × k, with k = {facts.pairs.scoped / n:.1f} others"
    if floor := overhead_floor(n):
        yield "R4", f"no design at this size coordinates for less than {floor.low:.0%} to {floor.high:.0%} of the cost"


def _manner(facts: PlanFacts) -> Iterator[tuple[str, str]]:
    """Say how the structure is used: the branches of R1, and the labels of D2."""
    if facts.structure is Structure.FLAT:
        yield "R1", FLAT_MANNER[facts.dependent, len(facts.phases) > 1]
    if facts.labels and facts.levels > 1:
        kept = facts.labels - len(cohesion(facts.tree).divided)
        contracts = f"{count(facts.handoffs.crossing, 'handoff')} between domains, each under an explicit contract"
        yield "D2", f"{kept:,} of {count(facts.labels, 'given domain')} kept together; {contracts}"
    if not facts.labels and facts.levels > 1:
        yield _formed_teams(facts)


def _formed_teams(facts: PlanFacts) -> tuple[str, str]:
    """Say how teams are formed where no domains are given: by capability, by dependencies, or evenly."""
    if by_capability(facts.tasks):
        abilities = len({task.capability for task in facts.tasks})
        return "R1", f"no domains given, and nothing depends on anything: teams by capability, {abilities} of them"
    if facts.chained:
        return "D2", _found_domains(facts)
    return "D2", "no domains given: agents are divided evenly into teams"


def _found_domains(facts: PlanFacts) -> str:
    inside = facts.handoffs.after - facts.handoffs.between_teams
    counted = f"{inside:,} of {count(facts.handoffs.after, 'handoff')} need not leave a team"
    hubs = facts.handoffs.at_sync_points
    synced = f"; {hubs:,} of the others are made at sync points, since a hub is at one end" if hubs else ""
    return f"no domains given: teams and domains are found by clustering the dependencies; {counted}{synced}"


def _merged(facts: PlanFacts) -> Iterator[tuple[str, str]]:
    """Say what merging tasks into feature agents saved (D1)."""
    vanished = len(facts.tasks) - facts.agents
    if vanished and facts.handoffs.before == 0:
        yield "D1", f"{len(facts.tasks):,} tasks are done by {count(facts.agents, 'agent')}"
    elif vanished:
        saved = facts.handoffs.tokens_saved
        gone = f"{count(facts.vanished, 'handoff')} of {facts.handoffs.before:,} vanished"
        tokens = f", {saved.low / 1000:,.0f} to {saved.high / 1000:,.0f} thousand tokens saved" if saved.high else ""
        yield "D1", f"{len(facts.tasks):,} tasks merged into {count(facts.agents, 'agent')}: {gone}{tokens}"


def _synchronised(facts: PlanFacts) -> Iterator[tuple[str, str]]:
    """Say what handing on at sync points saved, where tasks wait for whole phases (D4)."""
    direct = sum(len(producers_of(task)) for task in facts.tasks)
    through = facts.handoffs.before - direct
    less = facts.handoffs.before - facts.handoffs.after - facts.vanished
    if through and less > 0:
        yield "D4", f"{count(less, 'handoff')} saved: outputs of whole phases are handed on once, at their sync point"


#: (Does any agent use the work of another? Is there more than one phase?) → how a flat structure works (R1).
FLAT_MANNER: dict[tuple[bool, bool], str] = {
    (False, False): "the tasks are independent: all run at once, with a single integration at the end",
    (False, True): "no agent uses the work of another, but what they share, or a gate, lets some of them begin later",
    (True, False): "the tasks depend on each other: the coordinator hands on directly from one to the next",
    (True, True): "the tasks depend on each other: the coordinator hands on directly from one to the next",
}


def _ownership(facts: PlanFacts) -> str:
    leads = len(facts.tree) - facts.agents
    crossings = len(facts.owners) - len(facts.tasks) - leads
    return (
        f"one owner for each of {count(len(facts.tasks), 'task')}, {count(leads, 'integration')} and "
        f"{count(crossings, 'dependency', 'dependencies')} between teams"
    )


def _at_the_same_time(phases: Sequence[PhasePlan]) -> str:
    """Say so when not every phase waits for the one before it (X12)."""
    steps = Counter(depths(needs_of_phases(phases)).values())
    if len(steps) == len(phases):
        return ""
    widest = max(steps.values())
    together = f"{widest:,} are at work side by side" if widest < len(phases) else "all are at work side by side"
    return f", and {together}, since nothing of one is needed by another"


def _phases_from(facts: PlanFacts) -> str:
    declared = any(task.phase is not None for task in facts.tasks)
    origin = "declared by the job" if declared else "by the levels of the dependencies"
    shared = any(task.touches for task in facts.tasks)
    apart = ", and tasks that change the same thing kept apart" if shared else ""
    return origin + apart + (", long tasks moved beside other long ones" if facts.levelled else "")
