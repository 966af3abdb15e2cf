"""A part of a phase, carried out by a process that is given nothing but the order for it (X1, F8).

    python -m echelon.engine.stage_worker ORDER_FILE        # prints what came of it, a `PhaseOutput`, as JSON

The order refers to everything else: the job is imported again, its inputs and its plan are read from the journal, and
outputs are read where they lie. The part is held by a lease of its own, under that of the run: whoever lost it writes
nothing any more. Prefect is not needed here.
"""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from copy import copy
from pathlib import Path

from pydantic import BaseModel, ValidationError

from echelon.agents.capture import capturing
from echelon.agents.processes.workers import Workers
from echelon.coordination.breaker_watch import breakers_on_record
from echelon.coordination.local_placement import LocalPlacement
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import StageOrder
from echelon.coordination.rolling.finding import events_until, items_on_record
from echelon.coordination.spec import RunSpec
from echelon.definition.definition import JobDefinition
from echelon.definition.inputs import read_inputs
from echelon.definition.planned import Planned, planned
from echelon.definition.rehearsal import REHEARSAL_SOURCE, RehearsalJob, read_rehearsal
from echelon.definition.source import load_job
from echelon.engine.contexts import context_of, following
from echelon.engine.notify.couriers import channels_of
from echelon.engine.recording import previous_outputs
from echelon.engine.standing_books import keeping_standing
from echelon.journal.digest import digest_of
from echelon.journal.journal import SqlJournal
from echelon.journal.outputs import OutputStore
from echelon.journal.port import Journal
from echelon.model.errors import CallerError, EchelonError, InvalidInput
from echelon.model.phrasing import printable
from echelon.model.plan import Plan
from echelon.model.run import RunRecord
from echelon.model.usage import Budget
from echelon.resilience.errors import first_cause
from echelon.runlog.state import fold
from echelon.settings import Settings

WRONG_ORDER = 2
FAILED = 1


async def carry_out(order: StageOrder, settings: Settings) -> PhaseOutput:
    """Do what is ordered, and return what came of it; all of it is on record by then.

    Raises `InvalidInput` when the job as it is here is not the one that was ordered, `RunHeld` while another process
    works on the part, `LeaseLost` when another one has taken the run or the part.
    """
    async with SqlJournal.open(settings) as journal:
        record, plan = await _on_record(journal, order)
        job = _job_of(order, record, plan)
        inputs = read_inputs(job.inputs_type, record.inputs)
        events = [entry.event for entry in await journal.events(order.run_id)]
        steps, then = fold(events).latest.values(), fold(events_until(events, order.plan_digest))
        grown = [one.phase for one in then.extensions]
        items = await items_on_record(job, OutputStore(settings.outputs_url), steps, grown)
        ready = planned(job, inputs, limits=plan.limits, found=items, spans=then.spans)
        _check(order, inputs, ready)
        async with (
            journal.holding(order.run_id, settings.lease_seconds, part=order.part, under=order.token) as lease,
            following(journal, order.run_id, channels=channels_of(job, settings)) as run_log,
        ):
            spec = RunSpec(
                run_id=order.run_id,
                job=_within(ready.job, order.budget),
                inputs=inputs,
                expansion=ready.expansion,
                plan=ready.plan,
                found=items,
                spans=then.spans,
                folder=settings.home / "runs" / order.run_id,
                previous=await previous_outputs(journal, job, record),
                by_value_tokens=settings.by_value_tokens,
            )
            try:
                async with keeping_standing(journal, lease, spec, settings) as keeper:
                    context = context_of(spec, run_log, settings, lease, standing=keeper)
                    async with breakers_on_record(context):
                        return await LocalPlacement(context).run(order)
            finally:
                await Workers.close_shared()


async def _on_record(journal: Journal, order: StageOrder) -> tuple[RunRecord, Plan]:
    record = await journal.known_run(run_id=order.run_id)
    if record is None or record.plan is None:
        raise InvalidInput(f"run {order.run_id!r} is not in the journal of this process; give it the one of the run")
    return record, record.plan


def _job_of(order: StageOrder, record: RunRecord, plan: Plan) -> JobDefinition:
    source = order.source or record.source
    if source == REHEARSAL_SOURCE:
        return RehearsalJob(plan, read_rehearsal(record.inputs))
    if not source:
        raise InvalidInput(
            f"the job of run {order.run_id!r} is not defined in a file, where another process could find it"
        )
    return load_job(source, JobDefinition, plan.span, plan.agents)


def _within(job: JobDefinition, budget: Budget) -> JobDefinition:
    """Return a job that may consume its share only (F4)."""
    shared = copy(job)
    shared.budget = budget
    return shared


def _check(order: StageOrder, inputs: BaseModel, ready: Planned) -> None:
    """Refuse to work on anything but what was ordered; `InvalidInput` says what differs."""
    found = {"input": (order.inputs_digest, digest_of(inputs)), "plan": (order.plan_digest, ready.plan.digest)}
    for what, (ordered, here) in found.items():
        if ordered != here:
            raise InvalidInput(
                f"{order.part} of run {order.run_id!r} was ordered for another {what} ({ordered[:12]}) than it has "
                f"here ({here[:12]}): let this process have the code that the run was started with"
            )


def main(arguments: Sequence[str]) -> int:
    """Carry out the order in a file; returns the exit code: 0 done, 1 failed, 2 wrong order."""
    try:
        order = StageOrder.model_validate_json(Path(arguments[0]).read_text(encoding="utf-8"))
    except (OSError, IndexError, ValidationError) as error:
        return _say(f"give a file with an order: {error}", WRONG_ORDER)
    try:
        # The output is all that is printed: what agents print is in their logs.
        with redirect_stdout(sys.stderr), capturing(pass_on=False):
            output = asyncio.run(carry_out(order, Settings()))
    except (EchelonError, BaseExceptionGroup) as error:
        cause = first_cause(error)
        return _say(f"{type(cause).__name__}: {cause}", WRONG_ORDER if isinstance(cause, CallerError) else FAILED)
    sys.stdout.write(output.model_dump_json())
    return 0


def _say(line: str, code: int) -> int:
    sys.stderr.write(f"echelon: {printable(line)}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
