"""The part of the tree that works in one phase. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from echelon.model.plan import Node, NodeKind, Plan


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A coordinator with what reports to it in one phase."""

    node: Node
    """The coordinator: owner of the integration of everything below (D6)."""
    tasks: tuple[str, ...]
    """Tasks of the agents that report to it directly."""
    parts: tuple["Stage", ...]
    """Coordinators that report to it."""

    @property
    def all_tasks(self) -> tuple[str, ...]:
        """Tasks of everybody below, in the order of the plan."""
        return self.tasks + tuple(task for part in self.parts for task in part.all_tasks)


def stage_of(plan: Plan, tasks: Iterable[str], root: str | None = None) -> Stage:
    """Return the tree below `root` (None: the primary) as far as it is needed for `tasks`.

    Nobody without work below appears; a coordinator with a single report has nothing to integrate and is left out,
    except the primary, who owns the sync point.
    """
    wanted, top = set(tasks), plan.primary if root is None else plan.nodes[root]
    stages: dict[str, Stage | None] = {}
    # From below, so that all members are known. Depth costs no recursion.
    for node in reversed(_coordinators(plan, wanted, top)):
        stages[node.id] = _stage(plan, node, wanted, stages)
    return stages.get(top.id) or Stage(node=top, tasks=(), parts=())


def _coordinators(plan: Plan, tasks: Iterable[str], top: Node) -> list[Node]:
    """Return the coordinators at or below `top` that tasks are below of, parents first: of a wave that is few."""
    above = _above(plan, tasks)
    found = [top] if top.id in above and top.kind is not NodeKind.AGENT else []
    for node in found:
        below = (plan.nodes[member] for member in node.members if member in above)
        found += (one for one in below if one.kind is not NodeKind.AGENT)
    return found


def _above(plan: Plan, tasks: Iterable[str]) -> set[str]:
    """Return the agents that hold tasks, and all coordinators above them."""
    found: set[str] = set()
    for task in tasks:
        node = plan.agent_of.get(task)
        while node is not None and node not in found:
            found.add(node)
            node = plan.nodes[node].parent
    return found


def _stage(plan: Plan, node: Node, wanted: set[str], stages: dict[str, Stage | None]) -> Stage | None:
    members = [plan.nodes[member] for member in node.members]
    tasks = tuple(
        task for member in members if member.kind is NodeKind.AGENT for task in member.members if task in wanted
    )
    parts = tuple(part for member in members if (part := stages.get(member.id)) is not None)
    if not tasks and len(parts) == 1 and node.parent is not None:
        return parts[0]
    return Stage(node=node, tasks=tasks, parts=parts) if tasks or parts else None
