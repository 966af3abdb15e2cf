"""The attempts at one step, on record as they begin and as they fail (F3, V2)."""

import time
from datetime import datetime

from echelon.coordination.boundary import Accepted
from echelon.coordination.context import RunContext
from echelon.coordination.envelope import error_report
from echelon.coordination.step.step import Perform, Step
from echelon.journal.crashpoints import crashpoint
from echelon.runlog.events import AttemptFailed, StepStarted


class Attempts:
    """Makes attempts, and reports them."""

    def __init__(self, run: RunContext, step: Step, inner: Perform[Accepted]) -> None:
        self._run = run
        self._step = step
        self._inner = inner
        self._made = 0
        self.began: datetime | None = None
        """When the first one began; None before: it may have waited for a slot."""

    async def make(self) -> Accepted:
        """Make one attempt."""
        if self.began is None:
            self.began = self._run.now()
            self._report_start(self.began)
        self._made += 1
        began = time.monotonic()
        crashpoint("step.begun")
        try:
            return await self._inner(self._step)
        except Exception as error:
            self._report_failure(error, time.monotonic() - began)
            raise

    def _report_start(self, at: datetime) -> None:
        step = self._step
        self._run.log.enqueue(
            StepStarted(
                run_id=self._run.spec.run_id,
                at=at,
                key=step.key,
                task_id=step.task_id,
                phase=step.phase,
                node=step.node,
                step=step.kind,
            )
        )

    def _report_failure(self, error: Exception, seconds: float) -> None:
        step = self._step
        self._run.log.enqueue(
            AttemptFailed(
                run_id=self._run.spec.run_id,
                at=self._run.now(),
                key=step.key,
                task_id=step.task_id,
                attempt=self._made,
                error=error_report(error),
                seconds=seconds,
            )
        )
