"""A limit that resets at a stated time is put on record where it is found: no call is made before that (F10)."""

from echelon.coordination.context import RunContext
from echelon.coordination.step.envelope import one_line
from echelon.coordination.step.step import Step
from echelon.journal.failpoints import failpoint
from echelon.model.errors import QuotaExhausted
from echelon.model.quota.window import QuotaWindow
from echelon.resilience.quota.evidence import window_of
from echelon.resilience.quota.gate import QuotaGate
from echelon.resilience.quota.windows import SAME
from echelon.runlog.quota_events import QuotaClosed


async def quota_of(run: RunContext, step: Step, error: Exception) -> QuotaExhausted | None:
    """Return what an attempt ends with whose error says when a limit resets; None for all other errors.

    The window is closed for everybody at once, and on record before this step ends.
    """
    gate = step.guard.quota
    found = gate and window_of(error, gate.dependency, gate.windows.now())
    if gate is None or found is None:
        return None
    window = found.model_copy(update={"said": one_line(found.said)})
    if gate.windows.close(window):
        await record_window(run, window)
    closed = QuotaExhausted(window.dependency, until=window.until, said=window.said)
    closed.usage = getattr(error, "usage", None)
    return closed


async def record_refusal(run: RunContext, gate: QuotaGate | None, error: Exception | None) -> None:
    """Put a window on record that another run of this process found, and that has refused a call of this one."""
    if gate is not None and isinstance(error, QuotaExhausted):
        await record_window(run, QuotaWindow(dependency=error.dependency, until=error.resets, said=error.said))


async def record_window(run: RunContext, window: QuotaWindow) -> None:
    """Put a window on record, once: a process that goes on with the run knows it from there."""
    noted = run.guarding.windows_noted
    known = noted.get(window.dependency) or run.log.state.quotas.get(window.dependency)
    if known is not None and window.until - known.until <= SAME:
        return
    noted[window.dependency] = window
    failpoint("quota.closing")
    await run.log.append(QuotaClosed(run_id=run.spec.run_id, at=run.now(), window=window))
    failpoint("quota.closed")
