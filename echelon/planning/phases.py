"""Divide tasks into phases whose members may run at the same time (D4), with gates before what cannot be undone (O5).

Declared phases are kept in their order; without any the levels of the dependencies are the phases. Tasks that touch
the same thing never meet in a phase, in as few phases as can be found. Where a declared phase has dependencies or
shared things inside, it is continued as `<name>/2`, `<name>/3` …

A gate holds up whole phases, so tasks with one that no phase was declared for get phases of their own: as few as can be
found, and in front of each the tasks without one that do not wait for it. A task without a gate stands behind one only
when it depends on a task of the last gate before it. That may take more phases than letting work wait for approvals
that it does not need, never more gates. A declared phase is not divided: its gate is in front of all of it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from echelon.model.errors import InvalidInput
from echelon.model.graph import TaskSpec
from echelon.model.plan import PhasePlan, SyncPoint
from echelon.planning.handoffs import HUB_SPANS
from echelon.planning.regime import DEFAULT_SPAN
from echelon.planning.schedule.colouring import Steps
from echelon.planning.schedule.order import producers_of, topological
from echelon.planning.schedule.slots import fewest_slots

SEARCH_STEPS = 60_000  # for all phases together; less than a second

#: For each task, by its number in topological order, the numbers of the tasks it uses.
Before = Sequence[Sequence[int]]


class TimeSlot(NamedTuple):
    """Where a task stands in time."""

    rank: int
    """Which declared phase; always 0 when none is declared."""
    slot: int
    """Which part of it, from 0."""


class SlotRange(NamedTuple):
    """A run of phases without a gate inside, or the phases behind one gate."""

    rank: int
    """Which declared phase; always 0 when none is declared."""
    gates: int
    """Gates in front of it, within the declared phase."""
    held: bool
    """Does it consist of tasks with a gate?"""


def declared_order(tasks: Sequence[TaskSpec], phase_order: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the names of the declared phases that have tasks: as `phase_order` says, then as they appear."""
    used = dict.fromkeys(task.phase for task in tasks if task.phase is not None)
    return tuple(dict.fromkeys(name for name in (*phase_order, *used) if name in used))


def assign_phases(
    tasks: Sequence[TaskSpec], *, phase_order: Sequence[str] = (), owner: str = "primary", span: int = DEFAULT_SPAN
) -> tuple[PhasePlan, ...]:
    """Return the phases in the order they run, each ended by a sync point that `owner` owns (D4, D6, O5).

    Tasks with more than 2 × `span` links are the hubs of their sync point (D2). Raises `InvalidInput` when
    dependencies form a cycle or run against the order of the declared phases.
    """
    names = declared_order(tasks, phase_order)
    ordered = topological(tasks)
    number = {task.id: i for i, task in enumerate(ordered)}
    before = [[number[used] for used in producers_of(task)] for task in ordered]
    places = _places(ordered, before, {name: rank for rank, name in enumerate(names)})
    hubs = _hubs(ordered, before, span)
    members: dict[TimeSlot, list[TaskSpec]] = defaultdict(list)
    for task in tasks:
        members[places[number[task.id]]].append(task)
    return tuple(
        PhasePlan(
            name=label,
            tasks=tuple(task.id for task in members[place]),
            sync=SyncPoint(owner=owner, hubs=tuple(task.id for task in members[place] if task.id in hubs)),
            gate=tuple(task.id for task in members[place] if task.at_gate),
        )
        for place, label in _labels(sorted(members), names).items()
    )


def _hubs(ordered: Sequence[TaskSpec], before: Before, span: int) -> set[str]:
    """Return the ids of the tasks with more producers and consumers than coordinators can link one by one (D2)."""
    links = [len(used) for used in before]
    for used in before:
        for one in used:
            links[one] += 1
    return {task.id for task, count in zip(ordered, links, strict=True) if count > HUB_SPANS * span}


def _places(ordered: Sequence[TaskSpec], before: Before, ranks: Mapping[str, int]) -> list[TimeSlot]:
    """Give each task its place: first the declared phase, then the gates it waits for, then the slot between them."""
    steps = Steps(SEARCH_STEPS)
    rank_of = _ranks(ordered, before, ranks)
    held = [task.at_gate is not None and task.phase is None for task in ordered]
    gates = [0] * len(ordered)
    if any(held):
        # Only tasks with a gate take up room when gates are counted, and only they get into each other's way.
        touches = [task.touches if own else () for task, own in zip(ordered, held, strict=True)]
        gates = _slots_within(rank_of, before, touches, [int(own) for own in held], steps)
    stretches = [SlotRange(*key) for key in zip(rank_of, gates, held, strict=True)]
    slots = _slots_within(stretches, before, [task.touches for task in ordered], [1] * len(ordered), steps)
    return _consecutive(list(zip(stretches, slots, strict=True)))


def _ranks(ordered: Sequence[TaskSpec], before: Before, ranks: Mapping[str, int]) -> list[int]:
    """Return the declared phase of each task; one without a phase runs as soon as its producers are done."""
    if not ranks:
        return [0] * len(ordered)
    result: list[int] = []
    for task, used in zip(ordered, before, strict=True):
        earliest = max((result[one] for one in used), default=0)
        rank = earliest if task.phase is None else ranks[task.phase]
        if rank < earliest:
            producer = next(one for one in used if result[one] == earliest)
            raise _against_the_order(task, ordered[producer].id)
        result.append(rank)
    return result


def _slots_within(
    keys: Sequence[object], before: Before, touches: Sequence[Sequence[str]], widths: Sequence[int], steps: Steps
) -> list[int]:
    """Return the slot of each task among those with the same key; the others neither precede nor rival it."""
    members: dict[object, list[int]] = defaultdict(list)
    for task, key in enumerate(keys):
        members[key].append(task)
    if len(members) == 1:
        return fewest_slots(before, touches, widths, steps)
    slots = [0] * len(keys)
    for tasks in members.values():
        number = {task: i for i, task in enumerate(tasks)}
        found = fewest_slots(
            [[number[used] for used in before[task] if used in number] for task in tasks],
            [touches[task] for task in tasks],
            [widths[task] for task in tasks],
            steps,
        )
        for task, slot in zip(tasks, found, strict=True):
            slots[task] = slot
    return slots


def _consecutive(keys: Sequence[tuple[SlotRange, int]]) -> list[TimeSlot]:
    """Number the slots of each declared phase from 0, one stretch after the other."""
    place: dict[tuple[SlotRange, int], TimeSlot] = {}
    used: dict[int, int] = defaultdict(int)
    for key in sorted(set(keys)):
        rank = key[0].rank
        place[key] = TimeSlot(rank, used[rank])
        used[rank] += 1
    return [place[key] for key in keys]


def _against_the_order(task: TaskSpec, producer: str) -> InvalidInput:
    return InvalidInput(
        f"cannot keep the declared phases: task {task.id!r} of phase {task.phase!r} uses {producer!r}, which runs in a "
        "later phase; change the order of the phases, or move one of the two tasks"
    )


def _labels(places: Sequence[TimeSlot], names: Sequence[str]) -> dict[TimeSlot, str]:
    """Name each place: the declared name, continued with /2, /3 …, or phase-1, phase-2 … when none is declared."""
    if not names:
        return {place: f"phase-{place.slot + 1}" for place in places}
    declared = set(names)
    labels: dict[TimeSlot, str] = {}
    for place in places:
        label = names[place.rank] + (f"/{place.slot + 1}" if place.slot else "")
        while place.slot and label in declared:
            label += "'"
        declared.add(label)
        labels[place] = label
    return labels
