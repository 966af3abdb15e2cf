"""Chains: serial work given to many agents, and single points through which everything must go (D1, F9)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from math import prod

from echelon.lint.context import INFO, WARNING, LintContext, Problem
from echelon.model.graph import TaskSpec
from echelon.planning.handoffs import hubs_of
from echelon.planning.schedule.order import producers_of

MANY_IN_A_ROW = 3  # agents of a chain
SHOWN = 6  # agents of a chain that are named

ONE_AGENT = "let one agent do all of it"
FEWER_AGENTS = "let as few agents do it as abilities and contexts allow, and hand on references instead of content"

#: Agent → the agents before or behind it.
Neighbours = Mapping[str, set[str]]


def serial_chains(context: LintContext) -> Iterator[Problem]:
    """Find chains in which each agent only waits for the one before, and jobs that are little but a chain (D1)."""
    runs = [run for run in runs_of(context) if len(run) >= MANY_IN_A_ROW]
    for run in runs:
        yield Problem(
            WARNING if _could_be_one(context, run) else INFO,
            run[0],
            f"{len(run)} agents hold a chain in which each only waits for the one before: {_shown(run)}; no two of "
            f"them ever work at the same time, and each of {len(run) - 1} handoffs loses context",
            ONE_AGENT if _could_be_one(context, run) else FEWER_AGENTS,
        )
    yield from _mostly_serial(context, runs)
    yield from _taking_turns(context)


def _mostly_serial(context: LintContext, runs: Sequence[Sequence[str]]) -> Iterator[Problem]:
    chain, agents, limit = context.chain, context.plan.n_agents, context.graph.priors.sequential_share
    checked = {used for task in context.tasks for used in task.verifies}
    holders = {context.plan.agent_of.get(task) for task in chain.tasks if task not in checked}
    if len(holders) < 2 or holders <= _apart(context).union(*runs) or chain.length < limit * chain.work:
        return
    share = chain.length / chain.work
    could = _could_be_one(context, sorted(holder for holder in holders if holder))
    yield Problem(
        WARNING if agents >= MANY_IN_A_ROW and could else INFO,
        context.graph.name,
        f"the longest chain is {share:.0%} of all work: {agents:,} agents save {1 - share:.0%} of the time at most, "
        "and lose context at every handoff",
        ONE_AGENT if could else FEWER_AGENTS,
    )


def _taking_turns(context: LintContext) -> Iterator[Problem]:
    """Find agents that take turns nearly all the time, because they change the same thing (D1, D4)."""
    holders: dict[str, set[str]] = defaultdict(set)
    for task in context.tasks:
        for thing in task.touches:
            holders[thing].add(context.plan.agent_of.get(task.id, task.id))
    for thing, agents in sorted(holders.items()):
        if (
            len(agents) >= MANY_IN_A_ROW
            and len(agents) >= context.graph.priors.sequential_share * context.plan.n_agents
        ):
            yield Problem(
                WARNING,
                thing,
                f"{len(agents):,} of {context.plan.n_agents:,} agents change {thing!r}, one at a time: they take "
                "turns, and more of them are no faster",
                "let one agent do all that changes it, or divide the thing",
            )


def _shown(run: Sequence[str]) -> str:
    names = [*run[: SHOWN - 1], "…", run[-1]] if len(run) > SHOWN else run
    return " -> ".join(names)


def runs_of(context: LintContext) -> Iterator[list[str]]:
    """Yield the longest chains of agents in which each has one before and one behind it only.

    A check and what cannot be undone end a chain: they are apart for a reason (O3, O5).
    """
    before, behind = _neighbours(context)
    apart = _apart(context)
    following = {
        one: next(iter(others))
        for one, others in behind.items()
        if len(others) == 1 and before[next(iter(others))] == {one} and apart.isdisjoint({one, *others})
    }
    for head in following.keys() - set(following.values()):
        run = [head]
        while run[-1] in following:
            run.append(following[run[-1]])
        yield run


def _apart(context: LintContext) -> set[str]:
    """Return the agents that check others or do what cannot be undone."""
    return {context.plan.agent_of.get(task.id, task.id) for task in context.tasks if task.verifies or task.irreversible}


def _neighbours(context: LintContext) -> tuple[Neighbours, Neighbours]:
    """Return who works directly before and directly behind each agent; of many behind a sync point two are enough."""
    agent_of = context.plan.agent_of
    before: dict[str, set[str]] = defaultdict(set)
    behind: dict[str, set[str]] = defaultdict(set)
    pairs = [(agent_of.get(used, used), agent_of.get(user, user)) for used, user in context.links]
    for phase, tasks in context.needing.items():
        givers = list(dict.fromkeys(agent_of.get(task.id, task.id) for task in context.phases.get(phase, ())))
        takers = list(dict.fromkeys(agent_of.get(task.id, task.id) for task in tasks))
        pairs += [(giver, taker) for giver in givers for taker in takers[:2]]
        pairs += [(giver, taker) for giver in givers[:2] for taker in takers]
    for giver, taker in pairs:
        if giver != taker:
            behind[giver].add(taker)
            before[taker].add(giver)
    return before, behind


def _could_be_one(context: LintContext, run: Sequence[str]) -> bool:
    """Tell whether nothing we know of keeps these agents apart: ability, model, context."""
    held = [context.by_id[task] for agent in run for task in context.plan.nodes[agent].members if task in context.by_id]
    if len({task.model for task in held}) > 1:
        return False
    able = len({(task.capability, task.domain) for task in held}) == 1 or held[0].model is not None
    priors = context.graph.priors
    return able and sum(_size(task, priors.task_tokens) for task in held) <= priors.context_budget


def _size(task: TaskSpec, otherwise: int) -> int:
    return otherwise if task.tokens is None else task.tokens


def single_points_of_failure(context: LintContext) -> Iterator[Problem]:
    """Find tasks on the longest chain that much or everything hangs on, and that are tried only once (F9)."""
    if context.plan.n_agents < 2:
        return
    cuts, hubs = _cuts(context), hubs_of(context.tasks, context.plan.span)
    if 2 * len(cuts) > len(context.tasks):  # a chain: every task of it is one, which D1 says already
        cuts = set[str]()
    for task_id in context.chain.tasks:
        task = context.by_id[task_id]
        redundant = task.replicas > 1 or task.standby is not None
        if (task_id in cuts or task_id in hubs) and prod(task.attempts) <= 1 and not redundant:
            hangs = "everything goes through it" if task_id in cuts else "it is a hub, with more links than two spans"
            tried = "it is tried once" if task.attempts else "no second attempt is stated"
            yield Problem(
                INFO,
                task_id,
                f"{task_id!r} is a single point of failure on the longest chain: {hangs}, and {tried}",
                "allow it another attempt, or let a second agent stand by with `standby=` or `replicas=`",
            )


def _cuts(context: LintContext) -> set[str]:
    """Return the tasks that lie on every way from a beginning to an end.

    In an order with producers first these are the tasks that no dependency jumps over, all beginnings being at or
    before them and all ends at or behind them.
    """
    position = {task.id: number for number, task in enumerate(context.joined)}
    jumped = [0] * (len(position) + 2)

    def jump(first: int, last: int) -> None:
        """Count one jump over the positions from `first` to `last`."""
        if first <= last:
            jumped[first] += 1
            jumped[last + 1] -= 1

    used: set[str] = set()
    for task in context.joined:
        producers = producers_of(task)
        used.update(producers)
        if not producers:
            jump(0, position[task.id] - 1)
        for producer in producers:
            jump(position[producer] + 1, position[task.id] - 1)
    for task_id in position.keys() - used:
        jump(position[task_id] + 1, len(position) - 1)
    over = list(accumulate(jumped))
    return {task_id for task_id, number in position.items() if not over[number] and task_id in context.by_id}
