"""Turn a task graph into a plan: pure, the same graph always gives the same plan (D)."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType

from echelon.model.graph import CapacityLimit, TaskGraph
from echelon.model.plan import Finding, FindingLevel, Node, NodeKind, PhasePlan, Plan
from echelon.planning.decomposition import Decomposition, decompose
from echelon.planning.domains import domains_of
from echelon.planning.features import phases_of_features
from echelon.planning.grown import grown_tree
from echelon.planning.handoffs import handoffs
from echelon.planning.outline import label_findings, levels_of
from echelon.planning.overhead import overhead
from echelon.planning.owners import assign_owners
from echelon.planning.phases import assign_phases
from echelon.planning.reasons import PlanFacts, reasons_for
from echelon.planning.regime import DEFAULT_SPAN, Priority, pairs, profile, structure_for
from echelon.planning.schedule.levelling import levelled
from echelon.planning.schedule.limited import common_width, turns
from echelon.planning.schedule.makespan import Schedule, duration_findings, durations, makespan
from echelon.planning.schedule.phase_graph import connected
from echelon.planning.scope import scoped_views
from echelon.planning.sizes import size_findings
from echelon.planning.spending import spending


def plan(
    graph: TaskGraph,
    *,
    phase_order: Sequence[str] = (),
    span: int = DEFAULT_SPAN,
    priority: Priority | None = None,
    limits: Sequence[CapacityLimit] = (),
    agents_fixed: bool = False,
    grown: Sequence[str] = (),
    together: Sequence[Sequence[str]] = (),
    spans: Mapping[str, int | None] = MappingProxyType({}),
) -> Plan:
    """Decide how the tasks of `graph` are organised, run, owned and what that will cost (R, D).

    `phase_order` gives the order of declared phases, `span` the most direct reports anybody may have, `limits`
    what bounds how many agents are at work, in the forecast and in a run; with `agents_fixed` every task has an agent
    of its own already, and none are merged but for the groups in `together`, whose tasks are in phases one behind the
    other (D1). Phases in `grown` find their items on the way: they have a part of the tree to themselves, which may be
    added later and changes nothing else (X12); those in `spans` have one too, with the most direct reports that are
    given for it, or else the usual ones (R10). Raises `InvalidInput` for cyclic
    dependencies, dependencies against the order of the phases, or a span below 2. An empty graph gives a plan with no
    agents.

    >>> from echelon.model.graph import TaskGraph, TaskSpec
    >>> tasks = tuple(TaskSpec(id=f"t{i}", goal="look") for i in range(9))
    >>> made = plan(TaskGraph(name="audit", goal="find risks", tasks=tasks))
    >>> made.structure.value, made.levels, made.primary.members
    ('hierarchical', 2, ('team:1', 'team:2'))
    """
    parts = decompose(graph, fixed=agents_fixed, together=together)
    apart = {**dict.fromkeys(grown), **spans}
    tree = grown_tree(parts.agents, apart, span, priority)
    # Who is called in a phase that was declared is settled; those who change the same thing take turns in it (D4).
    in_turn = [agent.model_copy(update={"touches": ()}) for agent in parts.agents] if agents_fixed else parts.agents
    earliest = assign_phases(in_turn, phase_order=phase_order, owner=tree[0].id, span=span)
    if agents_fixed:
        limits = (*(one for one in limits if one.thing is None), *turns(parts.agents))
    phases = levelled(parts.agents, earliest, durations(parts.agents), common_width(parts.agents, limits))
    connections = connected(parts.agents, phases)
    schedule = Schedule(agents=parts.agents, phases=connections, tree=tree, priors=graph.priors, limits=limits)
    facts = _facts(graph, parts, schedule, span, priority, together)._replace(levelled=phases != earliest)
    findings = (
        *label_findings(facts.tree),
        *duration_findings(graph.tasks),
        *size_findings(parts.agents, graph.priors),
        *_empty_phases(graph, [phase for phase in phase_order if phase not in grown]),
    )
    made = _plan(graph, facts, schedule, findings)
    return made.model_copy(update={"domains": domains_of(made)})


def _facts(
    graph: TaskGraph,
    parts: Decomposition,
    schedule: Schedule,
    span: int,
    priority: Priority | None,
    together: Sequence[Sequence[str]],
) -> PlanFacts:
    """Look at what was decided for agents from the side of their tasks."""
    tree = _holding(schedule.tree, parts.holds)
    agents = len(parts.agents)
    stages = tuple(_of_tasks(phase, parts.holds) for phase in schedule.phases)
    return PlanFacts(
        tasks=graph.tasks,
        tree=tree,
        structure=structure_for(agents, priority),
        levels=levels_of(tree),
        span=span,
        priority=priority,
        phases=phases_of_features(graph.tasks, stages, together),
        owners=assign_owners(graph.tasks, tree),
        pairs=pairs(agents, len(tree) - agents, scoped_views(graph.tasks, tree)),
        handoffs=handoffs(graph.tasks, tree, graph.priors, span),
        enough=parts.enough,
    )


def _plan(graph: TaskGraph, facts: PlanFacts, schedule: Schedule, findings: tuple[Finding, ...]) -> Plan:
    agents = facts.agents
    reports = agents if agents > 1 else 0
    return Plan(
        job=graph.name,
        goal=graph.goal,
        n_agents=agents,
        structure=facts.structure,
        levels=facts.levels,
        span=facts.span,
        tree=tuple(facts.tree),
        tasks=graph.tasks,
        phases=tuple(facts.phases),
        owners=dict(facts.owners),
        handoffs=facts.handoffs,
        pairs=facts.pairs,
        overhead=overhead(agents),
        makespan=makespan(schedule),
        limits=tuple(schedule.limits),
        spending=spending(graph.tasks, facts.handoffs.after + reports, graph.prices, graph.priors),
        profile=profile(agents),
        organisation=graph.organisation,
        budget=graph.budget,
        standing=graph.standing,
        priors=graph.priors,
        reasons=reasons_for(facts),
        findings=findings,
    )


def _holding(tree: Sequence[Node], holds: Mapping[str, tuple[str, ...]]) -> tuple[Node, ...]:
    """Write into each agent of a tree the tasks that it holds."""
    return tuple(
        node.model_copy(update={"members": holds[node.id]}) if node.kind is NodeKind.AGENT else node for node in tree
    )


def _of_tasks(phase: PhasePlan, holds: Mapping[str, tuple[str, ...]]) -> PhasePlan:
    """Name the tasks of a phase instead of its agents; what a hub makes is the output of its last task."""
    sync = phase.sync.model_copy(update={"hubs": tuple(holds[agent][-1] for agent in phase.sync.hubs)})
    tasks = tuple(chain.from_iterable(holds[agent] for agent in phase.tasks))
    return phase.model_copy(update={"tasks": tasks, "sync": sync})


def _empty_phases(graph: TaskGraph, phase_order: Sequence[str]) -> Iterator[Finding]:
    """Name declared phases that have nothing to do: a mistyped path looks just like success (D4)."""
    busy = {task.phase for task in graph.tasks}
    for phase in phase_order:
        if phase not in busy:
            message = f"phase {phase!r} has no items, so it is left out"
            yield Finding(
                rule="D4", level=FindingLevel.WARNING, where=phase, message=message, fix="check what finds its items"
            )
