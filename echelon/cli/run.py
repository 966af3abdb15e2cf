"""`echelon run`, `resume` and `retry`: carry out a job, show how it goes, say what came of it."""

import contextlib
import os
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from cyclopts import Parameter
from pydantic import BaseModel
from rich.console import Console

from echelon.cli.arguments.configured import read_settings
from echelon.cli.arguments.decision import Done, Redo, decision_of
from echelon.cli.arguments.history import is_single
from echelon.cli.arguments.options import (
    Agents,
    AsJson,
    ChangedSince,
    MaxConcurrency,
    Params,
    RunId,
    Sample,
    Secrets,
    SourceName,
    TrustFolder,
    inputs_of,
    typed_agents,
    typed_params,
    with_changed_since,
)
from echelon.cli.arguments.source import load_job
from echelon.cli.arguments.standing import standing_now
from echelon.cli.arguments.user import user_name
from echelon.cli.interrupts import Interrupted, leave, run_until_stopped
from echelon.cli.oversight.patience import NO_PATIENCE, Patience
from echelon.cli.reading import query
from echelon.cli.streams import own_descriptors
from echelon.cli.views.live import showing
from echelon.cli.views.output import err, log_to, print_json
from echelon.cli.views.output import out as out_console
from echelon.cli.views.result import show_result
from echelon.coordination.spec import utc_now
from echelon.coordination.step.retries import RetryRequest
from echelon.definition.definition import JobDefinition
from echelon.definition.expansion import check_runnable
from echelon.definition.inputs import read_written_inputs
from echelon.definition.rehearsal import REHEARSAL_SOURCE, Rehearsal, RehearsalJob, read_rehearsal
from echelon.engine.picture.request import trouble_of
from echelon.engine.run import RunOptions, run_job
from echelon.engine.server.trust import trust
from echelon.journal.outputs import OutputStore
from echelon.journal.private import nearest_existing
from echelon.model.concern import ConcernRecord
from echelon.model.errors import InfrastructureError, InvalidInput, JournalError
from echelon.model.run import EXIT_CODES, RunRecord, RunResult, RunStatus, exit_code_of
from echelon.oversight.ageing import counted, earlier_line
from echelon.runlog.events import LoggedEvent
from echelon.visibility.document import document_of
from echelon.visibility.history import view_run
from echelon.visibility.standing import window_documents, window_lines

T = TypeVar("T")

Wait = Annotated[
    bool,
    Parameter(
        negative="",
        help="Where a quota resets later, or a person has to answer, keep this process and go on then.",
    ),
]
Ask = Annotated[bool, Parameter(negative="", help="Ask in this terminal what waits for a person, and go on.")]
Out = Annotated[Path | None, Parameter(help="Folder for the report; without it the report is kept with the run.")]
OutAgain = Annotated[Path | None, Parameter(help="Folder for the report; without it the one that it had before.")]
Single = Annotated[
    bool,
    Parameter(
        negative="", help="Let one agent at a time be at work: the baseline that other runs are compared with (M10)."
    ),
]
Resolution = Annotated[
    Literal["agent", "team"] | None,
    Parameter(help="How finely Prefect shows the run; without it the number of agents decides."),
]


def run(
    source: SourceName,
    /,
    *,
    param: Params = None,
    changed_since: ChangedSince = None,
    out: Out = None,
    resolution: Resolution = None,
    max_concurrency: MaxConcurrency = None,
    agent: Agents = None,
    sample: Sample = None,
    fresh: Annotated[
        bool, Parameter(negative="", help="Do everything, also what phases with reuse= would keep of earlier runs.")
    ] = False,
    rehearse: Annotated[bool, Parameter(help="Let simulated agents take the stated seconds and tokens.")] = False,
    scale: Annotated[float | None, Parameter(help="With --rehearse: factor on all seconds.")] = None,
    failure_rate: Annotated[float | None, Parameter(help="With --rehearse: share of agents that fail, 0 to 1.")] = None,
    seed: Annotated[int | None, Parameter(help="With --rehearse: decides which agents fail.")] = None,
    single: Single = False,
    wait: Wait = False,
    ask: Ask = False,
    trust_folder: TrustFolder = False,
    as_json: AsJson = False,
) -> int:
    """Run a job to its end and print what came of it."""
    if single and max_concurrency is not None:
        raise InvalidInput("--single is one agent at a time: leave out --max-concurrency")
    settings = read_settings()
    if trust_folder:
        trust(settings.home, Path())
    job: JobDefinition
    job = found = load_job(source, agents=typed_agents(agent))
    inputs = inputs_of(found, with_changed_since(found, param, changed_since))
    options = RunOptions(
        out=_folder(out),
        granularity=resolution,
        max_concurrency=max_concurrency,
        sample=sample,
        fresh=fresh,
        single=single,
        source=job.source,
    )
    wanted = _rehearsal({"scale": scale, "failure_rate": failure_rate, "seed": seed}, rehearse=rehearse)
    if wanted is None:
        check_runnable(found)
    else:
        job = RehearsalJob.of(found.plan_for(inputs, max_concurrency=max_concurrency), wanted)
        inputs, options = wanted, replace(options, source=job.source)
    return _carry_out(job, inputs, options, as_json=as_json, patience=Patience(wait=wait, ask=ask))


