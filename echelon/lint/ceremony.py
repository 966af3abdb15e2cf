"""Coordination that costs more than it gives: ceremony, phases of one task, leads that have nothing to do."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from echelon.lint.chains import MANY_IN_A_ROW, runs_of
from echelon.lint.context import INFO, WARNING, LintContext, Problem, named
from echelon.model.graph import TaskSpec
from echelon.model.phrasing import count
from echelon.model.plan import PhasePlan
from echelon.planning.regime import FLAT_UP_TO
from echelon.planning.schedule.order import producers_of

MANY_CEREMONIES = 3  # that nothing asks for; fewer are a matter of taste


def large_ceremony(context: LintContext) -> Iterator[Problem]:
    """Find few agents with more coordination than work: what many need is absurd for few (L8)."""
    if not 2 <= context.plan.n_agents <= FLAT_UP_TO:
        return
    yield from _dear_handoffs(context)
    yield from _idle_ceremonies(context)


def _dear_handoffs(context: LintContext) -> Iterator[Problem]:
    spent = context.plan.spending
    if not spent.work_tokens or spent.assumed or spent.coordination_tokens is None:
        return
    least = spent.coordination_tokens.low
    if least <= spent.work_tokens:
        return
    agents = count(context.plan.n_agents, "agent")
    yield Problem(
        WARNING,
        context.graph.name,
        f"a small job with large ceremony: {agents} coordinate for {least:,.0f} tokens at least, and their work takes "
        f"{spent.work_tokens:,}: handing the work out costs more than doing it",
        "let fewer agents do more each, or one of them all of it",
    )


def _idle_ceremonies(context: LintContext) -> Iterator[Problem]:
    """Find sync points, checks and approvals that neither dependencies nor danger ask for."""
    checks = [task for task in context.tasks if task.verifies]
    rows = (
        (max(0, context.sync_points_in_a_row - context.phases_needed), "sync point", "sync points"),
        (sum(_harmless(context, task) for task in checks), "check of harmless work", "checks of harmless work"),
        (len(context.tasks) if context.wishes.approval == "everything" else 0, "approval", "approvals"),
    )
    idle, working = sum(number for number, *_ in rows), len(context.tasks) - len(checks)
    if idle < max(MANY_CEREMONIES, working):
        return
    listed = ", ".join(count(*row) for row in rows if row[0])
    yield Problem(
        WARNING,
        context.graph.name,
        f"a small job with large ceremony: {count(working, 'task')} of work, and {listed} that neither a dependency "
        "nor a danger asks for",
        "put tasks that do not need each other into one phase, check what is dangerous, and approve what cannot be "
        "undone",
    )


def _harmless(context: LintContext, check: TaskSpec) -> bool:
    checked = [context.by_id[one] for one in check.verifies]
    return not any(one.irreversible or one.error_consequence != "minor" for one in checked)


def single_tasks_in_a_row(context: LintContext) -> Iterator[Problem]:
    """Find phases in a row that hold the work of one agent each (D4).

    Checks and what cannot be undone have a phase of their own for a reason; phases side by side are in no row (X12). A
    row that is a plain chain of agents is told as such (D1).
    """
    chains = [set(run) for run in runs_of(context) if len(run) >= MANY_IN_A_ROW]
    for row in _rows(context):
        agents = {agent for phase in row for agent in _agents(context, phase)}
        if len(row) < MANY_IN_A_ROW or len(agents) == 1 or any(agents <= chain for chain in chains):
            continue
        waits = all(_waits(context, later, earlier) for earlier, later in pairwise(row))
        yield Problem(
            INFO if waits else WARNING,
            row[0].name,
            f"{len(row)} phases in a row hold the work of one agent each ({named([phase.name for phase in row])}): "
            f"{'each waits for the one before' if waits else 'not each of them waits for the one before'}, and "
            f"{count(len(row), 'sync point')} are paid for {count(len(row), 'agent')}",
            "let one agent do what follows on each other" if waits else "put them into one phase",
        )


def _rows(context: LintContext) -> Iterator[list[PhasePlan]]:
    """Yield the longest rows of phases with one agent each, where one waits for the one before it and nothing else."""
    alone = {phase.name: phase for phase in context.plan.phases if _holds_one(context, phase)}
    before = context.phases_before
    behind = Counter(needed for needs in before.values() for needed in needs)
    rows: dict[str, list[PhasePlan]] = {}
    for name, phase in alone.items():
        follows = len(before[name]) == 1 and behind[before[name][0]] == 1
        row = rows.pop(before[name][0], None) if follows else None
        rows[name] = [*(row or ()), phase]
    yield from rows.values()


def _holds_one(context: LintContext, phase: PhasePlan) -> bool:
    tasks = [context.by_id[task] for task in phase.tasks if task in context.by_id]
    return len(_agents(context, phase)) == 1 and not any(task.verifies or task.irreversible for task in tasks)


def _agents(context: LintContext, phase: PhasePlan) -> set[str]:
    return {context.plan.agent_of.get(task, task) for task in phase.tasks}


def _waits(context: LintContext, later: PhasePlan, earlier: PhasePlan) -> bool:
    """Tell whether a phase directly uses what an earlier one makes, or changes what that changes."""
    tasks, before = ([context.by_id[task] for task in one.tasks if task in context.by_id] for one in (later, earlier))
    touched = {thing for task in before for thing in task.touches}
    return any(
        earlier.name in task.needs
        or not set(earlier.tasks).isdisjoint(producers_of(task))
        or not touched.isdisjoint(task.touches)
        for task in tasks
    )


def integrated_at_once(context: LintContext) -> Iterator[Problem]:
    """Find phases of several teams whose outputs the primary integrates alone, for want of a `combine` (X2)."""
    if context.plan.levels < 2:
        return
    for phase in context.plan.phases:
        if phase.integration != "primary":
            continue
        nodes = context.plan.nodes
        above = {nodes[agent].parent for agent in _agents(context, phase) if agent in nodes}
        leads = above - {context.plan.primary.id}
        if len(above) > 1:
            yield Problem(
                WARNING,
                phase.name,
                f"the integrator of phase {phase.name!r} has no `combine`: {count(len(leads), 'lead')} below the "
                f"primary integrate nothing, and all of {count(len(phase.tasks), 'output')} go to the primary at once",
                "give the integrator a `combine`, so that each team and domain integrates its own",
            )
