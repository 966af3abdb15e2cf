"""What an earlier process completed is not done again (F8)."""

import asyncio
from dataclasses import dataclass, replace

from echelon.coordination.context import RunContext
from echelon.coordination.step.envelope import one_line
from echelon.coordination.step.step import Perform, Step
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.handoff import Handoff
from echelon.model.run import StepRecord
from echelon.runlog.events import StepReused


@dataclass(frozen=True)
class Recall:
    """Returns what is on record, or lets the step be done."""

    run: RunContext
    inner: Perform[Handoff]

    async def __call__(self, step: Step) -> Handoff:
        """Do a step unless it is done."""
        run = self.run
        hit = run.memo.recall(step.key, step.kind, step.task_id, step.contract_name, step.agent, step.round)
        while hit.known is not None and (lost := await why_lost(run, hit.known.handoff)):
            hit = run.memo.renew(hit.key, lost)
        if hit.known is not None:
            return reuse(run, step, hit.known)
        if hit.renewed:
            await run.log.push(self._renewed(step, hit.renewed))
        return await self.inner(replace(step, key=hit.key, renewed=hit.renewed) if hit.renewed else step)

    def _renewed(self, step: Step, why: str) -> ExceptionReport:
        message = one_line(f"{step.task_id} was done before and is done again: {why}")
        return ExceptionReport(
            trigger=Trigger.RENEWED, level=Level.INFO, path=step.path, message=message, at=self.run.now()
        )


async def why_lost(run: RunContext, handoff: Handoff) -> str:
    """Say why the output of a step that was done cannot be read any more; empty when it can (C6)."""
    reference = handoff.output_location
    if reference is None or reference.content is not None:
        return ""
    return await asyncio.to_thread(run.outputs.why_lost, reference)


def reuse(run: RunContext, step: Step, known: StepRecord) -> Handoff:
    """Note that a step is not done again, and return what it handed on."""
    reused = StepReused(
        run_id=run.spec.run_id,
        at=run.now(),
        key=known.key,
        task_id=step.task_id,
        phase=step.phase,
        step=step.kind,
    )
    run.log.enqueue(reused)
    return known.handoff
