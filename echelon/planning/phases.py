"""Divide tasks into phases whose members may run at the same time (D4).

Declared phases are kept in their order; without any the levels of the dependencies are the phases. Tasks that change
the same shared thing never meet in a phase. Where a declared phase has dependencies or shared things inside, it is
continued as `<name>/2`, `<name>/3` …
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from echelon.model.errors import InvalidInput
from echelon.model.graph import TaskSpec
from echelon.model.plan import PhasePlan, SyncPoint
from echelon.planning.order import producers_of, topological


class Place(NamedTuple):
    """Where a task stands in time."""

    rank: int
    """Which declared phase; always 0 when none is declared."""
    slot: int
    """Which part of it, from 0."""


class SharedThings:
    """Remembers which slots are taken for each shared thing, and finds the first one free for all of them."""

    def __init__(self) -> None:
        self._next: dict[tuple[int, str], dict[int, int]] = defaultdict(dict)

    def take(self, rank: int, slot: int, touches: Sequence[str]) -> int:
        """Take the first slot from `slot` on in which nothing in `touches` is changed yet, and return it."""
        found = slot
        while (later := max((self._free(rank, thing, found) for thing in touches), default=found)) > found:
            found = later
        for thing in touches:
            self._next[rank, thing][found] = found + 1
        return found

    def _free(self, rank: int, thing: str, slot: int) -> int:
        """Follow the taken slots to the first free one, and shorten the way for the next search."""
        after = self._next[rank, thing]
        way: list[int] = []
        while slot in after:
            way.append(slot)
            slot = after[slot]
        after.update(dict.fromkeys(way, slot))
        return slot


def declared_order(tasks: Sequence[TaskSpec], phase_order: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the names of the declared phases that have tasks: as `phase_order` says, then as they appear."""
    used = dict.fromkeys(task.phase for task in tasks if task.phase is not None)
    return tuple(dict.fromkeys(name for name in (*phase_order, *used) if name in used))


def assign_phases(
    tasks: Sequence[TaskSpec], *, phase_order: Sequence[str] = (), owner: str = "primary"
) -> tuple[PhasePlan, ...]:
    """Return the phases in the order they run, each ended by a sync point that `owner` owns (D4, D6).

    Raises `InvalidInput` when dependencies form a cycle or run against the order of the declared phases.
    """
    names = declared_order(tasks, phase_order)
    places = _places(tasks, {name: rank for rank, name in enumerate(names)})
    members: dict[Place, list[str]] = defaultdict(list)
    for task in tasks:
        members[places[task.id]].append(task.id)
    labels = _labels(sorted(members), names)
    return tuple(
        PhasePlan(name=labels[place], tasks=tuple(members[place]), sync=SyncPoint(owner=owner)) for place in labels
    )


def _places(tasks: Sequence[TaskSpec], ranks: Mapping[str, int]) -> dict[str, Place]:
    """Give each task the earliest place after all its producers; one without a declared phase follows them."""
    places: dict[str, Place] = {}
    shared = SharedThings()
    for task in topological(tasks):
        before = [places[producer] for producer in producers_of(task)]
        earliest = max((place.rank for place in before), default=0)
        rank = earliest if task.phase is None else ranks[task.phase]
        if rank < earliest:
            raise _against_the_order(task, places, earliest)
        slot = max((place.slot + 1 for place in before if place.rank == rank), default=0)
        places[task.id] = Place(rank, shared.take(rank, slot, task.touches))
    return places


def _against_the_order(task: TaskSpec, places: Mapping[str, Place], rank: int) -> InvalidInput:
    producer = next(used for used in producers_of(task) if places[used].rank == rank)
    return InvalidInput(
        f"cannot keep the declared phases: task {task.id!r} of phase {task.phase!r} uses {producer!r}, which runs in a "
        "later phase; change the order of the phases, or move one of the two tasks"
    )


def _labels(places: Sequence[Place], names: Sequence[str]) -> dict[Place, str]:
    """Name each place: the declared name, continued with /2, /3 …, or phase-1, phase-2 … when none is declared."""
    if not names:
        return {place: f"phase-{place.slot + 1}" for place in places}
    declared = set(names)
    labels: dict[Place, str] = {}
    for place in places:
        label = names[place.rank] + (f"/{place.slot + 1}" if place.slot else "")
        while place.slot and label in declared:
            label += "'"
        declared.add(label)
        labels[place] = label
    return labels
