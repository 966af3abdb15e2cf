"""Critical work that hangs on one agent, and replicas that confirm nothing (F9, O3)."""

from collections.abc import Iterator, Mapping, Sequence

from echelon.lint.chains import single_points_of_failure
from echelon.lint.context import INFO, WARNING, LintContext, Problem, named
from echelon.model.graph import Coupling, TaskSpec
from echelon.model.phrasing import count


def hanging_on_one_agent(context: LintContext) -> Iterator[Problem]:
    """Find what the whole job goes through, and what does damage when it is lost, that one agent does alone (F9)."""
    yield from critical_without_redundancy(context)
    yield from single_points_of_failure(context)


def critical_without_redundancy(context: LintContext) -> Iterator[Problem]:
    """Find work on the longest chain that does damage when it is lost, and that hangs on one agent each (F9).

    It does where others cannot run without it, or where a wrong output of it is significant. All of it is one finding.
    """
    if context.plan.n_agents < 2:
        return
    waited_for = _waited_for(context)
    alone = [task for task in map(context.by_id.__getitem__, context.chain.tasks) if not _is_safe(context, task)]
    tight = [task.id for task in alone if task.id in waited_for]
    grave = [task.id for task in alone if task.error_consequence != "minor"]
    critical = [task.id for task in alone if task.id in tight or task.id in grave]
    if not critical:
        return
    worst = any(context.by_id[task].error_consequence == "catastrophic" for task in critical)
    why = [f"others cannot run without {named(tight)}"] * bool(tight)
    why += [f"a wrong output of {named(grave)} does damage"] * bool(grave)
    yield Problem(
        WARNING if worst else INFO,
        critical[0],
        f"{count(len(critical), 'critical task')} on the longest chain with one agent each, without fallback, standby "
        f"or replicas: {'; '.join(why)}",
        "give it `standby=` or `fallback=` where it must not be lost, `replicas=` with `agree=` where it must be right",
    )


def _waited_for(context: LintContext) -> set[str]:
    """Return the tasks that others cannot run without: of a graph, and of phases that are needed so (D3)."""
    used = {one.task for task in context.tasks for one in task.depends_on if one.coupling is Coupling.TIGHT}
    phases = {one.needs for one in context.plan.terms if one.coupling is Coupling.TIGHT}
    return used | {task.id for task in context.tasks if task.phase in phases}


def _is_safe(context: LintContext, task: TaskSpec) -> bool:
    """Say whether something stands in when the agent of a task fails; what cannot be undone has gates instead (O5)."""
    if task.replicas > 1 or task.standby is not None or task.irreversible:
        return True
    stands_in: Mapping[tuple[str, str], Sequence[str]] = {
        (one.phase, one.consumer): one.stands_in for one in context.plan.terms
    }
    return bool(stands_in.get((task.phase or "", task.capability or "")))


def same_model_agreement(context: LintContext) -> Iterator[Problem]:
    """Find replicas that must agree and are one and the same model: they share its blind spots (O3)."""
    alike: dict[str, list[str]] = {}
    for task in context.tasks:
        models = set(task.models)
        if task.agree > 1 and len(models) == 1:
            alike.setdefault(task.model or "", []).append(task.id)
    for model, tasks in alike.items():
        who = f"the same model {model!r}" if model else "the same agent"
        yield Problem(
            INFO,
            tasks[0],
            f"replicas of {named(tasks)} are {who}: that they agree shows that it was no accident, and confirms "
            "nothing that it cannot see",
            "let agents with another model or method be among them: replicas=[one, other]",
        )
