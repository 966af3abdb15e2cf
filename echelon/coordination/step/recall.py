"""What an earlier process completed is not done again (F8)."""

import asyncio
from dataclasses import dataclass, replace

from echelon.coordination.context import RunContext
from echelon.coordination.step.envelope import one_line
from echelon.coordination.step.record import record_step
from echelon.coordination.step.step import Perform, Step
from echelon.journal.digest import digest_of
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
        part: StepRecord | None = None
        while hit.known is not None:
            lost, lacks = await why_lost(run, hit.known.handoff), _shortfall(step, hit.known)
            if not lost and not lacks:
                return reuse(run, step.phase, hit.known)
            part = part if lost else hit.known
            hit = run.memo.renew(hit.key, lost or lacks)
        if hit.renewed:
            await run.log.push(self._renewed(step, hit.renewed))
        handoff = await self.inner(replace(step, key=hit.key, renewed=hit.renewed) if hit.renewed else step)
        return handoff if handoff.done or part is None else await self._keep_part(hit.key, part)

    async def _keep_part(self, key: str, part: StepRecord) -> Handoff:
        """Put it on record that what was there before is there still, where the rest could not be had (F7)."""
        now = self.run.now()
        kept = part.handoff.counting_nothing()
        key = digest_of((key, "part kept", now.isoformat()))  # nobody looks for it, and it may be kept again
        changes = {"key": key, "started": now, "finished": now, "handoff": kept}
        await record_step(self.run, part.model_copy(update=changes))
        return kept

    def _renewed(self, step: Step, why: str) -> ExceptionReport:
        replica = f" (replica {step.replica})" if step.replica else ""
        message = one_line(f"{step.task_id}{replica} was done before and is done again: {why}")
        return ExceptionReport(
            trigger=Trigger.RENEWED, level=Level.INFO, path=step.path, message=message, at=self.run.now()
        )


def _shortfall(step: Step, known: StepRecord) -> str:
    """Say what a step on record lacks that may be had now; what changes the world is not done again for it (F7)."""
    lacks = known.handoff.shortfall
    return f"not all of it was there: {lacks}" if lacks and step.agent.effect == "read" else ""


async def why_lost(run: RunContext, handoff: Handoff) -> str:
    """Say why the output of a step that was done cannot be read any more; empty when it can (C6)."""
    reference = handoff.output_location
    if reference is None or reference.content is not None:
        return ""
    return await asyncio.to_thread(run.outputs.why_lost, reference)


def reuse(run: RunContext, phase: str, known: StepRecord) -> Handoff:
    """Note that a step, which belongs to a phase now, is not done again, and return what it handed on.

    Of replicas nothing is noted: what counts is what ends all of them (F9).
    """
    if known.replica:
        return known.handoff
    reused = StepReused(
        run_id=run.spec.run_id,
        at=run.now(),
        key=known.key,
        task_id=known.handoff.task_id,
        phase=phase,
        step=known.kind,
    )
    run.log.enqueue(reused)
    return known.handoff
