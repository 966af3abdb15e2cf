"""A tree that grows: phases whose items are found on the way have a part of it to themselves (X12, R1, R2).

The rest of the tree is built as if each of those phases were one agent. When its items are known, that agent gives way
to a tree over them, of the size that they need: beside the others where there is room, else under a lead of its own. So
growing changes nothing for those at work: each node stays what it is, and nobody gets more reports than the span.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from echelon.model.graph import TaskSpec
from echelon.model.plan import Node, NodeKind
from echelon.planning.labels import labelled
from echelon.planning.regime import Priority
from echelon.planning.tree import build_tree


def grown_tree(
    agents: Sequence[TaskSpec], grown: Mapping[str, int | None], span: int, priority: Priority | None = None
) -> tuple[Node, ...]:
    """Return the tree over `agents`; those of the phases in `grown`, where known, have parts of their own.

    With a phase comes the span of its part; None: `span`. Nobody outside of a part changes with its span (R10).
    """
    if not grown:
        return build_tree(labelled(agents), span, priority)
    own = {phase: [agent for agent in agents if agent.phase == phase] for phase in grown}
    rest = [agent for agent in agents if agent.phase not in own]
    seats = {f"{phase}/*": phase for phase in grown}
    domains = any(agent.domain for agent in rest)
    held = [TaskSpec(id=seat, goal="", phase=phase, domain=phase if domains else None) for seat, phase in seats.items()]
    base = build_tree(labelled([*rest, *held]), span, priority)
    parts = {
        seat: _part(phase, own[phase], _free(base, seat, seats, span), grown[phase] or span, priority)
        for seat, phase in seats.items()
    }
    return tuple(_without_idle([node for one in base for node in _replaced(one, parts)]))


def _free(base: Sequence[Node], seat: str, seats: Mapping[str, str], span: int) -> int:
    """Return how many agents may stand in a seat, beside the others: phases that share a parent share what is free."""
    parent = next(node for node in base if seat in node.members)
    return 1 + (span - len(parent.members)) // sum(member in seats for member in parent.members)


#: What stands in a seat: the ids at its top, and all its nodes, parents first; the tops have no parent yet.
_Part: TypeAlias = tuple[tuple[str, ...], tuple[Node, ...]]


def _part(phase: str, agents: Sequence[TaskSpec], free: int, span: int, priority: Priority | None) -> _Part:
    if not agents:
        return (), ()
    root, *below = build_tree(labelled(agents), span, priority)
    names = {node.id: node.id if node.kind is NodeKind.AGENT else f"{phase}/{node.id}" for node in below}
    # As many as the span of the part has room for may stand beside the others, and no more.
    alone = len(agents) <= min(free, span) or len(root.members) == 1
    top = f"lead:{phase}"
    renamed = tuple(
        node.model_copy(
            update={
                "id": names[node.id],
                "parent": names.get(node.parent or "", None if alone else top),
                "members": tuple(names.get(member, member) for member in node.members),
            }
        )
        for node in below
    )
    if alone:
        return tuple(names[member] for member in root.members), renamed
    lead = root.model_copy(
        update={"id": top, "kind": NodeKind.DOMAIN, "members": tuple(names[member] for member in root.members)}
    )
    return (top,), (lead, *renamed)


def _replaced(node: Node, parts: Mapping[str, _Part]) -> Iterator[Node]:
    """Yield what becomes of a node of the base: itself, or what stands in its seat."""
    if node.id in parts:
        for one in parts[node.id][1]:
            yield one if one.parent is not None else one.model_copy(update={"parent": node.parent})
        return
    members = [top for member in node.members for top in (parts[member][0] if member in parts else (member,))]
    yield node.model_copy(update={"members": tuple(members)})


def _without_idle(nodes: Sequence[Node]) -> list[Node]:
    """Leave out coordinators that have nobody, but for the primary."""
    kept = list(nodes)
    while idle := {node.id for node in kept if not node.members and node.parent is not None}:
        kept = [
            node.model_copy(update={"members": tuple(one for one in node.members if one not in idle)})
            for node in kept
            if node.id not in idle
        ]
    return kept
