"""What the journal knows about a run before it is at work: nothing yet, or what earlier processes did (F8)."""

import contextlib
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import BaseModel

from echelon.coordination.run_log import RunLog
from echelon.coordination.spec import utc_now
from echelon.coordination.step.previous_output import PreviousOutput
from echelon.coordination.step.retries import RetryRequest
from echelon.definition.definition import JobDefinition
from echelon.definition.inputs import read_inputs, read_written_inputs, written_inputs
from echelon.engine.nesting import enclosing_task
from echelon.journal.digest import digest_of
from echelon.journal.failpoints import failpoint
from echelon.journal.journal import SqlJournal
from echelon.journal.port import Journal
from echelon.journal.queries import WITH_OUTPUT
from echelon.model.adapter import JsonObject
from echelon.model.errors import InvalidInput, RunHeld
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.plan import Plan
from echelon.model.run import RunRecord, RunStatus, StepKind
from echelon.runlog.events import PlanExtended, RunEnded, RunEvent, RunReopened, SampleAsked, TasksRetried
from echelon.runlog.state import fold
from echelon.settings import Settings

#: Of the random part of a run's name: runs that begin in one second must not get one name.
RANDOM_BYTES = 4

#: So many of the newest runs of a journal are looked through for one that did, or waits to do, the same work.
MAX_LOOKED_AT = 1_000

#: What a run may be called: it names folders and stands in commands.
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class Recorded(NamedTuple):
    """A run on record, with its inputs as its job has them."""

    record: RunRecord
    """The run."""
    inputs: BaseModel
    """Its inputs."""


async def find_run(
    journal: Journal, job: JobDefinition, inputs: BaseModel, run_id: str | None, flow_run_id: str | None
) -> RunRecord | None:
    """Return the run to go on with; None for one that is to be started.

    `InvalidInput` when it is another job's, or was started with other inputs.
    """
    if run_id is None and flow_run_id is None:
        return None
    if run_id is not None and not RUN_ID.fullmatch(run_id):
        raise InvalidInput(f"run id {run_id!r} cannot be used; take up to 128 letters, digits, '.', '_' and '-'")
    found = await journal.known_run(run_id=run_id, flow_run_id=flow_run_id)
    if found is not None and found.job != job.name:
        raise InvalidInput(f"run {found.run_id!r} is one of job {found.job!r}, not of {job.name!r}; give it another id")
    if found is not None and not _is_same(job, found, inputs):
        raise InvalidInput(
            f"run {found.run_id!r} was started with other inputs, and what is on record belongs to those; "
            "give another id, or the inputs that `echelon show --json` says"
        )
    return found


def _is_same(job: JobDefinition, found: RunRecord, inputs: BaseModel) -> bool:
    """Say whether a run was started with these inputs: as they are written, or as they are read again."""
    if found.inputs == written_inputs(inputs):
        return True
    try:
        return read_inputs(job.inputs_type, found.inputs) == inputs
    except InvalidInput:
        return False


def new_run_id(job: str, started: datetime | None = None) -> str:
    """Make up a name for a run of a job that begins now."""
    return f"{job}-{started or utc_now():%Y%m%d-%H%M%S}-{secrets.token_hex(RANDOM_BYTES)}"


def new_record(
    job: JobDefinition,
    written: JsonObject,
    plan: Plan,
    *,
    run_id: str | None = None,
    source: str = "",
    flow_run_id: str | None = None,
) -> RunRecord:
    """Return a run that begins now, with inputs as `written_inputs` has them, by `run_id` or a name that is made up."""
    parent = enclosing_task()
    started = utc_now()
    return RunRecord(
        run_id=run_id or new_run_id(job.name, started),
        job=job.name,
        source=source,
        inputs=written,
        status=RunStatus.RUNNING,
        started=started,
        plan=plan,
        flow_run_id=flow_run_id,
        parent_run_id=parent and parent.run_id,
        parent_task=parent and parent.task_id,
    )


async def retry_of(
    journal: Journal, found: RunRecord | None, request: RetryRequest | None, plan: Plan
) -> TasksRetried | None:
    """Return what is done again in a run that is on record, by its plan of today; None when nothing is asked for.

    It is refused before the run is taken, so that a refusal leaves no trace. Raises `InvalidInput`.
    """
    if request is None:
        return None
    if found is None:
        raise InvalidInput("only a run that is on record can be retried; `echelon runs` shows what is there")
    state = fold(entry.event for entry in await journal.events(found.run_id))
    return request.about(found.run_id, state, plan, utc_now())