def resume(
    run: RunId,
    /,
    *,
    param: Secrets = None,
    out: OutAgain = None,
    resolution: Resolution = None,
    max_concurrency: MaxConcurrency = None,
    sample: Annotated[
        Sample, Parameter(help="Go on with the sample that the run is, of as many tasks or more; without it: do all.")
    ] = None,
    redo: Redo = None,
    done: Done = None,
    wait: Wait = False,
    ask: Ask = False,
    trust_folder: TrustFolder = False,
    as_json: AsJson = False,
) -> int:
    """Go on with a run: the same job, inputs and id; completed steps are taken from the journal."""
    if trust_folder:
        trust(read_settings().home, Path())
    options = RunOptions(
        out=_folder(out),
        granularity=resolution,
        max_concurrency=max_concurrency,
        sample=sample,
        decision=decision_of(redo, done),
    )
    return _go_on(run, param, options, "resume", as_json=as_json, patience=Patience(wait=wait, ask=ask))


def retry(
    run: RunId,
    /,
    *tasks: Annotated[
        str, Parameter(help="A task or an integration of the run, or a pattern as 'inspect/*'; one or several.")
    ],
    param: Secrets = None,
    out: OutAgain = None,
    resolution: Resolution = None,
    max_concurrency: MaxConcurrency = None,
    redo: Annotated[
        list[str] | None,
        Parameter(name="--redo", help="One of the tasks that cannot be undone, and may happen twice; several times."),
    ] = None,
    by: Annotated[str | None, Parameter(help="Who asks for it; without it the name of the user.")] = None,
    trust_folder: TrustFolder = False,
    as_json: AsJson = False,
) -> int:
    """Do tasks of a run again, whatever came of them, and everything that used what has changed by that."""
    if trust_folder:
        trust(read_settings().home, Path())
    request = RetryRequest(tasks=tasks, redo=tuple(redo or ()), by=by or user_name())
    options = RunOptions(out=_folder(out), granularity=resolution, max_concurrency=max_concurrency, retry=request)
    return _go_on(run, param, options, "retry", as_json=as_json)


def _go_on(
    run: str,
    param: list[str] | None,
    options: RunOptions,
    verb: str,
    *,
    as_json: bool,
    patience: Patience = NO_PATIENCE,
) -> int:
    """Go on with a run on record: the same job, inputs and id."""
    record = query(lambda journal: journal.run(run))
    if not record.source:
        raise InvalidInput(
            f"run {record.run_id!r} was not started from a file; {verb} it from the program that started it"
        )
    job = _job_of(record)
    inputs = read_written_inputs(job.inputs_type, record.inputs, typed_params(param))
    single = options.max_concurrency is None and query(lambda journal: is_single(journal, record.run_id))
    options = replace(options, run_id=record.run_id, source=record.source, single=single)
    return _carry_out(job, inputs, options, as_json=as_json, patience=patience)


def _rehearsal(given: Mapping[str, float | None], *, rehearse: bool) -> Rehearsal | None:
    """Return how to rehearse; None for a run in earnest, which knows none of these options."""
    told = {name: value for name, value in given.items() if value is not None}
    if not rehearse and told:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in told)
        raise InvalidInput(f"{names}: only for a rehearsal; add --rehearse, or leave it out")
    return read_rehearsal(told) if rehearse else None


