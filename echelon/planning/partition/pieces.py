"""Put the tasks of each piece in the order of their clusters, and say what stands below what in it (D2, R2)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from echelon.model.graph import TaskSpec
from echelon.planning.partition.orders import Links, renumbered
from echelon.planning.partition.packing import Piece
from echelon.planning.partition.tiers import arrange
from echelon.planning.schedule.order import producers_of


class Clustered(NamedTuple):
    """Tasks that stand near those they depend on, within the limits of their labels."""

    tasks: list[TaskSpec]
    """All tasks, each within the stretch of its label."""
    below: Mapping[Piece, Sequence[Piece]]
    """What stands directly below a piece; pieces without dependencies inside have no entry."""


def clustered(
    tasks: Sequence[TaskSpec], labels: Sequence[Piece], pieces: Sequence[Piece], span: int, *, wide: bool = False
) -> Clustered:
    """Cluster the tasks in every piece that needs several leads (D2, R2).

    `labels` are the stretches within which tasks may change places, `pieces` those that keep together. A label cut into
    pieces is put in the order of its clusters first, so that the cuts part few that depend on each other. With `wide` a
    piece that stands alone is divided widely at its top.
    """
    links = _links(tasks)
    order = list(range(len(tasks)))
    whole = frozenset(pieces)
    for label in labels:
        if label not in whole:
            _arrange(order, label, links, span)
    below: dict[Piece, list[Piece]] = {}
    for piece in pieces:
        order[piece.start : piece.stop] = sorted(order[piece.start : piece.stop])
        if piece.size > span:
            below |= _arrange(order, piece, links, span, wide=wide and len(pieces) == 1)
    return Clustered([tasks[index] for index in order], below)


def _links(tasks: Sequence[TaskSpec]) -> Links:
    """Return the indexes of the tasks that use each task; dependencies on tasks outside do not count."""
    index = {task.id: position for position, task in enumerate(tasks)}
    links: list[list[int]] = [[] for _ in tasks]
    for position, task in enumerate(tasks):
        for producer in producers_of(task):
            if producer in index:
                links[index[producer]].append(position)
    return links


def _arrange(
    order: list[int], piece: Piece, links: Links, span: int, *, wide: bool = False
) -> dict[Piece, list[Piece]]:
    """Reorder the stretch of `order` that is the piece; return what stands below what, nothing without dependencies."""
    tasks = order[piece.start : piece.stop]
    inside = renumbered(links, tasks)
    if not any(inside):
        return {}
    arranged = arrange(inside, span, wide=wide)
    order[piece.start : piece.stop] = [tasks[position] for position in arranged.order]
    return {
        _placed(piece, *stretch): [_placed(piece, *part) for part in parts] for stretch, parts in arranged.below.items()
    }


def _placed(piece: Piece, start: int, stop: int) -> Piece:
    return Piece(piece.start + start, piece.start + stop, piece.path)
