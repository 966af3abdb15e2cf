"""Turn a task graph into a plan: pure, the same graph always gives the same plan (D)."""

from collections.abc import Iterator, Sequence

from echelon.model.graph import TaskGraph
from echelon.model.plan import Finding, FindingLevel, NodeKind, Plan
from echelon.planning.forecast import duration_findings, handoffs, makespan, overhead
from echelon.planning.outline import label_findings, levels_of
from echelon.planning.owners import assign_owners
from echelon.planning.phases import assign_phases
from echelon.planning.reasons import Facts, reasons_for
from echelon.planning.regime import DEFAULT_SPAN, Priority, pairs, profile, structure_for
from echelon.planning.tree import build_tree


def plan(
    graph: TaskGraph,
    *,
    phase_order: Sequence[str] = (),
    span: int = DEFAULT_SPAN,
    priority: Priority | None = None,
    max_concurrency: int | None = None,
) -> Plan:
    """Decide how the tasks of `graph` are organised, run, owned and what that will cost (R1, R2, R4, R7, D2, D4, D6).

    `phase_order` gives the order of declared phases, `span` the most direct reports anybody may have, `max_concurrency`
    the agents at work at one time in the forecast. Raises `InvalidInput` for cyclic dependencies, dependencies against
    the order of the phases, a span below 2 or a concurrency below 1. An empty graph gives a plan with no agents.

    >>> from echelon.model.graph import TaskGraph, TaskSpec
    >>> tasks = tuple(TaskSpec(id=f"t{i}", goal="look") for i in range(9))
    >>> made = plan(TaskGraph(name="audit", goal="find risks", tasks=tasks))
    >>> made.structure.value, made.levels, made.primary.members
    ('hierarchical', 2, ('team:1', 'team:2'))
    """
    tree = build_tree(graph.tasks, span, priority)
    agents = sum(node.kind is NodeKind.AGENT for node in tree)
    phases = assign_phases(graph.tasks, phase_order=phase_order, owner=tree[0].id)
    facts = Facts(
        tasks=graph.tasks,
        tree=tree,
        structure=structure_for(agents, priority),
        levels=levels_of(tree),
        span=span,
        priority=priority,
        phases=phases,
        owners=assign_owners(graph.tasks, tree),
        pairs=pairs(agents, len(tree) - agents),
        handoffs=handoffs(graph.tasks, tree),
    )
    return Plan(
        job=graph.name,
        goal=graph.goal,
        n_agents=agents,
        structure=facts.structure,
        levels=facts.levels,
        span=span,
        tree=tree,
        tasks=graph.tasks,
        phases=phases,
        owners=dict(facts.owners),
        handoffs=facts.handoffs,
        pairs=facts.pairs,
        overhead=overhead(agents),
        makespan=makespan(graph.tasks, phases, max_concurrency),
        profile=profile(agents),
        reasons=reasons_for(facts),
        findings=(*label_findings(tree), *duration_findings(graph.tasks), *_empty_phases(graph, phase_order)),
    )


def _empty_phases(graph: TaskGraph, phase_order: Sequence[str]) -> Iterator[Finding]:
    """Name declared phases that have nothing to do: a mistyped path looks just like success (D4)."""
    busy = {task.phase for task in graph.tasks}
    for phase in phase_order:
        if phase not in busy:
            message = f"phase {phase!r} has no items, so it is left out"
            yield Finding(
                rule="D4", level=FindingLevel.WARNING, where=phase, message=message, fix="check what finds its items"
            )
