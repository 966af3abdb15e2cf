"""Which sync points each phase waits for: phases are a graph, where nothing stands in sequence without need (D4, X12).

A phase needs another one when one of its tasks uses an output of that, or names it as needed; when both change the same
thing; and when it continues it (`<name>/2` after `<name>`). Phases without a path between them run side by side.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from echelon.model.graph import TaskSpec
from echelon.model.plan import PhasePlan, Plan
from echelon.planning.schedule.order import producers_of


def connected(tasks: Sequence[TaskSpec], phases: Sequence[PhasePlan]) -> tuple[PhasePlan, ...]:
    """Return phases, given in an order in which they could run, with what each waits for; never one behind it."""
    by_id = {task.id: task for task in tasks}
    phase_of = {task: phase.name for phase in phases for task in phase.tasks}
    rank = {phase.name: number for number, phase in enumerate(phases)}
    parts = _parts(by_id, phases)
    last_to_touch: dict[str, str] = {}
    made: list[PhasePlan] = []
    for phase in phases:
        here = [by_id[task] for task in phase.tasks]
        touched = dict.fromkeys(thing for task in here for thing in task.touches)
        found = {
            *(phase_of[used] for task in here for used in producers_of(task) if used in phase_of),
            *(part for task in here for needed in task.needs for part in parts.get(needed, ())),
            *(last_to_touch[thing] for thing in touched if thing in last_to_touch),
            *_continued(parts, here, phase.name, rank),
        }
        last_to_touch |= dict.fromkeys(touched, phase.name)
        before = (name for name in found if rank[name] < rank[phase.name])
        made.append(phase.model_copy(update={"needs": tuple(sorted(before, key=rank.__getitem__))}))
    return tuple(made)


def ancestors(needs: Mapping[str, Iterable[str]], phase: str) -> frozenset[str]:
    """Return every phase whose sync point lies on a path to a phase, given what each needs; the phase is not one."""
    found: set[str] = set()
    open_ = list(needs.get(phase, ()))
    while open_:
        name = open_.pop()
        if name not in found:
            found.add(name)
            open_.extend(needs.get(name, ()))
    return frozenset(found)


def needs_of_phases(phases: Sequence[PhasePlan]) -> dict[str, tuple[str, ...]]:
    """Return what each phase waits for; in a plan of an earlier version one phase waits for the one before it."""
    names = [phase.name for phase in phases]
    before: list[tuple[str, ...]] = [(), *((name,) for name in names)]
    return {
        phase.name: chain if phase.needs is None else phase.needs for phase, chain in zip(phases, before, strict=False)
    }


def phases_awaited(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return what each phase of a plan waits for, producers first; phases that are planned on the way are in it."""
    opened = {one.phase: one.after for one in plan.open}
    awaited = opened | needs_of_phases(plan.phases)
    if opened:
        tasks = {task.id: task for task in plan.tasks}
        for phase in plan.phases:
            waits = dict.fromkeys(name for task in phase.tasks if task in tasks for name in tasks[task].needs)
            awaited[phase.name] = (*awaited[phase.name], *(name for name in waits if name in opened))
    known = {name: tuple(one for one in needs if one in awaited) for name, needs in awaited.items()}
    return {name: known[name] for name in _producers_first(known, [phase.name for phase in plan.phases])}


def _producers_first(needs: Mapping[str, Sequence[str]], planned: Sequence[str]) -> Iterator[str]:
    """Yield phases, those of the plan in its order, each open one before the first that waits for it, or at the end."""
    yielded: set[str] = set()
    for phase in (*planned, *(name for name in needs if name not in planned)):
        waiting = [phase]
        while waiting:
            name = waiting[-1]
            before = [one for one in needs[name] if one not in yielded]
            if before:
                waiting.extend(before)
                continue
            waiting.pop()
            if name not in yielded:
                yielded.add(name)
                yield name


def direct_needs(needs: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return what each phase waits for, without what is passed by then anyway; `needs` have producers first."""
    bits = {name: 1 << number for number, name in enumerate(needs)}
    before: dict[str, int] = {}
    found: dict[str, tuple[str, ...]] = {}
    for name, needed in needs.items():
        passed = 0
        for one in needed:
            passed |= before[one]
        found[name] = tuple(one for one in needed if not bits[one] & passed)
        before[name] = passed
        for one in needed:
            before[name] |= bits[one]
    return found


def depths(needs: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return how many sync points are passed one behind the other before each phase; `needs` have producers first.

    Phases of one depth have no path between them.
    """
    found: dict[str, int] = {}
    for name, needed in needs.items():
        found[name] = max((found[one] + 1 for one in needed), default=0)
    return found


def side_by_side(needs: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """Return for each phase those that may be at work at the same time: there is no path between them and it."""
    before = {name: ancestors(needs, name) for name in needs}
    return {
        name: tuple(one for one in needs if one != name and one not in before[name] and name not in before[one])
        for name in needs
    }


def final_phases(phases: Sequence[PhasePlan], skipped: Collection[str] = ()) -> tuple[str, ...]:
    """Return the phases that no other one waits for, in their order: what they hand on is what the job is for.

    Of phases that are skipped nothing is handed on; where all that waits for a phase is skipped, it is one of the ends.
    """
    return final_names(needs_of_phases(phases), skipped)


def final_names(needs: Mapping[str, Iterable[str]], skipped: Collection[str] = ()) -> tuple[str, ...]:
    """Do the same by what each phase waits for: also for phases that are planned on the way."""
    wanted = [name for name in needs if name not in skipped]
    needed = {one for name in wanted for one in (ancestors(needs, name) if skipped else needs.get(name, ()))}
    return tuple(name for name in wanted if name not in needed)


def _parts(by_id: Mapping[str, TaskSpec], phases: Sequence[PhasePlan]) -> dict[str, list[str]]:
    """Return the phases of a plan that a declared phase became, by its name, in their order."""
    parts: dict[str, list[str]] = defaultdict(list)
    for phase in phases:
        for name in dict.fromkeys(declared for task in phase.tasks if (declared := by_id[task].phase) is not None):
            parts[name].append(phase.name)
    return parts


def _continued(
    parts: Mapping[str, Sequence[str]], here: Sequence[TaskSpec], phase: str, rank: Mapping[str, int]
) -> Iterator[str]:
    """Yield the parts of a declared phase that one continues."""
    for task in here:
        if task.phase is not None:
            yield from (part for part in parts[task.phase] if rank[part] < rank[phase])