def _job_of(record: RunRecord) -> JobDefinition:
    """Return the job of a run on record; a rehearsal is on record with everything it needs."""
    if record.source == REHEARSAL_SOURCE and record.plan is not None:
        return RehearsalJob(record.plan, read_rehearsal(record.inputs))
    return load_job(record.source, agents=record.plan.agents if record.plan else None)


def _folder(path: Path | None) -> Path | None:
    if path is not None and path.exists() and not path.is_dir():
        raise InvalidInput(f"--out {path} is a file; give a folder")
    if path is not None and not os.access(nearest_existing(path), os.W_OK | os.X_OK):
        raise InvalidInput(f"--out {path} cannot be written; give a folder that you may write")
    return path and path.absolute()


def _carry_out(
    job: JobDefinition, inputs: BaseModel, options: RunOptions, *, as_json: bool, patience: Patience = NO_PATIENCE
) -> int:
    console = err()
    log_to(console)
    begun: list[str] = []
    try:
        result = _once(console, job, inputs, options, begun)
        while patience.lets_go_on(console, result, partial(_until_stopped, console)):
            result = _once(console, job, inputs, replace(options, run_id=result.run_id, retry=None), begun)
    except Interrupted:
        _tell_stopped(console, next(iter(begun), options.run_id), as_json=as_json)
        leave(EXIT_CODES[RunStatus.INTERRUPTED])
    except (InfrastructureError, BaseExceptionGroup):
        if begun and _may_be_on_record(begun[0]):
            console.print(f"completed work is kept. Resume with: echelon resume {begun[0]}")
        raise
    standing = standing_now(query(lambda journal: journal.run(result.run_id)).plan) if job.standing else ((), ())
    earlier, now = _concerns_before(job.name, result.run_id), utc_now()
    with contextlib.suppress(BrokenPipeError):  # how the run ended does not depend on who reads to the end
        if as_json:
            print_json(
                {**dict(result), "windows": window_documents(*standing), "earlier_concerns": counted(earlier, now)}
            )
        else:
            show_result(out_console(), result, window_lines(*standing))
            if line := earlier_line(earlier, now):
                out_console().print(line)
    if trouble := trouble_of(result.run_id, read_settings()):
        console.print(f"Prefect does not show this run yet, it is drawn when that passes: {trouble}")
    return exit_code_of(result.status, result.exceptions)


def _concerns_before(job: str, run_id: str) -> tuple[ConcernRecord, ...]:
    """Return the concerns of other runs of a job that wait for somebody; none where they cannot be read any more."""
    with contextlib.suppress(JournalError):
        raised = query(lambda journal: journal.concerns(job=job, open_only=True))
        return tuple(one for one in raised if one.run_id != run_id)
    return ()


def _once(console: Console, job: JobDefinition, inputs: BaseModel, options: RunOptions, begun: list[str]) -> RunResult:
    """Carry a run out as far as it comes without a longer wait; `begun` gets its id as soon as it is on record."""
    with own_descriptors(), showing(console) as display:

        def watch(entries: Sequence[LoggedEvent]) -> None:
            begun.extend(entry.event.run_id for entry in entries[: not begun])
            display.watch(entries)

        return _until_stopped(console, run_job(job, inputs, replace(options, watch=watch, show_prints=False)))


def _until_stopped(console: Console, coroutine: Coroutine[Any, Any, T]) -> T:
    return run_until_stopped(
        coroutine,
        on_stop=lambda: console.print("stopping; completed work is kept (press again to stop at once)"),
        on_kill=lambda: _give_back(console),
    )


def _may_be_on_record(run_id: str) -> bool:
    """Say whether a run can be resumed, as far as anybody knows: a journal may be out of reach, or be removed."""
    try:
        return query(lambda journal: journal.known_run(run_id=run_id)) is not None
    except JournalError:
        return True


def _give_back(console: Console) -> None:
    """Leave the terminal as it was, when there is no time for more."""
    console.show_cursor()
    console.print("echelon: stopped at once; what was done before is kept, `echelon runs` names the run")


def _tell_stopped(console: Console, run_id: str | None, *, as_json: bool) -> None:
    if run_id is None:
        console.print("echelon: stopped before anything started")
        return
    if as_json:
        outputs = OutputStore(read_settings().outputs_url)
        print_json(document_of(query(lambda journal: view_run(journal, outputs, run_id))))
    console.print(f"echelon: stopped; completed work is kept. Resume with: echelon resume {run_id}")
