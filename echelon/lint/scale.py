"""Anti-patterns of scale: too many agents, flat past ten, one pattern for every size (L1, L2, L8)."""

from collections.abc import Iterator
from math import ceil

from echelon.lint.ceremony import large_ceremony
from echelon.lint.context import ERROR, INFO, WARNING, LintContext, Problem
from echelon.lint.domains import one_pattern_for_unlike_domains
from echelon.model.organisation import Structure
from echelon.model.phrasing import count
from echelon.model.plan import NodeKind
from echelon.planning.enough import obstacles, wish_refused
from echelon.planning.regime import DEFAULT_SPAN, SYNC, VISIBILITY, Table, row, structure_for
from echelon.scaling.scalability import flat_ceiling

FLAT_LIMIT = 10  # agents; beyond, one coordinator costs more than a level of leads (L2)
FAR = 2  # structures apart, from which a wish is an error and no matter of taste (L8)

#: Ways to synchronise that do not fit so many agents (R4: as needed up to 3, in tiers above 30).
SYNC_MISFITS: Table[dict[str, str]] = (
    (3, {"interval": "a fixed rhythm costs more than asking when it is needed"}),
    (30, {}),
    (None, {"event": "with so many agents some event always happens, so that all are constantly interrupted"}),
)

#: Ways to look that do not fit so many agents (R4, V5: statistics from 200 agents on).
VISIBILITY_MISFITS: Table[dict[str, str]] = (
    (199, {"sampling": "a sample of so few hides what could all be seen"}),
    (None, {}),
)


def more_agents(context: LintContext) -> Iterator[Problem]:
    """Find agents beyond what the graph, a flat organisation, or a strong single agent leaves them to do (L1)."""
    yield from _beyond_the_graph(context)
    yield from _beyond_the_flat_ceiling(context)
    yield from _beyond_a_strong_agent(context)


def _beyond_the_graph(context: LintContext) -> Iterator[Problem]:
    asked, chain = context.wishes.agents, context.chain
    if not context.tasks or asked is None or asked <= ceil(round(chain.speedup, 9)):
        return
    most = ceil(round(chain.speedup, 9))
    yield Problem(
        WARNING,
        "organisation.agents",
        f"{count(asked, 'agent')} asked for, but all work is only {chain.speedup:.1f} times its longest chain "
        f"({count(len(chain.tasks), 'task')}, ending in {chain.tasks[-1]!r}): no number of agents is faster than that, "
        "and every further one has to be coordinated",
        f"ask for {count(most, 'agent')} at most, or shorten the longest chain",
    )


def _beyond_the_flat_ceiling(context: LintContext) -> Iterator[Problem]:
    most = flat_ceiling()
    if context.wishes.structure is not Structure.FLAT or context.agents <= most:
        return
    yield Problem(
        WARNING,
        "organisation.structure",
        f"{count(context.agents, 'agent')} in a flat organisation are past its predicted ceiling of {most}: from there "
        "on each further agent takes away more throughput than it adds",
        f"use {most} agents at most, or a {structure_for(context.agents)} structure",
    )


def _beyond_a_strong_agent(context: LintContext) -> Iterator[Problem]:
    seen, limit = context.wishes.single_agent_success, context.graph.priors.strong_baseline
    if seen is None or seen < limit or context.agents < 2 or wish_refused(context.graph):
        return
    asked = context.wishes.agents is not None or context.wishes.structure is not None
    yield Problem(
        WARNING if asked else INFO,
        "organisation.single_agent_success",
        f"one agent alone succeeds in {seen:.0%} of such jobs, and from {limit:.0%} on others add little but their "
        f"coordination; here are {count(context.agents, 'agent')}",
        "let one agent do it, or measure that several do better",
    )


def flat_past_ten(context: LintContext) -> Iterator[Problem]:
    """Find one coordinator for more than ten agents, asked for or planned (L2)."""
    agents = context.agents
    if context.wishes.structure is Structure.FLAT and agents > FLAT_LIMIT:
        level, where, what = ERROR, "organisation.structure", f"a flat structure is asked for {agents:,} agents"
    elif planned_flat(context):
        # With a larger span somebody wanted it so.
        level = WARNING if context.plan.span >= len(context.plan.primary.members) else ERROR
        where, what = (
            context.plan.primary.id,
            f"{context.plan.primary.id!r} coordinates all {context.plan.n_agents:,} agents",
        )
    else:
        return
    yield Problem(
        level,
        where,
        f"{what}: past {FLAT_LIMIT} the single coordinator is saturated, all agents wait for it, and integration fails",
        f"add leads in between: {structure_for(agents)}, none with more than {DEFAULT_SPAN} direct reports",
    )


def planned_flat(context: LintContext) -> bool:
    """Tell whether the plan has one coordinator for more than ten agents."""
    coordinators = sum(node.kind is not NodeKind.AGENT for node in context.plan.tree)
    return coordinators == 1 and len(context.plan.primary.members) > FLAT_LIMIT


def one_pattern_for_all_scales(context: LintContext) -> Iterator[Problem]:
    """Find wishes that fit another size: structure, sync, visibility; what L2 and L4 say is not said again (L8)."""
    yield from _other_structure(context)
    yield from _misfit(context, "sync", context.wishes.sync, SYNC_MISFITS, row(SYNC, context.agents))
    yield from _misfit(
        context, "visibility", context.wishes.visibility, VISIBILITY_MISFITS, row(VISIBILITY, context.agents)
    )
    yield from large_ceremony(context)
    yield from one_pattern_for_unlike_domains(context)


def _other_structure(context: LintContext) -> Iterator[Problem]:
    asked, fits = context.wishes.structure, structure_for(context.agents)
    told_by_l2 = asked is Structure.FLAT and context.agents > FLAT_LIMIT
    if asked is None or asked in {fits, context.plan.structure} or told_by_l2 or not context.tasks:
        return
    order = list(Structure)
    distance = order.index(asked) - order.index(fits)
    problem = "its levels would cost more than they save" if distance > 0 else "its coordinators would be saturated"
    if asked is Structure.SINGLE:
        problem = "; ".join(obstacles(context.graph)) or "others are asked for as well"
    yield Problem(
        ERROR if abs(distance) >= FAR else WARNING,
        "organisation.structure",
        f"the structure {asked} is asked for, but {count(context.agents, 'agent')} ask for {fits}: {problem}",
        f"ask for {fits}, or leave the structure to the plan",
    )


def _misfit(
    context: LintContext, field: str, asked: str | None, misfits: Table[dict[str, str]], usual: str
) -> Iterator[Problem]:
    why = row(misfits, context.agents).get(asked or "")
    if why is None or context.agents < 2:
        return
    yield Problem(
        WARNING,
        f"organisation.{field}",
        f"{field} {asked!r} does not fit {count(context.agents, 'agent')}: {why}",
        f"usual at this size: {usual}; or leave it to the plan",
    )
