"""Rules of trust: who checks whom, what cannot be undone, what is tried again (O3, O5, F3)."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from math import prod

from echelon.lint.context import ERROR, WARNING, LintContext, Problem, named
from echelon.lint.redundancy import same_model_agreement
from echelon.model.graph import TaskSpec
from echelon.model.phrasing import count
from echelon.planning.schedule.order import producers_of

MANY_CALLS = 10  # calls for one task; beyond, retries are an attack on whoever is called (F3)


def verification(context: LintContext) -> Iterator[Problem]:
    """Find checks by the author, checks that share the author's blind spots, and danger that nobody checks (O3)."""
    blind: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for task in context.tasks:
        for author in (context.by_id[one] for one in task.verifies):
            agent = context.plan.agent_of.get(task.id)
            if task.id == author.id or (agent is not None and agent == context.plan.agent_of.get(author.id)):
                yield Problem(
                    ERROR,
                    task.id,
                    f"{task.id!r} checks {author.id!r}, and agent {agent or task.id!r} does both: no one finds the "
                    "errors that it cannot see",
                    "let another agent check it",
                )
            elif task.model is not None and task.model == author.model:
                blind[task.model].append((task.id, author.id))
    yield from _same_model(blind)
    yield from same_model_agreement(context)
    yield from _unchecked(context, {author for task in context.tasks for author in task.verifies})


def _same_model(blind: Mapping[str, Sequence[tuple[str, str]]]) -> Iterator[Problem]:
    """Tell of checks by the model that made what they check; those of one model are one finding."""
    for model, pairs in blind.items():
        check, author = pairs[0]
        more = f" (and so with {count(len(pairs) - 1, 'more pair')})" if len(pairs) > 1 else ""
        yield Problem(
            WARNING,
            check,
            f"{check!r} checks {author!r} with the same model {model!r}{more}: both have the same blind spots, so that "
            "their agreement confirms nothing",
            "check with another model, or by another method",
        )


def _unchecked(context: LintContext, checked: Collection[str]) -> Iterator[Problem]:
    """Find danger that nobody checks; tasks that are dangerous in the same way are one finding."""
    alike: dict[str, list[str]] = defaultdict(list)
    for task in context.tasks:
        dangerous = task.irreversible or task.error_consequence == "catastrophic"
        if dangerous and task.id not in checked and not _waits_for_a_check(context, task):
            alike["cannot be undone" if task.irreversible else "would be a catastrophe when wrong"].append(task.id)
    for why, tasks in alike.items():
        one = len(tasks) == 1
        who = repr(tasks[0]) if one else f"each of {count(len(tasks), 'task')} ({named(tasks)})"
        yield Problem(
            WARNING,
            tasks[0],
            f"{who} {why}, and no other agent checks it",
            f"add a task that verifies {'it' if one else 'each'}, by another agent with another model or method",
        )


def _waits_for_a_check(context: LintContext, task: TaskSpec) -> bool:
    """Tell whether something it uses is a check: what cannot be undone is checked before, not after."""
    return task.irreversible and any(context.by_id[used].verifies for used in producers_of(task))


def irreversible_without_gate(context: LintContext) -> Iterator[Problem]:
    """Find tasks that cannot be undone and begin without anybody confirming (O5)."""
    gated = {task for phase in context.plan.phases for task in phase.gate}
    for task in context.tasks:
        if task.irreversible and task.id not in gated:
            yield Problem(
                ERROR,
                task.id,
                f"{task.id!r} is irreversible and has no gate: it would start without confirmation",
                "put it into the gate of its phase",
            )


def multiplying_retries(context: LintContext) -> Iterator[Problem]:
    """Find layers of retries around each other: their attempts multiply (F3)."""
    alike: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for task in context.tasks:
        layers = tuple(layer for layer in task.attempts if layer > 1)
        if len(layers) > 1:
            alike[layers].append(task.id)
    for layers, tasks in alike.items():
        calls = prod(layers)
        arithmetic = f"{' × '.join(map(str, layers))} = {calls}"
        yield Problem(
            ERROR if calls > MANY_CALLS else WARNING,
            tasks[0],
            f"{count(len(layers), 'layer')} of retries around one call multiply: {arithmetic} calls when it fails, for "
            f"{count(len(tasks), 'task')} ({named(tasks)}); those already overloaded get that many more",
            "retry in one layer only: set the attempts of all inner ones to 1",
        )
