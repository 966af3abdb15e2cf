"""Build the tree of coordinators over the tasks of a job (R2, D2).

The span is kept always, labels are kept together where the depth allows it, and there are as few levels as that takes.
Inside a label, or everywhere when there are none, those who depend on each other share a lead as low as possible.

Every task is one agent, whose node has the task's id. The root is `primary`; for a single task it has one agent below
it, so that every plan has the same shape. A label of one agent puts that agent directly below its parent: nobody leads
a single agent, except the primary.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from echelon.model.graph import TaskSpec
from echelon.model.plan import Node, NodeKind
from echelon.planning.partition.packing import Piece, ceil_div, distribute, levels_needed, shared_depth
from echelon.planning.partition.pieces import clustered
from echelon.planning.regime import (
    DEFAULT_SPAN,
    MINIMUM_SPAN,
    Priority,
    allowed_levels,
    check_priority,
    check_span,
    exponent_for,
)

PRIMARY = "primary"
WIDTHS_TRIED = 8  # spans looked at for the priority `coherence`, from the narrowest that fits on


@dataclass(frozen=True, slots=True)
class Branch:
    """A node to be built, with the agents below it."""

    id: str
    kind: NodeKind
    parent: str | None
    pieces: Sequence[Piece]


def build_tree(
    tasks: Sequence[TaskSpec], span: int = DEFAULT_SPAN, priority: Priority | None = None
) -> tuple[Node, ...]:
    """Return the nodes over `tasks`, parents before their members (R2, D2, D6).

    Nobody has more than `span` direct reports. There are as few coordinating levels as keep given labels together,
    never more than `allowed_levels`. `coherence` takes the recommended depth, with narrower teams; `resilience` divides
    the top as widely as the span allows, so that a failing part takes the least with it. Where agents depend on each
    other, teams and the tiers above are those between which few handoffs are made; otherwise they are even. Raises
    `InvalidInput` for a span below 2 or an unknown priority.
    """
    ordered = sorted(tasks, key=lambda task: (task.domain is None or not task.domain, _path(task)))
    labels = _by_label(ordered)
    pieces, width = _fit(labels, check_span(span), check_priority(priority))
    wide = priority == "resilience"
    ordered, clusters = clustered(ordered, labels, pieces, width, wide=wide)
    names = _Names(ordered)
    nodes: list[Node] = []
    branches = deque([Branch(names.unique(PRIMARY), NodeKind.PRIMARY, None, pieces)])
    while branches:
        branch = branches.popleft()
        below = list(_below(branch, names, clusters, width, wide=wide))
        nodes.append(_node(branch, names, below))
        branches.extend(below)
    return tuple(nodes)


def _path(task: TaskSpec) -> tuple[str, ...]:
    return tuple(task.domain.split(".")) if task.domain else ()


def _by_label(ordered: Sequence[TaskSpec]) -> list[Piece]:
    """Return one piece a label."""
    pieces: list[Piece] = []
    for path, group in groupby(ordered, key=_path):
        start = pieces[-1].stop if pieces else 0
        pieces.append(Piece(start, start + sum(1 for _ in group), path))
    return pieces


def _fit(labels: list[Piece], span: int, priority: Priority | None) -> tuple[list[Piece], int]:
    """Return the largest pieces of the labels that fit into the levels allowed, and the span they fit with."""
    n = labels[-1].stop if labels else 0
    levels = allowed_levels(n, span)
    whole = _loosen(labels)
    for width in _widths(n, span, levels, priority):
        if levels_needed(whole, width) <= levels:
            return whole, width
    for height in range(exponent_for(n, span) - 1, 0, -1):
        pieces = _cut(whole, span, span**height, span**levels)
        if levels_needed(pieces, span) <= levels:
            return pieces, span
    return _cut(whole, span, 1, span**levels), span


def _cut(pieces: Sequence[Piece], span: int, most: int, capacity: int) -> list[Piece]:
    """Cut pieces into even ones of at most `most` agents, those that save most first, until all fit into `capacity`."""
    parts = {piece: piece.split(ceil_div(piece.size, most)) for piece in pieces}
    saved = {piece: piece.capacity(span) - sum(part.capacity(span) for part in parts[piece]) for piece in pieces}
    excess = sum(piece.capacity(span) for piece in pieces) - capacity
    for piece in sorted(pieces, key=saved.__getitem__, reverse=True):
        if excess <= 0:
            parts[piece] = [piece]
        excess -= saved[piece]
    return [part for piece in pieces for part in parts[piece]]


def _loosen(labels: list[Piece]) -> list[Piece]:
    """Let every agent without a label stand alone, unless none has one."""
    if len(labels) < 2 or labels[-1].path:
        return labels
    return labels[:-1] + labels[-1].split(labels[-1].size)


def _widths(n: int, span: int, levels: int, priority: Priority | None) -> Iterator[int]:
    """Yield the spans to try: `coherence` begins with the narrowest that `n` agents fit into at this depth."""
    if priority == "coherence":
        narrowest = next(width for width in range(MINIMUM_SPAN, span + 1) if width**levels >= n)
        yield from range(narrowest, min(span, narrowest + WIDTHS_TRIED))
    yield span


def _below(
    branch: Branch, names: "_Names", clusters: Mapping[Piece, Sequence[Piece]], span: int, *, wide: bool
) -> Iterator[Branch]:
    """Yield what stands directly below a branch; only the top is divided widely."""
    if branch.kind is NodeKind.AGENT or not branch.pieces:
        return
    wide = wide and branch.parent is None
    if len(branch.pieces) == 1:
        piece = branch.pieces[0]
        groups = [[part] for part in _clusters_below(piece, clusters, span) or piece.unfold(span, wide=wide)]
    else:
        groups = distribute(branch.pieces, span, wide=wide)
    for pieces in groups:
        kind = names.kind(pieces, span)
        yield Branch(names.name(kind, pieces), kind, branch.id, pieces)


def _clusters_below(piece: Piece, clusters: Mapping[Piece, Sequence[Piece]], span: int) -> Sequence[Piece]:
    """Return the clusters of a piece, none for agents that one lead can lead or that do not depend on each other."""
    return clusters.get(piece, ()) if piece.size > span else ()


def _node(branch: Branch, names: "_Names", below: Sequence[Branch]) -> Node:
    label = names.label(branch.pieces)
    held = tuple(member.id for member in below) or tuple(names.tasks[piece.start] for piece in branch.pieces)
    return Node(id=branch.id, kind=branch.kind, parent=branch.parent, members=held, domain=label)


class _Names:
    """Names nodes, each uniquely, and knows which labels are complete."""

    def __init__(self, ordered: Sequence[TaskSpec]) -> None:
        self.tasks = [task.id for task in ordered]
        self._reserved = frozenset(self.tasks)
        self._taken: set[str] = set()
        self._sizes = Counter(_path(task) for task in ordered)
        self._numbers: dict[str, int] = defaultdict(int)

    def label(self, pieces: Sequence[Piece]) -> str | None:
        """Return the label of all agents in `pieces`, None when they have none or several."""
        paths = {piece.path for piece in pieces}
        return ".".join(paths.pop()) or None if len(paths) == 1 else None

    def kind(self, pieces: Sequence[Piece], span: int) -> NodeKind:
        """Return what leads `pieces`: a complete label has a domain lead, other agents a team lead."""
        size = sum(piece.size for piece in pieces)
        if size == 1:
            return NodeKind.AGENT
        agents_only = size <= span and len(pieces) in {1, size}
        return NodeKind.TEAM if agents_only and not self._complete(pieces) else NodeKind.DOMAIN

    def name(self, kind: NodeKind, pieces: Sequence[Piece]) -> str:
        """Return an id that no other node and no task has."""
        if kind is NodeKind.AGENT:
            return self.tasks[pieces[0].start]
        named = self._described(pieces)
        if kind is NodeKind.DOMAIN and (self._complete(pieces) or not self._single(pieces)):
            return self.unique(f"{kind}:{named}")
        base = f"{kind}:{named}/" if named else f"{kind}:"
        self._numbers[base] += 1
        return self.unique(f"{base}{self._numbers[base]}")

    def unique(self, name: str) -> str:
        """Return `name`, changed as little as makes it different from all tasks and all names given before."""
        while name in self._reserved:
            name = f"lead:{name}"
        candidate = name
        while candidate in self._taken or candidate in self._reserved:
            self._numbers[name] += 1
            candidate = f"{name}~{self._numbers[name] + 1}"
        self._taken.add(candidate)
        return candidate

    def _complete(self, pieces: Sequence[Piece]) -> bool:
        """Tell whether `pieces` are all agents of one label."""
        return bool(pieces[0].path) and self._single(pieces) and self._sizes[pieces[0].path] == _size(pieces)

    @staticmethod
    def _single(pieces: Sequence[Piece]) -> bool:
        return len({piece.path for piece in pieces}) == 1

    @staticmethod
    def _described(pieces: Sequence[Piece]) -> str:
        """Name what `pieces` have in common: the start of their labels, else the first and the last label."""
        labels = sorted({piece.path for piece in pieces if piece.path})
        if not labels:
            return ""
        first, last = labels[0], labels[-1]
        loose = any(not piece.path for piece in pieces)
        common = 0 if loose else shared_depth(first, last)
        if common:
            return ".".join(first[:common])
        return f"{'.'.join(first)}..{'' if first == last else '.'.join(last)}"


def _size(pieces: Sequence[Piece]) -> int:
    return sum(piece.size for piece in pieces)
