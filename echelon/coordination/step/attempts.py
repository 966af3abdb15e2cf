"""The attempts at one step, on record as they begin, wait and fail (F3, F5, V2)."""

import logging
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from echelon.contract.tracebacks import traceback_of
from echelon.coordination.context import RunContext
from echelon.coordination.step.boundary import Accepted
from echelon.coordination.step.envelope import error_report
from echelon.coordination.step.quota import quota_of
from echelon.coordination.step.step import Perform, Step
from echelon.coordination.success.recorder import TraceRecorder
from echelon.journal.failpoints import failpoint
from echelon.model.errors import NotAccepted
from echelon.model.usage import Usage
from echelon.runlog.events import AttemptFailed, Logged, StepStarted, Waited


class Attempts:
    """Makes attempts, and hears from the guard what becomes of them."""

    def __init__(self, run: RunContext, step: Step, inner: Perform[Accepted]) -> None:
        self._run = run
        self._step = _recorded(step, run.spec.folder.parent.parent)
        self._inner = inner
        self.began: datetime | None = None
        """When the first one began; None before: it may wait for a slot."""

    async def make(self) -> Accepted:
        """Make one attempt; `LeaseLost` when another process has taken the run, `QuotaExhausted` at a used up limit."""
        run, step = self._run, self._step
        if self.began is None:
            at = self.began = run.now()
            run.log.enqueue(
                StepStarted(
                    run_id=run.spec.run_id,
                    at=at,
                    key=step.key,
                    task_id=step.task_id,
                    phase=step.phase,
                    node=step.node,
                    step=step.kind,
                    replica=step.replica,
                )
            )
            if step.control is not None:
                step.control.begun.set()
        failpoint("step.begun")
        await run.lease.prove()
        try:
            return await self._inner(step)
        except NotAccepted as rejected:
            self._step = _told(step, rejected.gap)
            raise
        except Exception as error:
            closed = await quota_of(run, step, error)
            if closed is None:
                raise
            raise closed from error

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
        """Put it on record that an attempt failed, with the whole error in the log of the step (V2)."""
        run, step = self._run, self._step
        at, run_id, key, task_id = run.now(), run.spec.run_id, step.key, step.task_id
        # A result that a check rejects is no error in any code: where it was raised says nothing.
        whole = f"attempt {attempt} failed: {error if isinstance(error, NotAccepted) else traceback_of(error)}"
        run.log.enqueue(
            Logged(
                run_id=run_id, at=at, key=key, task_id=task_id, source="echelon", level=logging.ERROR, message=whole
            ),
            AttemptFailed(
                run_id=run_id,
                at=at,
                key=key,
                task_id=task_id,
                attempt=attempt,
                error=error_report(error),
                seconds=seconds,
                stated=error.stated if isinstance(error, NotAccepted) else None,
                usage=_used(error),
            ),
        )


def _used(error: Exception) -> Usage | None:
    """Return what an attempt told that it had used by the time it failed."""
    used = getattr(error, "usage", None)
    return used if isinstance(used, Usage) else None


def _recorded(step: Step, home: Path) -> Step:
    """Return a step that sees what its work leaves behind, where a check is made with it (D11)."""
    if not step.criteria.are_made_with_work:
        return step
    return replace(step, recorder=TraceRecorder(step.agent, looks=step.criteria.need_trace, apart=home))


def _told(step: Step, gap: str) -> Step:
    """Return a step whose next attempt knows what the check of the last one found missing (D11)."""
    gaps = (*step.call.brief.gaps, gap)
    return replace(step, call=replace(step.call, brief=step.call.brief.model_copy(update={"gaps": gaps})))
