"""How far the output of a step reaches: who uses it, directly or not, and can all of that be undone? Pure."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from echelon.model.plan import Plan


class Reach(NamedTuple):
    """What lies behind a step."""

    steps: int = 0
    """Tasks that use its output, directly or not; a phase that is not planned yet counts as one."""
    irreversible: bool = False
    """Can anything of that, or the step itself, not be undone?"""


#: What is behind a step of which nothing is known.
NOTHING_BEHIND = Reach()


class Downstream:
    """Who uses what in a plan."""

    def __init__(self, plan: Plan) -> None:
        self._tasks = {task.id: task for task in plan.tasks}
        self._open = {phase.phase: phase for phase in plan.open}
        self._users: defaultdict[str, list[str]] = defaultdict(list)
        self._behind: defaultdict[str, list[str]] = defaultdict(list)
        for task in plan.tasks:
            for used in task.depends_on:
                self._users[used.task].append(task.id)
            for phase in task.needs:
                self._behind[phase].append(task.id)
        for phase in plan.open:
            for before in phase.after:
                self._behind[before].append(phase.phase)

    def of(self, task_id: str, phase: str) -> Reach:
        """Return what is behind a step of a phase: a task, or an integration or check, of which all of it is."""
        seen: set[str] = {task_id}
        phases: set[str] = set()
        waiting = list(self._next(task_id, phase, phases))
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += self._next(name, "", phases)
        return Reach(steps=len(seen) - 1, irreversible=any(map(self._is_irreversible, seen)))

    def _next(self, name: str, phase: str, phases: set[str]) -> Iterator[str]:
        """Yield what uses a task, or a phase, directly; each phase once."""
        yield from self._users.get(name, ())
        task = self._tasks.get(name)
        phase = phase or (task.phase or "" if task else name)
        if phase not in phases:
            phases.add(phase)
            yield from self._behind.get(phase, ())

    def _is_irreversible(self, name: str) -> bool:
        if name in self._tasks:
            return self._tasks[name].irreversible
        return name in self._open and self._open[name].irreversible
