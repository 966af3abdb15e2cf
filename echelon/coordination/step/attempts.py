"""The attempts at one step, on record as they begin, wait and fail (F3, F5, V2)."""

from datetime import datetime

from echelon.coordination.context import RunContext
from echelon.coordination.step.boundary import Accepted
from echelon.coordination.step.envelope import error_report
from echelon.coordination.step.step import Perform, Step
from echelon.journal.failpoints import failpoint
from echelon.runlog.events import AttemptFailed, StepStarted, Waited


class Attempts:
    """Makes attempts, and hears from the guard what becomes of them."""

    def __init__(self, run: RunContext, step: Step, inner: Perform[Accepted]) -> None:
        self._run = run
        self._step = step
        self._inner = inner
        self.began: datetime | None = None
        """When the first one began; None before: it may wait for a slot."""

    async def make(self) -> Accepted:
        """Make one attempt; `LeaseLost` when another process has taken the run."""
        run, step = self._run, self._step
        if self.began is None:
            at = self.began = run.now()
            run_id, key, task_id = run.spec.run_id, step.key, step.task_id
            run.log.enqueue(
                StepStarted(
                    run_id=run_id, at=at, key=key, task_id=task_id, phase=step.phase, node=step.node, step=step.kind
                )
            )
        failpoint("step.begun")
        await run.lease.prove()
        return await self._inner(step)

    def waited(self, limiter: str, seconds: float, queue_length: int) -> None:
        """Put it on record that the step waited for a slot."""
        run, step = self._run, self._step
        run.log.enqueue(
            Waited(
                run_id=run.spec.run_id,
                at=run.now(),
                key=step.key,
                task_id=step.task_id,
                limiter=limiter,
                seconds=seconds,
                queue_length=queue_length,
            )
        )

    def attempt_failed(self, attempt: int, error: Exception, seconds: float) -> None:
        """Put it on record that an attempt failed."""
        run, step = self._run, self._step
        run.log.enqueue(
            AttemptFailed(
                run_id=run.spec.run_id,
                at=run.now(),
                key=step.key,
                task_id=step.task_id,
                attempt=attempt,
                error=error_report(error),
                seconds=seconds,
            )
        )
