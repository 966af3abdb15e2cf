"""Which open concerns are about a step, or about anything that it uses, directly or not (O2, X13). Pure."""

from collections import defaultdict
from collections.abc import Iterable

from echelon.model.concern import URGENCY, ConcernRecord
from echelon.runlog.state import RunState


def concerns_about(state: RunState, task_id: str, node: str, used: Iterable[str]) -> tuple[ConcernRecord, ...]:
    """Return the open concerns about a step, its node, or what it uses; the most urgent first.

    `used` are the tasks and integrations that it uses directly.
    """
    tasks = {task_id, *_used(state, used)}
    found = [record for record in state.concerns.values() if record.is_open and _is_about(record, tasks, node)]
    return tuple(sorted(found, key=lambda record: URGENCY.index(record.route)))


def _is_about(record: ConcernRecord, tasks: set[str], node: str) -> bool:
    named = {record.task_id, record.concern.about}
    return not named.isdisjoint(tasks) or node == record.concern.about or node in record.about_nodes


def _used(state: RunState, used: Iterable[str]) -> set[str]:
    """Return what is used directly, and everything that this was made from: task by task, or by whole phases."""
    by_phase: defaultdict[str, list[str]] = defaultdict(list)
    before: dict[str, tuple[str, ...]] = {}
    for name, step in state.latest.items():
        by_phase[name.phase].append(name.task_id)
        before[name.task_id] = tuple(one.task_id for one in step.handoff.dependencies)
    needs = {task.id: task.needs for task in state.plan.tasks if task.needs} if state.plan else {}
    found: set[str] = set()
    phases: set[str] = set()
    waiting = list(used)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        waiting += before.get(name, ())
        for phase in needs.get(name, ()):
            if phase not in phases:
                phases.add(phase)
                waiting += by_phase.get(phase, ())
    return found
