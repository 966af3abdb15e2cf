"""What crosses the boundaries of teams and domains: how much, how tightly, in which words, of which version."""

from collections.abc import Iterator

from echelon.lint.context import INFO, WARNING, LintContext, Problem, named
from echelon.model.graph import Coupling
from echelon.model.phrasing import count
from echelon.planning.dependency_prices import dearest_dependencies
from echelon.planning.scope import teams_of

FEW_LINKS = 4  # dependencies between agents; fewer say nothing about boundaries
MOST = 0.5  # of them
TIGHT_INSIDE_FROM = 15  # agents; from here on tight coupling holds inside a team only (R8)
VOCABULARY_FROM = 50  # agents; from here on the meaning of a word cannot be settled by asking
BATCHED_FROM = 11  # agents; fewer notice themselves when what they work from has changed

#: Ways to synchronise between which agents work from what they were given before.
BATCHED = frozenset({"milestone", "phase", "interval"})


def mostly_crossing(context: LintContext) -> Iterator[Problem]:
    """Find domains whose boundaries most dependencies cross: they cut through what belongs together (D2).

    Only labels are judged: without them, boundaries are found by clustering, and what needs a whole phase meets others
    at its sync point anyway.
    """
    agent_of = context.plan.agent_of
    pairs = [(context.by_id[used], context.by_id[user]) for used, user in context.links]
    between = [
        (used, user)
        for used, user in pairs
        if used.domain and user.domain and agent_of.get(used.id, used.id) != agent_of.get(user.id, user.id)
    ]
    crossing = [f"{used.id} -> {user.id}" for used, user in between if used.domain != user.domain]
    if len(between) < FEW_LINKS or len(crossing) <= MOST * len(between):
        return
    yield Problem(
        WARNING,
        context.graph.name,
        f"{len(crossing):,} of {count(len(between), 'dependency', 'dependencies')} between agents cross a domain "
        f"({named(crossing)}): the domains cut through what belongs together, and each crossing has to be agreed on "
        "and waited for",
        "draw the domains so that what depends on each other is in one, or leave the labels out: then they are found",
    )


def tight_across_teams(context: LintContext) -> Iterator[Problem]:
    """Find tight couplings between teams where there are many agents (R8)."""
    if context.plan.n_agents < TIGHT_INSIDE_FROM:
        return
    crossing = [*_tight_tasks(context), *_tight_phases(context)]
    if not crossing:
        return
    dearest = dearest_dependencies(context.plan, 1)[0]
    price = (
        f"; a failure of {dearest.producer!r} keeps {count(dearest.failure_reach, 'task')} from starting, and "
        f"{count(dearest.change_together, 'consumer')} must change together with it"
    )
    yield Problem(
        WARNING,
        crossing[0][1],
        f"{count(len(crossing), 'tight coupling')} between teams ({named([f'{a} -> {b}' for a, b in crossing])}), and "
        f"from {TIGHT_INSIDE_FROM} agents on tight coupling holds inside a team only{price}",
        "move both ends into one team (one domain), or give the consumer a fallback (medium)",
    )


def _tight_tasks(context: LintContext) -> Iterator[tuple[str, str]]:
    team_of, agent_of = teams_of(context.plan.tree), context.plan.agent_of
    for task in context.tasks:
        for link in task.depends_on:
            teams = {team_of.get(agent_of.get(one, "")) for one in (link.task, task.id)}
            if link.coupling is Coupling.TIGHT and len(teams) > 1:
                yield link.task, task.id


def _tight_phases(context: LintContext) -> Iterator[tuple[str, str]]:
    """Yield phases that need another one tightly, and are done by more than one team together with it."""
    team_of, agent_of = teams_of(context.plan.tree), context.plan.agent_of
    ties = [(one.needs, one.phase) for one in context.plan.terms if one.coupling is Coupling.TIGHT and one.needs]
    for used, user in dict.fromkeys(ties):
        tasks = [*context.phases.get(used, ()), *context.phases.get(user, ())]
        if len({team_of.get(agent_of.get(task.id, "")) for task in tasks}) > 1:
            yield used, user


def undeclared_vocabulary(context: LintContext) -> Iterator[Problem]:
    """Find many agents whose outputs are made of no declared words (C3)."""
    if context.plan.n_agents < VOCABULARY_FROM or any(context.graph.vocabularies.values()):
        return
    yield Problem(
        WARNING,
        context.graph.name,
        f"{context.plan.n_agents:,} agents and no declared vocabulary: so many cannot ask each other what a word "
        "means, and what they deliver cannot be counted or compared",
        "declare the words of what is delivered (severity, priority, category): an Enum or a Literal in the contracts, "
        "`vocabularies` in a task graph",
    )


def unversioned_inputs(context: LintContext) -> Iterator[Problem]:
    """Find inputs whose contract states no version, where agents work from them until the next sync point (X4)."""
    asked = context.wishes.sync
    batched = asked in BATCHED or (asked is None and context.plan.n_agents >= BATCHED_FROM)
    if not batched or context.plan.n_agents < 2:
        return
    handed_on = dict.fromkeys(_across_phases(context))
    bare = [task for task in handed_on if not _versioned(context.by_id[task].contract)]
    if not bare:
        return
    one = len(bare) == 1
    yield Problem(
        INFO if all(task.contract is None for task in context.tasks) else WARNING,
        bare[0],
        f"{count(len(bare), 'output')} used in later phases {'states' if one else 'state'} no version ({named(bare)}): "
        "between two sync points agents may work from what has changed since, and nothing shows it",
        "state contracts with a version, as in `Finding@1`",
    )


def _versioned(contract: str | None) -> bool:
    name, _, version = (contract or "").rpartition("@")
    return bool(name and version)


def _across_phases(context: LintContext) -> Iterator[str]:
    """Yield the tasks whose outputs are used in a later phase."""
    phase_of = {task: phase.name for phase in context.plan.phases for task in phase.tasks}
    for used, user in context.links:
        if phase_of.get(used) != phase_of.get(user):
            yield used
    for phase in context.needing:
        yield from (task.id for task in context.phases.get(phase, ()))
