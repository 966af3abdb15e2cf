"""The coordinating levels of a plan: what they are called, and which of them somebody reports to. Pure."""

from collections import Counter
from functools import cached_property

from echelon.model.exception_report import ExceptionReport
from echelon.model.plan import NodeKind, Plan
from echelon.model.views.rollup import TOP


class Levels:
    """The levels of one plan: 0 is the primary, the last has those whom agents report to."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    @cached_property
    def depth(self) -> dict[str, int]:
        """How far below the primary each node is."""
        depth: dict[str, int] = {}
        for node in self._plan.tree:  # parents stand before their members
            depth[node.id] = 0 if node.parent is None else depth.get(node.parent, 0) + 1
        return depth

    @cached_property
    def above(self) -> dict[str, tuple[str, ...]]:
        """The coordinators above each node, the top first."""
        above: dict[str, tuple[str, ...]] = {}
        for node in self._plan.tree:
            parent = node.parent
            above[node.id] = () if parent is None else (*above.get(parent, ()), parent)
        return above

    @cached_property
    def coordinators(self) -> tuple[tuple[str, ...], ...]:
        """The coordinators of each level, the top first."""
        found: dict[int, list[str]] = {0: []}
        for node in self._plan.tree:
            if node.kind is not NodeKind.AGENT:
                found.setdefault(self.depth[node.id], []).append(node.id)
        return tuple(tuple(found[level]) for level in sorted(found))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What each level is called; several that are called the same are numbered."""
        nodes = self._plan.nodes
        kinds = [TOP, *(nodes[level[0]].kind.value for level in self.coordinators[1:])]
        many, seen = Counter(kinds), Counter[str]()
        names: list[str] = []
        for kind in kinds:
            seen[kind] += 1
            names.append(f"{kind} {seen[kind]}" if many[kind] > 1 else kind)
        return tuple(names)

    def receiver(self, report: ExceptionReport) -> int:
        """Return the level that an exception is pushed to: that of the coordinator who is nearest to its source."""
        last = len(self.names) - 1
        for name in reversed(report.path):
            node = self._plan.nodes.get(name)
            if node is not None and node.kind is not NodeKind.AGENT:
                return min(self.depth[name], last)
        return 0
