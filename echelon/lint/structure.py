"""Structural rules: owners, contracts, reasons for tight coupling, span (D6, C1, D3, R2)."""

from collections import Counter
from collections.abc import Iterator

from echelon.lint.context import ERROR, INFO, WARNING, LintContext, Problem, named
from echelon.lint.scale import planned_flat
from echelon.model.graph import Coupling
from echelon.model.phrasing import count
from echelon.model.plan import NodeKind
from echelon.planning.regime import DEFAULT_SPAN


def without_owner(context: LintContext) -> Iterator[Problem]:
    """Find tasks and integrations that nobody, somebody unknown, or several own (D6)."""
    plan = context.plan
    fix = "give it exactly one owner: an agent for a task, a coordinator for an integration"
    holders = Counter(task for node in plan.tree if node.kind is NodeKind.AGENT for task in node.members)
    integrations = [node.id for node in plan.tree if node.kind is not NodeKind.AGENT]
    for what, kind in [*((task.id, "task") for task in context.tasks), *((one, "integration") for one in integrations)]:
        owner = plan.owners.get(what)
        if owner is None:
            yield Problem(ERROR, what, f"{kind} {what!r} has no owner: it falls between all the others", fix)
        elif owner not in plan.nodes:
            yield Problem(ERROR, what, f"{kind} {what!r} is owned by {owner!r}, who is not in the plan", fix)
        elif holders[what] > 1:
            yield Problem(
                ERROR, what, f"task {what!r} is held by {holders[what]} agents, who will contradict each other", fix
            )
    for phase in plan.phases:
        if phase.sync.owner not in plan.nodes:
            message = f"the sync point of phase {phase.name!r} is owned by {phase.sync.owner!r}, who is not in the plan"
            yield Problem(ERROR, phase.name, message, fix)


def crossing_without_contract(context: LintContext) -> Iterator[Problem]:
    """Find producers whose output crosses a boundary and keeps no stated contract (C1, D2)."""
    crossing = _crossing(context)
    silent = [task for task in crossing if context.by_id[task].contract is None]
    if not silent:
        return
    if all(task.contract is None for task in context.tasks):
        yield Problem(
            INFO,
            context.graph.name,
            f"no task states a contract, and the outputs of {count(len(silent), 'task')} cross a boundary between "
            f"domains or teams ({named(silent)}): what they promise is left to luck",
            "state the contract of each of them, as in `Finding@1`",
        )
        return
    for task in silent:
        kind, others = crossing[task]
        yield Problem(
            WARNING,
            task,
            f"the output of {task!r} is used in {count(others, f'other {kind}')} and keeps no stated contract: a "
            "change of its form breaks them unnoticed",
            "state the contract of its output, as in `Finding@1`",
        )


def _crossing(context: LintContext) -> dict[str, tuple[str, int]]:
    """Return the tasks whose output crosses a boundary, with what kind of boundary and how many others use it."""
    used_in: dict[str, set[tuple[str, str]]] = {}
    for used, user in context.links:
        if context.crosses(context.by_id[used], context.by_id[user]):
            used_in.setdefault(used, set()).add(context.place(context.by_id[user]))
    for phase, takers in context.needing.items():
        places = {context.place(task) for task in takers}
        for task in context.phases.get(phase, ()):
            others = places - {context.place(task)}
            if others:
                used_in.setdefault(task.id, set()).update(others)
    return {task: (min(kind for kind, _ in places), len(places)) for task, places in used_in.items()}


def tight_without_reason(context: LintContext) -> Iterator[Problem]:
    """Find tight couplings that nobody gives a reason for, of tasks and of whole phases (D3)."""
    ties = [(task.id, one.task, one.coupling, one.reason) for task in context.tasks for one in task.depends_on]
    ties += [(one.phase, one.needs or "", one.coupling, one.reason) for one in context.plan.terms if one.coupling]
    for user, used, coupling, reason in dict.fromkeys(ties):  # agents of one phase have its needs in common
        if coupling is Coupling.TIGHT and not reason.strip():
            yield Problem(
                WARNING,
                user,
                f"{user!r} is tightly coupled to {used!r} and no reason is given: when {used!r} fails, so does "
                f"{user!r}",
                "say why it cannot run without it (`reason`), or make the coupling medium or loose",
            )


def too_many_reports(context: LintContext) -> Iterator[Problem]:
    """Find coordinators with more than 8 direct reports; a larger span that was asked for is a warning (R2)."""
    for node in context.plan.tree:
        reports = len(node.members)
        told_by_l2 = node is context.plan.primary and planned_flat(context)
        if node.kind is NodeKind.AGENT or reports <= DEFAULT_SPAN or told_by_l2:
            continue
        wanted = context.plan.span >= reports
        yield Problem(
            WARNING if wanted else ERROR,
            node.id,
            f"{node.id!r} has {reports} direct reports, more than {DEFAULT_SPAN}"
            f"{f' (a span of {context.plan.span} was asked for)' if wanted else ''}: its context fills with "
            "coordination, and its reports wait",
            f"put a level in between, or plan with a span of {DEFAULT_SPAN}",
        )