async def reopen_run(
    log: RunLog, plan: Plan, retry: TasksRetried | None = None, sample: SampleAsked | None = None, out: str = ""
) -> None:
    """Set a run to work again, and say so where its plan has changed since; only who holds it may.

    All of it is done then, unless a `sample` is asked for again; `out` is the folder for its report from now on. What
    is to be done again is on record when this returns, so that it is whatever happens to this process.
    """
    record, at = log.state.record, utc_now()
    assert record is not None, "a run that is held is on record"
    events: list[RunEvent] = [
        RunReopened(run_id=log.run_id, at=at, before=record.status, finished=record.finished, out=out),
        *([sample] if sample else []),
        *([retry] if retry else []),
    ]
    change = _change(record.plan, plan)
    if change:
        report = ExceptionReport(
            trigger=Trigger.RENEWED, level=Level.INFO, path=(plan.primary.id,), message=change, at=at
        )
        events += [PlanExtended(run_id=log.run_id, at=at, plan=plan, reason=change), log.pushed(report)]
    await log.append(*events)
    if retry is not None:
        failpoint("retry.recorded")


async def read_run(settings: Settings, job: JobDefinition, run_id: str, again: Mapping[str, object]) -> Recorded:
    """Return a run of a job that is on record, by its id or the beginning of it, and its inputs.

    `again` are the secrets among them, which are on no record. `InvalidInput` for an unknown run, or another job's.
    """
    async with SqlJournal.open(settings) as journal:
        record = await journal.run(run_id)
    if record.job != job.name:
        raise InvalidInput(f"run {record.run_id!r} is one of job {record.job!r}, not of {job.name!r}")
    return Recorded(record, read_written_inputs(job.inputs_type, record.inputs, again))


async def previous_outputs(journal: Journal, job: JobDefinition, record: RunRecord) -> dict[str, PreviousOutput]:
    """Return what the phases with a single agent delivered in the run before, by task: the last of its series."""
    singles = [phase.name for phase in job.phases.values() if phase.single]
    if not singles:
        return {}
    last = await _run_before(journal, job, record)
    if last is None:
        return {}
    steps = [step for phase in singles for step in await journal.steps(last.run_id, phase)]
    # What was found out about a phase is no work of its agent, and of rounds only the last one counts.
    last_of = {step.handoff.task_id: step for step in steps if step.kind is StepKind.TASK and not step.replica}
    return {task: PreviousOutput.of(step) for task, step in last_of.items() if step.handoff.done}


async def _run_before(journal: Journal, job: JobDefinition, record: RunRecord) -> RunRecord | None:
    """Return the newest run of the job before this one that has an output, on the same inputs or in its series."""
    if job.series is None:
        return await journal.last_completed(job.name, digest_of(record.inputs), record.run_id)
    runs = await journal.runs(MAX_LOOKED_AT)
    ids = [run.run_id for run in runs]
    before = runs[ids.index(record.run_id) + 1 :] if record.run_id in ids else runs
    return next((run for run in before if _has_output(run, job) and run.has_inputs_of(record, job.series)), None)


def _has_output(run: RunRecord, job: JobDefinition) -> bool:
    return run.job == job.name and run.status in WITH_OUTPUT


def end_of(record: RunRecord, finished_steps: Sequence[datetime], now: datetime) -> datetime:
    """Return when a run ended: now, unless it was completed before and nothing has been done since."""
    before = record.finished
    return before if before is not None and all(each <= before for each in finished_steps) else now


class End(NamedTuple):
    """How a run ended, as it is put on record."""

    status: RunStatus
    """What became of it."""
    finished: datetime
    """When."""
    report: str | None = None
    """Where its report is."""

    def of_run(self, run_id: str) -> RunEnded:
        """Return what puts it on record, now."""
        return RunEnded(run_id=run_id, at=utc_now(), status=self.status, finished=self.finished, report=self.report)


def end_of_stopped(found: RunRecord | None, finished_steps: Sequence[datetime], stopped: End) -> End:
    """Return the end of a run that is stopped: the one it has, where it was completed and nothing was done since.

    `found` is how the run was found, if it was; one at work that has an end was completed before it was set to work.
    """
    if found is None or found.finished is None or found.status not in (RunStatus.COMPLETED, RunStatus.RUNNING):
        return stopped
    if any(each > found.finished for each in finished_steps):
        return stopped
    return End(RunStatus.COMPLETED, found.finished, found.report)


async def end_dead_run(journal: Journal, record: RunRecord) -> RunRecord:
    """Put the end of a run on record whose process died without a word, and return how it stands then.

    Nothing is done where somebody has taken the run meanwhile, or it has ended after all.
    """
    events = await journal.events(record.run_id)
    steps = [step.finished for step in await journal.steps(record.run_id)]
    end = end_of_stopped(record, steps, End(RunStatus.INTERRUPTED, events[-1].event.at))
    ended = end.of_run(record.run_id)
    with contextlib.suppress(RunHeld):
        async with journal.holding(record.run_id) as lease:
            if (await journal.run(record.run_id)).status is RunStatus.RUNNING:
                await lease.give_back(ended)
    return await journal.known_run(run_id=record.run_id) or record


def _change(before: Plan | None, now: Plan) -> str:
    """Say how a plan differs from the one on record; empty when it does not."""
    if before is None or before.digest == now.digest:
        return ""
    old, new = {task.id for task in before.tasks}, {task.id for task in now.tasks}
    return (
        f"the plan has changed since the run was begun: {len(new - old)} tasks are new, {len(old - new)} are gone, "
        f"{len(new & old)} are in both"
    )
