"""Give every task, every integration and every dependency across a boundary exactly one owner (D6).

Keys of the result are of three kinds: a task id, owned by its agent; the id of a coordinator, which owns its own
integration; and `producer->consumer` for a dependency between agents with different coordinators, owned by the nearest
coordinator that both report to. Inside one team the coordinator of the team owns the dependency with its integration.
"""

from collections.abc import Iterator, Mapping, Sequence

from echelon.model.graph import TaskSpec
from echelon.model.plan import Node, NodeKind
from echelon.planning.schedule.order import producers_of


def assign_owners(tasks: Sequence[TaskSpec], tree: Sequence[Node]) -> dict[str, str]:
    """Return who owns what: task, node or `producer->consumer` → node id (D6)."""
    nodes = {node.id: node for node in tree}
    owners = {task: agent.id for agent in tree if agent.kind is NodeKind.AGENT for task in agent.members}
    crossings = dict(_crossings(tasks, owners, nodes))
    integrations = {node.id: node.id for node in tree if node.kind is not NodeKind.AGENT}
    return {**crossings, **owners, **integrations}


def nearest_common(left: str, right: str, nodes: Mapping[str, Node]) -> str:
    """Return the lowest node that two nodes both report to; a node counts as its own superior."""
    above = set(_upwards(left, nodes))
    return next(node_id for node_id in _upwards(right, nodes) if node_id in above)


def _crossings(
    tasks: Sequence[TaskSpec], agent_of: Mapping[str, str], nodes: Mapping[str, Node]
) -> Iterator[tuple[str, str]]:
    for task in tasks:
        consumer = agent_of[task.id]
        for used in producers_of(task):
            producer = agent_of[used]
            if nodes[producer].parent != nodes[consumer].parent:
                yield f"{used}->{task.id}", nearest_common(producer, consumer, nodes)


def _upwards(node_id: str, nodes: Mapping[str, Node]) -> Iterator[str]:
    current: str | None = node_id
    while current is not None:
        yield current
        current = nodes[current].parent
