"""What earlier runs of the same job on the same inputs delivered, read from the journal when it is first asked for."""

import asyncio

from echelon.coordination.context import RunContext
from echelon.coordination.step.previous_output import PreviousOutput
from echelon.definition.inputs import written_inputs
from echelon.journal.digest import digest_of
from echelon.model.fallback import FallbackKind
from echelon.model.run import StepRecord

#: So many earlier runs with an output are looked through.
MAX_RUNS = 5


class PreviousRuns:
    """The last good outputs of one phase, by task."""

    def __init__(self, run: RunContext) -> None:
        self._run = run
        self._phases: dict[str, dict[str, PreviousOutput]] = {}
        self._lock = asyncio.Lock()

    async def output_of(self, phase: str, task_id: str) -> PreviousOutput | None:
        """Return the last good output of a task; None when no earlier run has one."""
        async with self._lock:
            if phase not in self._phases:
                self._phases[phase] = await self._read(phase)
        return self._phases[phase].get(task_id)

    async def _read(self, phase: str) -> dict[str, PreviousOutput]:
        spec, journal = self._run.spec, self._run.log.journal
        found: dict[str, PreviousOutput] = {}
        before, inputs = spec.run_id, digest_of(written_inputs(spec.inputs))
        for _ in range(MAX_RUNS):
            last = await journal.last_completed(spec.job.name, inputs, before)
            if last is None:
                break
            before = last.run_id
            delivered = {step.handoff.task_id: step for step in await journal.steps(last.run_id, phase) if _good(step)}
            found = {task: PreviousOutput.of(step) for task, step in delivered.items()} | found
        return found


def _good(step: StepRecord) -> bool:
    """Say whether somebody worked an output out, be it long ago: a default value never becomes a good output."""
    used = step.handoff.fallback
    return step.handoff.done and not step.replica and (used is None or used.kind is not FallbackKind.DEFAULT)
