"""Count what agents see when each sees its scope only: upstream, downstream, and its team (V4, R7)."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from echelon.model.graph import TaskSpec
from echelon.model.plan import Node, NodeKind
from echelon.planning.schedule.order import producers_of


def teams_of(tree: Sequence[Node]) -> dict[str, str]:
    """Return the team of each agent: the lowest coordinator above it, or the agent where no team stands between.

    The primary leads no team unless it leads nobody but agents, and a coordinator of coordinators leads agents that
    stand alone.
    """
    leading = {node.parent for node in tree if node.kind is not NodeKind.AGENT}
    agents = {node.id: node.parent or node.id for node in tree if node.kind is NodeKind.AGENT}
    return {agent: agent if parent in leading else parent for agent, parent in agents.items()}


def scoped_views(tasks: Sequence[TaskSpec], tree: Sequence[Node]) -> int:
    """Return how many others all agents see together: n × k, k being what one sees on average (R7, V4).

    Whoever waits for a whole phase sees its sync point, not each of its agents.
    """
    team_of = teams_of(tree)
    agent_of = {task: node.id for node in tree if node.kind is NodeKind.AGENT for task in node.members}
    others: dict[str, set[str]] = defaultdict(set)
    for user, used in ((task.id, used) for task in tasks for used in producers_of(task)):
        taker, giver = agent_of.get(user), agent_of.get(used)
        if taker and giver and team_of[taker] != team_of[giver]:
            others[taker].add(giver)
            others[giver].add(taker)
    inside = sum(size * (size - 1) for size in Counter(team_of.values()).values())
    return inside + sum(map(len, others.values()))
