"""`echelon run` and `echelon resume`: carry out a job, show how it goes, say what came of it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from pydantic import BaseModel

from echelon.cli.configured import read_settings
from echelon.cli.interrupts import Interrupted, leave, run_until_stopped
from echelon.cli.live import showing
from echelon.cli.options import AsJson, MaxConcurrency, Params, RunId, SourceName, inputs_of
from echelon.cli.output import err, log_to, print_json
from echelon.cli.output import out as out_console
from echelon.cli.result_view import show_result
from echelon.definition.inputs import read_inputs
from echelon.definition.source import load_job
from echelon.engine.run import RunOptions, run_job
from echelon.job import Job
from echelon.journal.journal import Journal
from echelon.model.errors import InvalidInput
from echelon.model.run import EXIT_CODES, RunRecord, RunStatus

Out = Annotated[Path | None, Parameter(help="Folder for the report; without it the report is kept with the run.")]
Resolution = Annotated[
    Literal["agent", "team"] | None,
    Parameter(help="How finely Prefect shows the run; without it the number of agents decides."),
]


def run(
    source: SourceName,
    /,
    *,
    param: Params = None,
    out: Out = None,
    resolution: Resolution = None,
    max_concurrency: MaxConcurrency = None,
    as_json: AsJson = False,
) -> int:
    """Run a job to its end and print what came of it."""
    read_settings()
    job = load_job(source)
    inputs = inputs_of(job, param)
    options = RunOptions(out=_folder(out), resolution=resolution, max_concurrency=max_concurrency, source=job.source)
    return _carry_out(job, inputs, options, as_json=as_json)


def resume(
    run: RunId,
    /,
    *,
    out: Out = None,
    resolution: Resolution = None,
    max_concurrency: MaxConcurrency = None,
    as_json: AsJson = False,
) -> int:
    """Go on with a run: the same job, inputs and id; completed steps are taken from the journal."""
    record = asyncio.run(_recorded(run))
    if not record.source:
        raise InvalidInput(f"run {record.run_id!r} was not started from a file; go on with it where it was started")
    job = load_job(record.source)
    options = RunOptions(
        run_id=record.run_id,
        out=_folder(out),
        resolution=resolution,
        max_concurrency=max_concurrency,
        source=record.source,
    )
    return _carry_out(job, read_inputs(job.inputs_type, record.inputs), options, as_json=as_json)


async def _recorded(run_id: str) -> RunRecord:
    async with Journal.open(read_settings()) as journal:
        return await journal.run(run_id)


def _folder(path: Path | None) -> Path | None:
    if path is not None and path.exists() and not path.is_dir():
        raise InvalidInput(f"--out {path} is a file; give a folder")
    return path and path.absolute()


def _carry_out(job: Job, inputs: BaseModel, options: RunOptions, *, as_json: bool) -> int:
    console = err()
    log_to(console)
    began = datetime.now(UTC)
    try:
        with showing(console) as display:
            result = run_until_stopped(
                run_job(job, inputs, replace(options, observe=display.observe)),
                on_stop=lambda: console.print("stopping; what is done is kept (once more: stop at once)"),
                on_kill=lambda: console.show_cursor(),
            )
    except Interrupted:
        console.print(_stopped(options.run_id or asyncio.run(_stopped_run(job.source, began))))
        leave(EXIT_CODES[RunStatus.INTERRUPTED])
    if as_json:
        print_json(result)
    else:
        show_result(out_console(), result)
    return EXIT_CODES[result.status]


async def _stopped_run(source: str, began: datetime) -> str | None:
    """Return the id of the run that was just stopped; None when it was stopped before it was on record."""
    async with Journal.open(read_settings()) as journal:
        mine = [record for record in await journal.runs() if record.source == source and record.started >= began]
    return mine[0].run_id if mine else None


def _stopped(run_id: str | None) -> str:
    if run_id is None:
        return "echelon: stopped before anything was begun"
    return f"echelon: stopped; what is done is kept. Go on with: echelon resume {run_id}"
