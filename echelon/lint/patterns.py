"""Anti-patterns of control: always in touch, seeing everything, tightly tied, approving everything (L3, L4, L5, L7)."""

from collections.abc import Iterator
from itertools import chain

from echelon.lint.context import ERROR, WARNING, LintContext, Problem, named
from echelon.lint.scale import planned_flat
from echelon.model.graph import Coupling
from echelon.model.phrasing import count
from echelon.planning.regime import pairs, scoped_pairs
from echelon.planning.scope import scoped_views

SMALL_UP_TO = 10  # agents; up to here everybody may see everything, and bad habits are affordable
MANY_PHASES = 4  # phases; fewer say nothing about a habit
WIDE_SCOPE = 0.75  # of all agents, seen by the average agent; a team of eight alone is half of fifteen
TIGHT_SHARE = 0.3  # of all dependencies; ours, loose being the default (D3)
MANY_TIGHT = 4  # tight dependencies; fewer say nothing about a habit
LONG_REACH = 2  # domain boundaries crossed by one tight chain
MANY_GATES = 5  # irreversible tasks; fewer say nothing about a habit
APPROVALS_AT_ONCE = 10  # a batch (X7)


def continuous_coordination(context: LintContext) -> Iterator[Problem]:
    """Find synchronising once an action, asked for or built into phases of one task (L3)."""
    if context.wishes.sync == "continuous" and context.agents > 1:
        talking = pairs(context.agents).mesh
        yield Problem(
            ERROR if context.agents > SMALL_UP_TO else WARNING,
            "organisation.sync",
            f"continuous coordination of {context.agents:,} agents: each action concerns all agents, in "
            f"{count(talking, 'pair')}, so that agents talk instead of work; it costs more than the drift it prevents",
            "accept bounded drift: synchronise at the end of a phase, and put the savings into integration",
        )
    single = [phase.name for phase in context.plan.phases if len(phase.tasks) == 1]
    needed = context.phases_needed
    phases, in_a_row = len(context.plan.phases), context.sync_points_in_a_row
    if in_a_row >= MANY_PHASES and 2 * len(single) > phases and in_a_row > needed:
        yield Problem(
            WARNING,
            single[0],
            f"{len(single)} of {phases} phases hold a single task, and {in_a_row} wait one for the other, though the "
            f"dependencies need only {count(needed, 'phase')}: every sync point stops all agents for one task",
            f"put tasks that do not depend on each other into one phase: {named(single)}",
        )


def comprehensive_visibility(context: LintContext) -> Iterator[Problem]:
    """Find agents that see everything, by wish or because they depend on nearly everybody (L4, V4)."""
    if context.wishes.visibility == "everything" and context.agents > SMALL_UP_TO:
        views = scoped_pairs(context.agents, context.agents - 1)
        yield Problem(
            ERROR,
            "organisation.visibility",
            f"{context.agents:,} agents that each see all others are {views:,} views: attention is finite, and what "
            "matters is lost among what does not",
            "show each agent its scope, push exceptions only, and let everything else be asked for",
        )
    agents = context.plan.n_agents
    if agents <= SMALL_UP_TO or planned_flat(context):  # a flat plan is told by L2
        return
    scope = scoped_views(context.tasks, context.plan.tree) / agents
    if scope > WIDE_SCOPE * agents:
        yield Problem(
            WARNING,
            context.graph.name,
            f"each of {agents:,} agents depends on or works beside {scope:.0f} others on average: a scope that wide is "
            "no scope, and every change concerns nearly all agents",
            "cut the dependencies to what is really used, or let a sync point hand on one summary for many outputs",
        )


def tight_integration(context: LintContext) -> Iterator[Problem]:
    """Find too many tight couplings, and chains of them that reach through several domains (L5)."""
    couplings = [d.coupling for task in context.tasks for d in task.depends_on if d.coupling is not Coupling.NONE]
    tight = couplings.count(Coupling.TIGHT)
    if tight >= MANY_TIGHT and tight > TIGHT_SHARE * len(couplings):
        yield Problem(
            WARNING,
            context.graph.name,
            f"{tight:,} of {len(couplings):,} dependencies are tight ({tight / len(couplings):.0%}, more than "
            f"{TIGHT_SHARE:.0%}): one failure takes all that hang on it along, and nothing can be changed alone",
            "keep tight what must happen together; give the others a fallback (medium), or let them continue without",
        )
    reach, links = _furthest_tight_chain(context)
    if reach >= LONG_REACH:
        yield Problem(
            WARNING,
            links[-1],
            f"a chain of tight couplings crosses {reach} boundaries of domains: {' -> '.join(_cut(links))}; when "
            f"{links[0]!r} fails, all of them stop, far beyond its own domain",
            "give one dependency between domains a fallback, so that a failure stays in its domain",
        )


def _furthest_tight_chain(context: LintContext) -> tuple[int, list[str]]:
    """Return the boundaries that a chain of tight couplings crosses at most, and its tasks."""
    reach: dict[str, int] = {}
    before: dict[str, str] = {}
    for task in (one for one in context.joined if one.id in context.by_id):
        reach[task.id] = 0
        for used in (context.by_id[d.task] for d in task.depends_on if d.coupling is Coupling.TIGHT):
            far = reach[used.id] + context.crosses(used, context.by_id[task.id])
            if far > reach[task.id] or task.id not in before:
                reach[task.id], before[task.id] = far, used.id
    current = max(reach, key=reach.__getitem__, default="")
    links = [current]
    while current in before:
        current = before[current]
        links.append(current)
    return reach.get(links[0], 0), links[::-1]


def _cut(links: list[str], most: int = 6) -> Iterator[str]:
    return chain(links, ()) if len(links) <= most else chain(links[: most - 1], ("…", links[-1]))


def approval_of_everything(context: LintContext) -> Iterator[Problem]:
    """Find a person in front of everything: by wish, or because most tasks cannot be undone (L7, X7)."""
    tasks = len(context.tasks)
    if context.wishes.approval == "everything" and tasks > 1:
        batches = -(-tasks // APPROVALS_AT_ONCE)
        yield Problem(
            ERROR if tasks > SMALL_UP_TO else WARNING,
            "organisation.approval",
            f"a person must approve all {tasks:,} tasks, {count(batches, 'batch', 'batches')} of {APPROVALS_AT_ONCE} "
            "at best: the approver sets the pace, agents wait, and approvals become a habit",
            "approve what cannot be undone or what agents are unsure of; let the rest continue (approval 'selected')",
        )
    gated = [task.id for task in context.tasks if task.irreversible]
    if len(gated) >= MANY_GATES and 2 * len(gated) > tasks:
        yield Problem(
            WARNING,
            gated[0],
            f"{len(gated):,} of {tasks:,} tasks are irreversible, each behind a gate: the gates set the pace, and what "
            "is asked for always is looked at never",
            "gather what cannot be undone in few tasks at the end, and let the others only prepare it",
        )
