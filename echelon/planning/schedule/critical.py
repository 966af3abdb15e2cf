"""Which results everything else rests on: those on the critical path, and those in front of a gate (O3). Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import inf, isclose

from echelon.model.graph import TaskSpec
from echelon.model.terms import OpenPhase
from echelon.planning.schedule.makespan import durations, in_order
from echelon.planning.schedule.order import producers_of

#: Why a result is to be verified that nothing else can wait for.
ON_CRITICAL_PATH = "on the critical path"


def results_to_verify(tasks: Sequence[TaskSpec], later: Sequence[OpenPhase] = ()) -> dict[str, str]:
    """Return the tasks whose results somebody else must verify, each with the reason, in their order.

    `later` are phases that are planned on the way. What cannot be undone is verified before, by its gate, and is not
    among them.
    """
    gated = dict(_in_front_of_gates(tasks, later))
    critical = tasks_without_float(tasks)
    return {
        task.id: gated.get(task.id, ON_CRITICAL_PATH)
        for task in tasks
        if not task.irreversible and (task.id in gated or task.id in critical)
    }


def tasks_without_float(tasks: Sequence[TaskSpec]) -> frozenset[str]:
    """Return the tasks that delay everything when they take longer: those on a longest chain.

    Where no task states a duration, all are taken to last equally long.

    >>> tasks = [TaskSpec(id="a", goal="g", seconds=1), TaskSpec(id="b", goal="g", seconds=9)]
    >>> sorted(tasks_without_float(tasks))
    ['b']
    """
    seconds = durations(tasks) or dict.fromkeys((task.id for task in tasks), 1.0)
    ordered = in_order(tasks)
    ends = _earliest_ends(ordered, seconds)
    whole = max(ends.values(), default=0.0)
    latest: defaultdict[str, float] = defaultdict(lambda: whole)
    latest_of_phase: defaultdict[str | None, float] = defaultdict(lambda: inf)
    found: set[str] = set()
    for task in reversed(ordered):
        end = min(latest[task.id], latest_of_phase[task.phase])
        if isclose(end, ends[task.id], abs_tol=1e-9):
            found.add(task.id)
        start = end - seconds[task.id]
        for producer in producers_of(task):
            latest[producer] = min(latest[producer], start)
        for phase in task.needs:
            latest_of_phase[phase] = min(latest_of_phase[phase], start)
    return frozenset(found)


def _earliest_ends(ordered: Sequence[TaskSpec], seconds: Mapping[str, float]) -> dict[str, float]:
    ends: dict[str, float] = {}
    of_phase: defaultdict[str | None, float] = defaultdict(float)
    for task in ordered:
        before = [*(ends[one] for one in producers_of(task)), *(of_phase[phase] for phase in task.needs)]
        ends[task.id] = max(before, default=0.0) + seconds[task.id]
        of_phase[task.phase] = max(of_phase[task.phase], ends[task.id])
    return ends


def _in_front_of_gates(tasks: Sequence[TaskSpec], later: Sequence[OpenPhase]) -> Iterator[tuple[str, str]]:
    """Yield the tasks whose outputs a step behind a gate uses, directly or as part of a whole phase."""
    of_phase: defaultdict[str | None, list[str]] = defaultdict(list)
    for task in tasks:
        of_phase[task.phase].append(task.id)
    used = [
        *((one, task.id) for task in tasks if _is_gated(task) for one in producers_of(task)),
        *((phase, task.id) for task in tasks if _is_gated(task) for phase in task.needs),
        *((phase, one.phase) for one in later if one.at_gate for phase in one.after),
    ]
    known = {task.id for task in tasks}
    for name, gated in reversed(used):
        for one in [name] if name in known else of_phase[name]:
            yield one, f"in front of the gate of {gated}"


def _is_gated(task: TaskSpec) -> bool:
    return task.at_gate is not None
