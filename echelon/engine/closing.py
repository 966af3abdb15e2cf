"""How a run ends: its report, and its end on record, also where it is stopped from outside."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from echelon.coordination.context import RunContext
from echelon.coordination.job_run import phases_needed
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.result import status_after
from echelon.coordination.spec import utc_now
from echelon.engine.learning.review import review_of
from echelon.engine.options import RunOptions
from echelon.engine.recording import (
    End,
    end_of,
    end_of_stopped,
)
from echelon.engine.reporting import log_tails, write_pages, write_report
from echelon.journal.failpoints import failpoint
from echelon.model.errors import JournalError
from echelon.model.run import RunRecord, RunStatus, RunView
from echelon.model.standing.sums import NO_SUMS
from echelon.planning.schedule.phase_graph import final_phases
from echelon.runlog.events import RunEnded, RunEvent
from echelon.runlog.sampling import rest_of
from echelon.runlog.view import view_of
from echelon.visibility.standing import window_lines

log = logging.getLogger("echelon.engine")


@dataclass(kw_only=True)
class Prepared:
    """A run that is on record and ready to be carried out."""

    context: RunContext
    record: RunRecord
    options: RunOptions


async def close_run(run: Prepared, outputs: Mapping[str, PhaseOutput]) -> RunView:
    """Make the report of a run, put its end on record, and return everything that is known about it."""
    context = run.context
    state = await context.log.refresh()
    folder = Path(state.out) if state.out else context.spec.folder / "report"
    at = context.now()
    status = status_after(outputs, phases_needed(context.spec), is_sample=rest_of(state) is not None)
    review = await review_of(context, state, status, at)
    last: list[RunEvent] = [review] if review else []
    ended = RunEnded(
        run_id=context.spec.run_id,
        at=at,
        status=status,
        finished=end_of(run.record, [step.finished for step in state.steps], at),
        report=str(folder),
    )
    view = view_of(state.apply(*last, ended), context.outputs.read_json, _previous_output(context))
    failpoint("report.made")
    try:
        tails = await log_tails(context.log.journal, view)
        budgets = await _budget_lines(context)
        await asyncio.to_thread(write_report, context.spec.job, view, folder, budgets)
        await asyncio.to_thread(write_pages, view, tails, context.outputs, folder)
    except OSError as error:  # it costs the report, not the run
        kept = f"all else is on record: echelon show {context.spec.run_id}"
        log.warning("the report cannot be written to %s: %s; %s", folder, error.strerror or error, kept)
        ended = ended.model_copy(update={"report": None})
        view = view_of(state.apply(*last, ended), context.outputs.read_json, _previous_output(context))
    failpoint("report.written")
    await context.lease.give_back(*last, ended)
    failpoint("run.finished")
    return view


async def _budget_lines(context: RunContext) -> list[str]:
    """Say what is left of the budgets of a day or a month, as the journal has them now (F10)."""
    lines: list[str] = []
    for keeper in context.guarding.account.keepers:
        await keeper.claim(NO_SUMS)
        lines += window_lines([one.standing for one in keeper.ledgers], [one.books for one in keeper.ledgers])
    return lines


def _previous_output(context: RunContext) -> object:
    """Return what the last phase delivered in the previous run, as JSON; None when it is gone."""
    previous, plan = context.spec.previous, context.spec.plan
    ends = final_phases(plan.phases)
    tasks = {task for phase in plan.phases if phase.name in ends for task in phase.tasks}
    last = [one.handoff for one in previous.values() if one.handoff.task_id in tasks]
    if len(ends) != 1 or not last or last[0].output_location is None:
        return None
    try:
        return context.outputs.get(last[0].output_location, Any)
    except JournalError as error:
        log.warning("the output of the previous run cannot be compared: %s", error)
        return None


@contextlib.asynccontextmanager
async def record_interruption(context: RunContext, found: RunRecord | None) -> AsyncGenerator[None]:
    """Put it on record when the block is stopped from outside; `found` is how the run was found, if it was."""
    try:
        yield
    except BaseException as error:
        stopped = End(RunStatus.FAILED if isinstance(error, Exception) else RunStatus.INTERRUPTED, utc_now())
        end = end_of_stopped(found, [step.finished for step in context.log.state.steps], stopped)
        with contextlib.suppress(JournalError):  # where the journal is the trouble, the error itself says so
            await context.log.append(end.of_run(context.spec.run_id))
        raise
