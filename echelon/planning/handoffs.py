"""Count how often work changes hands, which is what a structure is chosen to keep small (D1, D2)."""

from collections.abc import Hashable, Mapping, Sequence

from echelon.model.graph import TaskSpec
from echelon.model.plan import HandoffCount, Node, NodeKind, Range
from echelon.model.priors import DEFAULT_PRIORS, Priors
from echelon.planning.regime import DEFAULT_SPAN
from echelon.planning.schedule.order import consumers_of, producers_of
from echelon.planning.scope import teams_of
from echelon.planning.spending import WITHOUT_TOKENS

#: A task with more links than this many spans is a hub: what it makes is handed on at a sync point (D2).
HUB_SPANS = 2


def handoffs(
    tasks: Sequence[TaskSpec], tree: Sequence[Node], priors: Priors = DEFAULT_PRIORS, span: int = DEFAULT_SPAN
) -> HandoffCount:
    """Count how often work changes hands (D1, D2).

    `before`: pairs of producer and consumer whose coupling is not `none`, as if every task had its own agent.
    `after`: those of them whose two tasks are held by different agents; what vanished is priced in tokens, where what
    would receive it reads it.
    `crossing`: summed over all producers, the *other* domains with a consumer of it; several consumers in one domain
    count once. A task's domain is its label, or else the coordinator right below the primary that its agent reports to.
    `between_teams`: the same for teams, which are what the coordinator of an agent leads.

    Where a task needs a whole phase, that phase's sync point stands between: `before` counts every pair, `after` one
    handoff a producer and one a consumer, or the pairs where these are fewer; `crossing` likewise by domains (D4).
    """
    agent_of = {task: node.id for node in tree if node.kind is NodeKind.AGENT for task in node.members}
    domain_of = _domains(tasks, tree, agent_of)
    teams = teams_of(tree)
    team_of = {task: teams[agent] for task, agent in agent_of.items()}
    links = [(producer, task.id) for task in tasks for producer in producers_of(task)]
    changed = [(a, b) for a, b in links if agent_of[a] != agent_of[b]]
    crossing = {(a, domain_of[b]) for a, b in changed if domain_of[a] != domain_of[b]}
    between = {(a, team_of[b]) for a, b in links if team_of[a] != team_of[b]}
    hubs = hubs_of(tasks, span)
    at_hubs = {(a, team_of[b]) for a, b in links if a in hubs or b in hubs}
    after = len(changed)
    needed = sorted({name for task in tasks for name in task.needs})
    synced = [_through_sync_points(tasks, phase, domain_of) for phase in needed]
    synced_teams = sum(_through_sync_points(tasks, phase, team_of).crossing for phase in needed)
    functions = {task.id for task in tasks if task.kind in WITHOUT_TOKENS}
    vanished = sum(agent_of[a] == agent_of[b] and b not in functions for a, b in links)
    return HandoffCount(
        before=len(links) + sum(count.before for count in synced),
        after=after + sum(count.after for count in synced),
        crossing=len(crossing) + sum(count.crossing for count in synced),
        between_teams=len(between) + synced_teams,
        at_sync_points=len(between & at_hubs) + synced_teams,
        tokens_saved=Range(low=vanished * priors.handoff_tokens_low, high=vanished * priors.handoff_tokens_high),
    )


def hubs_of(tasks: Sequence[TaskSpec], span: int = DEFAULT_SPAN) -> frozenset[str]:
    """Return the tasks with more than 2 × `span` links, producers and consumers taken together (D2)."""
    consumers = consumers_of(tasks)
    return frozenset(task.id for task in tasks if len(producers_of(task)) + len(consumers[task.id]) > HUB_SPANS * span)


def _through_sync_points(tasks: Sequence[TaskSpec], phase: str, domain_of: Mapping[str, Hashable]) -> HandoffCount:
    producers = [domain_of[task.id] for task in tasks if task.phase == phase]
    consumers = [domain_of[task.id] for task in tasks if phase in task.needs]
    pairs, givers, takers = len(producers) * len(consumers), set(producers), set(consumers)
    direct = sum(len(takers - {domain}) for domain in producers)
    return HandoffCount(
        before=pairs,
        after=min(pairs, len(producers) + len(consumers)),
        crossing=min(direct, len(givers) + len(takers)),
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
