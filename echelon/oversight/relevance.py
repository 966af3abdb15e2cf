"""Which open concerns are about a step, or about anything that it uses, directly or not (O2, X13). Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from echelon.model.concern import URGENCY, ConcernRecord
from echelon.model.plan import Plan
from echelon.runlog.standing import PhaseState
from echelon.runlog.state import RunState


class _Lines(NamedTuple):
    """What was made from what, as a state says it."""

    before: Mapping[str, tuple[str, ...]]
    """What each step used directly."""
    names: Mapping[str, list[str]]
    """The steps of each phase."""
    phase_of: Mapping[str, str]
    """The phase of each step, and of each task that is planned."""
    needs: Mapping[str, tuple[str, ...]]
    """The phases that each task needs as a whole."""


class _Found(NamedTuple):
    """What is used, directly or not, and what that rests on."""

    names: frozenset[str]
    plan: Plan | None
    phases: Mapping[str, PhaseState | None]
    """The phases that any of it is of, or was to be."""

    @property
    def is_final(self) -> bool:
        """Have all of them ended? What was made in them stays as it is then, until one of them begins again."""
        return all(one is not None and one.ended for one in self.phases.values())

    def holds(self, state: RunState) -> bool:
        """Say whether it is the same in a later state."""
        return self.plan is state.plan and all(state.phases.get(name) is one for name, one in self.phases.items())


class Lineage:
    """What the steps of a run use, directly or not: task by task, or by whole phases.

    Tasks of a phase mostly use the same phases before it: what these were made from is found once for all of them.
    """

    def __init__(self) -> None:
        self._found: dict[frozenset[str], _Found] = {}
        self._lines: tuple[RunState, _Lines] | None = None

    def of(self, state: RunState, used: Collection[str]) -> frozenset[str]:
        """Return what is used directly, and everything that this was made from."""
        if not used:
            return frozenset()
        found = self._found.get(key := frozenset(used))
        if found is None or not found.holds(state):
            found = _find(state, self._lines_of(state), key)
            if found.is_final:
                self._found[key] = found
        return found.names

    def _lines_of(self, state: RunState) -> _Lines:
        if self._lines is None or self._lines[0] is not state:
            self._lines = (state, _lines(state))
        return self._lines[1]


def concerns_about(
    state: RunState, task_id: str, node: str, used: Collection[str], lineage: Lineage
) -> tuple[ConcernRecord, ...]:
    """Return the open concerns about a step, its node, or what it uses; the most urgent first.

    `used` are the tasks and integrations that it uses directly; `lineage` knows what these were made from.
    """
    tasks = lineage.of(state, used) | {task_id}
    found = [record for record in state.concerns.values() if record.is_open and _is_about(record, tasks, node)]
    return tuple(sorted(found, key=lambda record: URGENCY.index(record.route)))


def _is_about(record: ConcernRecord, tasks: frozenset[str], node: str) -> bool:
    about = record.concern.about
    return record.task_id in tasks or about in tasks or node == about or node in record.about_nodes


def _lines(state: RunState) -> _Lines:
    names: defaultdict[str, list[str]] = defaultdict(list)
    before: dict[str, tuple[str, ...]] = {}
    plan = state.plan
    phase_of = {task: phase.name for phase in plan.phases for task in phase.tasks} if plan else {}
    for name, step in state.latest.items():
        names[name.phase].append(name.task_id)
        before[name.task_id] = tuple(one.task_id for one in step.handoff.dependencies)
        phase_of[name.task_id] = name.phase
    return _Lines(before, names, phase_of, {task.id: task.needs for task in plan.tasks if task.needs} if plan else {})


def _find(state: RunState, lines: _Lines, used: Iterable[str]) -> _Found:
    found: set[str] = set()
    phases: set[str] = set()
    waiting = list(used)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        waiting += lines.before.get(name, ())
        for phase in lines.needs.get(name, ()):
            if phase not in phases:
                phases.add(phase)
                waiting += lines.names.get(phase, ())
    of = phases | {lines.phase_of.get(name, "") for name in found}  # of what nobody knows anything may come yet
    return _Found(frozenset(found), state.plan, {phase: state.phases.get(phase) for phase in of})
