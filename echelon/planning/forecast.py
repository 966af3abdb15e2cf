"""Foresee what a plan costs: handoffs, coordination share, wall time (D1, D2, R4, V6).

The numbers are priors, to be replaced by what runs measure.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from heapq import heapify, heapreplace
from itertools import pairwise

from echelon.model.errors import InvalidInput
from echelon.model.graph import TaskSpec
from echelon.model.plan import Finding, FindingLevel, HandoffCount, Makespan, Node, NodeKind, Overhead, PhasePlan
from echelon.planning.order import producers_of, topological
from echelon.planning.regime import OVERHEAD, row

#: Points (agents, share) between which the coordination share is interpolated: the ends of the bands of R4, and from 51
#: agents on where the band before ended, so that more agents never promise less coordination. A prior, not a measure.
OVERHEAD_POINTS: tuple[tuple[int, float], ...] = (
    (1, 0.0), (2, 0.10), (5, 0.15), (6, 0.15), (20, 0.25), (21, 0.25), (50, 0.35), (51, 0.35), (1000, 0.40),
)  # fmt: skip


def handoffs(tasks: Sequence[TaskSpec], tree: Sequence[Node]) -> HandoffCount:
    """Count how often work changes hands (D1, D2).

    `before`: pairs of producer and consumer whose coupling is not `none`, as if every task had its own agent.
    `after`: those of them whose two tasks are held by different agents.
    `crossing`: summed over all producers, the *other* domains with a consumer of it; several consumers in one domain
    count once. A task's domain is its label, or else the coordinator right below the primary that its agent reports to.

    Where a task needs a whole phase, that phase's sync point stands between: `before` counts every pair, `after` one
    handoff a producer and one a consumer, or the pairs where these are fewer; `crossing` likewise by domains (D4).
    """
    agent_of = {task: node.id for node in tree if node.kind is NodeKind.AGENT for task in node.members}
    domain_of = _domains(tasks, tree, agent_of)
    links = [(producer, task.id) for task in tasks for producer in producers_of(task)]
    crossing = {(a, domain_of[b]) for a, b in links if domain_of[a] != domain_of[b]}
    after = sum(agent_of[a] != agent_of[b] for a, b in links)
    synced = [_through_sync_points(tasks, phase, domain_of) for phase in sorted({n for t in tasks for n in t.needs})]
    return HandoffCount(
        before=len(links) + sum(count.before for count in synced),
        after=after + sum(count.after for count in synced),
        crossing=len(crossing) + sum(count.crossing for count in synced),
    )


def _through_sync_points(
    tasks: Sequence[TaskSpec], phase: str, domain_of: Mapping[str, tuple[str, str]]
) -> HandoffCount:
    producers = [domain_of[task.id] for task in tasks if task.phase == phase]
    consumers = [domain_of[task.id] for task in tasks if phase in task.needs]
    pairs, givers, takers = len(producers) * len(consumers), set(producers), set(consumers)
    direct = sum(len(takers - {domain}) for domain in producers)
    return HandoffCount(
        before=pairs,
        after=min(pairs, len(producers) + len(consumers)),
        crossing=min(direct, len(givers) + len(takers)),
    )


def overhead(n: int) -> Overhead:
    """Return the usual band of coordination for `n` agents and the share expected inside it (R4, M1)."""
    band = row(OVERHEAD, n)
    for (low, share), (high, next_share) in pairwise(OVERHEAD_POINTS):
        if n <= high:
            position = max(0.0, (n - low) / (high - low))
            return Overhead(band=band, predicted=round(share + position * (next_share - share), 4))
    return Overhead(band=band, predicted=OVERHEAD_POINTS[-1][1])


def makespan(tasks: Sequence[TaskSpec], phases: Sequence[PhasePlan], max_concurrency: int | None = None) -> Makespan:
    """Return the wall time of the agents' work, in seconds; everything None when no task states a duration (V6).

    Within a phase the tasks start in their order as soon as one of `max_concurrency` agents is free (None: all at
    once); a phase begins when the one before has ended. A task without a duration is taken to last as long as the
    others do on average. Integration is not included. Raises `InvalidInput` for a concurrency below 1.
    """
    if max_concurrency is not None and max_concurrency < 1:
        raise InvalidInput(f"cannot run {max_concurrency} agents at a time: nothing would start; allow 1 or more")
    seconds = _durations(tasks)
    if seconds is None:
        return Makespan(predicted=None, critical_path=None, work=None)
    predicted = sum(_phase_seconds([seconds[task] for task in phase.tasks], max_concurrency) for phase in phases)
    return Makespan(
        predicted=round(predicted, 6),
        critical_path=round(_critical_path(tasks, seconds), 6),
        work=round(sum(seconds.values()), 6),
    )


def duration_findings(tasks: Sequence[TaskSpec]) -> tuple[Finding, ...]:
    """Say so when some tasks state a duration and others do not: the forecast assumes the mean for them (V6)."""
    silent = [task.id for task in tasks if task.seconds is None]
    if not silent or len(silent) == len(tasks):
        return ()
    return (
        Finding(
            rule="V6",
            level=FindingLevel.INFO,
            where=silent[0],
            message=f"{len(silent)} of {len(tasks)} tasks state no duration; the forecast takes the mean of the others",
            fix="state the seconds of every task, or read the predicted makespan as a guess",
        ),
    )


def _domains(
    tasks: Sequence[TaskSpec], tree: Sequence[Node], agent_of: Mapping[str, str]
) -> dict[str, tuple[str, str]]:
    """Return the domain of each task, told apart by whether it is a label or a node."""
    top: dict[str, str] = {}
    for node in tree:
        parent = node.parent
        under_primary = parent is not None and parent == tree[0].id and node.kind is not NodeKind.AGENT
        top[node.id] = node.id if parent is None or under_primary else top[parent]
    return {task.id: ("label", task.domain) if task.domain else ("node", top[agent_of[task.id]]) for task in tasks}


def _durations(tasks: Sequence[TaskSpec]) -> dict[str, float] | None:
    known = [task.seconds for task in tasks if task.seconds is not None]
    if not known:
        return None
    mean = sum(known) / len(known)
    return {task.id: mean if task.seconds is None else task.seconds for task in tasks}


def _phase_seconds(seconds: Sequence[float], agents: int | None) -> float:
    """Return when the last task ends if each goes to the agent that is free first (list scheduling)."""
    if agents is None or agents >= len(seconds):
        return max(seconds, default=0.0)
    free_at = [0.0] * agents
    heapify(free_at)
    for duration in seconds:
        heapreplace(free_at, free_at[0] + duration)
    return max(free_at)


def _critical_path(tasks: Sequence[TaskSpec], seconds: Mapping[str, float]) -> float:
    """Return the longest chain; a task that needs a phase waits for the longest chain that ends in it."""
    ends: dict[str, float] = {}
    phase_ends: dict[str | None, float] = defaultdict(float)
    for task in _in_order(tasks):
        before = [ends[producer] for producer in producers_of(task)] + [phase_ends[phase] for phase in task.needs]
        ends[task.id] = max(before, default=0.0) + seconds[task.id]
        phase_ends[task.phase] = max(phase_ends[task.phase], ends[task.id])
    return max(ends.values(), default=0.0)


def _in_order(tasks: Sequence[TaskSpec]) -> Sequence[TaskSpec]:
    """Return producers before consumers, and phases in the order in which they were declared."""
    declared = {phase: number for number, phase in enumerate(dict.fromkeys(task.phase for task in tasks))}
    ordered = topological(tasks)
    return sorted(ordered, key=lambda task: declared[task.phase]) if any(task.needs for task in tasks) else ordered
