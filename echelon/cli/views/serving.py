"""What `echelon serve` prints: where it serves, and a line about each run that begins or ends."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from rich.console import Console

from echelon.cli.views.output import facts, out, print_json
from echelon.cli.views.result import STATUSES
from echelon.engine.served_runs import RunStage, ServedRun
from echelon.engine.serving import Serving
from echelon.model.phrasing import duration, one_line
from echelon.model.run import RunRecord, RunStatus


def show_serving(serving: Serving, *, as_json: bool) -> None:
    """Print what is being served, and where it can be seen."""
    if as_json:
        print_json(asdict(serving))
        return
    started = " (started for this, ends with it)" if serving.server_started else ""
    console = out()
    console.print(f"serving {serving.deployment} until Ctrl-C")
    facts(
        console,
        [
            ("next run", f"{serving.next_run:%Y-%m-%d %H:%M:%S %Z}"),
            ("server", f"{serving.server}{started}"),
            ("user interface", serving.ui),
            *([("its password", f"the text in {serving.secret}")] if serving.secret else []),
        ],
    )


def show_news(console: Console, run: ServedRun) -> None:
    """Print a line about a run that has begun, or ended."""
    if run.stage is not None:
        console.print(_LINES[run.stage](run))


def _begun(run: ServedRun) -> str:
    assert run.record is not None, "what has begun is on record"
    if run.resumes:
        return f"{_clock(run.since)}  {run.record.run_id}: resumed"
    return f"{_clock(run.record.started)}  {run.record.run_id}: started"


def _ended(run: ServedRun) -> str:
    assert run.record is not None, "what has ended is on record"
    record = run.record
    took = f" after {duration((record.finished - record.started).total_seconds())}" if record.finished else ""
    said = f"{record.status.value}{took}, {_meaning(run, record)}"
    return f"{_clock(record.finished)}  {record.run_id}: {said}; {_next(run, record)}"


def _meaning(run: ServedRun, record: RunRecord) -> str:
    if run.waiting is not None and run.waiting.default:
        return f"for {run.waiting.for_}{run.waiting.ends(_clock(run.until))}"
    return f"goes on by itself at {_clock(run.until)}" if run.until else STATUSES[record.status][1]


def _next(run: ServedRun, record: RunRecord) -> str:
    if run.waiting is not None and run.waiting.by_person:
        return f"look and answer: echelon gates --run {record.run_id}"
    if record.status is RunStatus.INTERRUPTED:
        return f"echelon resume {record.run_id}"
    return f"echelon show {record.run_id}"


def _not_begun(run: ServedRun) -> str:
    why = f"{run.state}: {one_line(run.message)}".removesuffix(": ")
    return f"{_clock(run.due)}  the run that was due did not begin ({why}); in Prefect it is flow run {run.name!r}"


def _left_out(run: ServedRun) -> str:
    return f"{_clock(run.due)}  a run was due and is left out, and so are those that follow: the one before is at work"


def _clock(at: datetime | None) -> str:
    return f"{at.astimezone():%H:%M:%S}" if at else "--:--:--"


_LINES: dict[RunStage, Callable[[ServedRun], str]] = {
    RunStage.BEGUN: _begun,
    RunStage.ENDED: _ended,
    RunStage.NOT_BEGUN: _not_begun,
    RunStage.LEFT_OUT: _left_out,
}
