"""`echelon run` and `echelon resume`: carry out a job, show how it goes, say what came of it."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from pydantic import BaseModel
from rich.console import Console

from echelon.cli.configured import read_settings
from echelon.cli.interrupts import Interrupted, leave, run_until_stopped
from echelon.cli.live import showing
from echelon.cli.options import AsJson, MaxConcurrency, Params, RunId, SourceName, inputs_of
from echelon.cli.output import err, log_to, print_json
from echelon.cli.output import out as out_console
from echelon.cli.reading import ask
from echelon.cli.recorded import document_of, recorded_run
from echelon.cli.result_view import show_result
from echelon.cli.source import load_job
from echelon.definition.inputs import read_inputs
from echelon.engine.run import RunOptions, run_job
from echelon.job import Job
from echelon.journal.journal import Journal
from echelon.journal.outputs import OutputStore
from echelon.model.errors import InvalidInput
from echelon.model.run import EXIT_CODES, RunStatus

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
    record = ask(lambda journal: journal.run(run))
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
                on_kill=lambda: _give_back(console),
            )
    except Interrupted:
        _tell_stopped(
            console,
            options.run_id or ask(lambda journal: _stopped_run(journal, job.source, began)),
            options,
            as_json=as_json,
        )
        leave(EXIT_CODES[RunStatus.INTERRUPTED])
    if as_json:
        print_json(result)
    else:
        show_result(out_console(), result)
    return EXIT_CODES[result.status]


def _give_back(console: Console) -> None:
    """Leave the terminal as it was, when there is no time for more."""
    console.show_cursor()
    console.print("echelon: stopped at once; what was done before is kept, `echelon runs` names the run")


async def _stopped_run(journal: Journal, source: str, began: datetime) -> str | None:
    """Return the id of the run that was just stopped; None when it was stopped before it was on record."""
    mine = [record for record in await journal.runs() if record.source == source and record.started >= began]
    return mine[0].run_id if mine else None


def _tell_stopped(console: Console, run_id: str | None, options: RunOptions, *, as_json: bool) -> None:
    if run_id is None:
        console.print("echelon: stopped before anything was begun")
        return
    if as_json:
        outputs = OutputStore(read_settings().outputs_url)
        print_json(document_of(ask(lambda journal: recorded_run(journal, outputs, run_id))))
    out = f" --out {options.out}" if options.out else ""
    console.print(f"echelon: stopped; what is done is kept. Go on with: echelon resume {run_id}{out}")
