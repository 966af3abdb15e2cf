"""Parts of a phase in waves that are put together before its end: as soon as all of their tasks have ended (X3).

It is the same step that the end of the phase would do, with the same key, done beside the waves that follow: the end
is given what came of it. So it is done once, and a run that was killed in between recalls it.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable

from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import Placement, StageOrder
from echelon.coordination.stage import Stage, stage_of
from echelon.journal.failpoints import failpoint
from echelon.model.handoff import Handoff


class OpenParts:
    """The parts of a stage, with how many of their tasks have not ended. Pure."""

    def __init__(self, whole: Stage) -> None:
        self._ended = set[str]()
        self._open: dict[str, int] = {}
        #: Of each task, from the part that it is in directly to the one that has all of that.
        self._above: dict[str, list[Stage]] = {}
        for part in whole.parts:
            self._add(part)

    def end(self, tasks: Collection[str]) -> list[Stage]:
        """Return the parts of which all tasks have ended now, those below first."""
        ended = list[Stage]()
        for task in (task for task in tasks if task not in self._ended):
            for part in self._above.get(task, ()):
                self._open[part.node.id] -= 1
                ended += [part] if not self._open[part.node.id] else []
        self._ended.update(tasks)
        return ended

    def _add(self, part: Stage) -> None:
        for below in part.parts:
            self._add(below)
        self._open[part.node.id] = len(part.all_tasks)
        for task in part.all_tasks:
            self._above.setdefault(task, []).append(part)


class EarlyIntegration:
    """Puts parts of one order together, as tasks of a group. `place` makes what carries an order out."""

    def __init__(
        self, run: RunContext, order: StageOrder, place: Callable[[], Placement], group: asyncio.TaskGroup
    ) -> None:
        self._order = order
        self._place = place
        self._group = group
        self._parts = OpenParts(stage_of(run.spec.plan, order.tasks, order.node))
        self._ended: dict[str, Handoff] = {}
        self._begun: dict[str, asyncio.Task[PhaseOutput]] = {}

    def begin(self, ended: Iterable[Handoff]) -> None:
        """Begin with each part whose tasks have all ended by now; the whole is left to the end of the phase.

        What waits for a quota, or for a person, has not ended.
        """
        new = {one.task_id: one for one in ended if not one.waits}
        self._ended |= new
        for part in self._parts.end(new):
            name = f"integration of {part.node.id} in {self._order.phase}"
            self._begun[part.node.id] = self._group.create_task(self._integrate(part), name=name)

    def outputs(self) -> dict[str, PhaseOutput]:
        """Return what came of it, by coordinator; asked when the group has ended."""
        return {node: one.result() for node, one in self._begun.items()}

    async def _integrate(self, part: Stage) -> PhaseOutput:
        below = {one.node.id: await self._begun[one.node.id] for one in part.parts}
        changes = {
            "node": part.node.id,
            "tasks": part.all_tasks,
            "kept": {task: self._ended[task] for task in part.all_tasks},
            "integrated": below,
        }
        output = await self._place().run(self._order.model_copy(update=changes))
        failpoint("wave.integrated")
        return output
