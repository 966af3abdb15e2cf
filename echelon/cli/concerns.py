"""`echelon concerns`: what agents raised, and how it is disposed of. Nothing is ever deleted (O1)."""

import contextlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Literal

from cyclopts import App, Parameter
from rich.text import Text

from echelon.cli.arguments.options import AsJson
from echelon.cli.arguments.user import user_name
from echelon.cli.reading import query
from echelon.cli.views.output import facts, out, print_json
from echelon.journal.port import Journal
from echelon.model.adapter import JsonObject
from echelon.model.concern import ConcernRecord, Disposition, Route
from echelon.model.errors import InvalidInput, JournalError
from echelon.model.phrasing import count, moment
from echelon.runlog.events import ConcernDisposed
from echelon.visibility.repeats import RepeatedConcern, alike, repeated

STYLES = {Route.IMMEDIATE: "bold red", Route.HUMAN_REVIEW: "yellow", Route.NORMAL: "", Route.PATTERN_LOG: "dim"}

ConcernId = Annotated[str, Parameter(name="id", help="Id of a concern.")]

app = App(
    name="concerns",
    help_format="plaintext",
    help_epilogue="Example:  echelon concerns dispose k3v9x2m1q0 --as accepted --reason 'known, planned for May'",
)


@app.default
@app.command(name="list")
def list_concerns(
    *,
    run: Annotated[str | None, Parameter(help="Only those of this run.")] = None,
    all_of_them: Annotated[bool, Parameter(name="--all", help="Also those that are disposed of.")] = False,
    as_json: AsJson = False,
) -> int:
    """List the open concerns, the most urgent first; those that say the same in one line."""
    found = query(lambda journal: _read_repeated(journal, run, open_only=not all_of_them))
    if as_json:
        print_json({"concerns": [_document(record, one) for one in found for record in one.records]})
    elif found:
        _show_list(found)
        if any(record.disposition is None for one in found for record in one.records):
            out().print("end one: echelon concerns dispose ID --as resolved|accepted|dismissed --reason WHY")
    else:
        out().print("no concerns" if all_of_them else "no open concerns; --all lists those that are disposed of")
    return 0


@app.command(name="show")
def show_concern(concern_id: ConcernId, /, *, as_json: AsJson = False) -> int:
    """Show one concern with its evidence and what became of it."""
    record, jobs, same = query(lambda journal: _one(journal, concern_id))
    one = RepeatedConcern(job=jobs.get(record.run_id, ""), records=tuple(same))
    if as_json:
        print_json(_document(record, one))
    else:
        _show_one(record, one)
    return 0


@app.command(name="dispose")
def dispose(
    concern_id: ConcernId,
    /,
    *,
    verdict: Annotated[
        Literal["resolved", "accepted", "dismissed"],
        Parameter(
            name="--as", help="resolved: the cause is gone; accepted: true, and lived with; dismissed: not true."
        ),
    ],
    reason: Annotated[str, Parameter(help="Why; it is kept with the concern.")],
    by: Annotated[str | None, Parameter(help="Who decides; without it the name of the user.")] = None,
    repeats: Annotated[bool, Parameter(help="Also all open ones of the job that say the same.")] = False,
    as_json: AsJson = False,
) -> int:
    """End a concern, with an author and a reason that are kept."""
    if not reason.strip():
        raise InvalidInput("--reason is empty; say why, it is kept with the concern")
    author = by or user_name()
    ended = Disposition(verdict=verdict, author=author, reason=reason, at=datetime.now(UTC))
    record, one, left = query(lambda journal: _dispose(journal, concern_id, ended, repeats=repeats))
    if as_json:
        print_json(_document(record, one))
        return 0
    others = len(one.records) - 1
    out().print(f"{concern_id}: {verdict} by {author}" + (f", and {others} that said the same" if others else ""))
    if left:
        out().print(f"{count(left, 'open concern')} of this job with the same text left; --repeats ends them together")
    return 0


async def _read_repeated(journal: Journal, run: str | None, *, open_only: bool) -> list[RepeatedConcern]:
    run_id = (await journal.run(run)).run_id if run else None
    records = await journal.concerns(run_id, open_only=open_only)
    return repeated(records, await _jobs(journal, records))


async def _jobs(journal: Journal, records: Iterable[ConcernRecord]) -> dict[str, str]:
    """Return the job of each run that raised one of these; of a run whose row cannot be read it is not known."""
    jobs: dict[str, str] = {}
    for run_id in {record.run_id for record in records}:
        with contextlib.suppress(JournalError):
            run = await journal.known_run(run_id=run_id)
            jobs |= {run_id: run.job} if run is not None else {}
    return jobs


async def _one(journal: Journal, concern_id: str) -> tuple[ConcernRecord, dict[str, str], list[ConcernRecord]]:
    """Return a concern, the jobs of all runs with concerns, and all that say the same."""
    records = await journal.concerns()
    found = [record for record in records if record.id == concern_id]
    if not found:
        raise InvalidInput(f"there is no concern {concern_id!r}; `echelon concerns --all` lists them")
    jobs = await _jobs(journal, records)
    return found[0], jobs, alike(found[0], records, jobs)


async def _dispose(
    journal: Journal, concern_id: str, ended: Disposition, *, repeats: bool
) -> tuple[ConcernRecord, RepeatedConcern, int]:
    """End a concern, or all that say the same; return it, what was ended, and how many that say the same are open."""
    raised, jobs, same = await _one(journal, concern_id)
    chosen = same if repeats else [raised]
    for each in chosen:
        event = ConcernDisposed(run_id=each.run_id, at=ended.at, concern_id=each.id, disposition=ended)
        await journal.append(event)
    record, _, _ = await _one(journal, concern_id)
    return record, RepeatedConcern(job=jobs.get(raised.run_id, ""), records=tuple(chosen)), len(same) - len(chosen)


def _document(record: ConcernRecord, one: RepeatedConcern) -> JsonObject:
    more = {"route": record.concern.route.value, "job": one.job, "count": len(one.records)}
    return record.model_dump(mode="json") | more


def _show_list(found: list[RepeatedConcern]) -> None:
    """Print two lines for each: what it says, and where it comes from."""
    console = out()
    widest = max(len(_named(one.last.concern.route)) for one in found)
    for one in found:
        record, concern = one.last, one.last.concern
        route = Text(_named(concern.route).ljust(widest), style=STYLES[concern.route])
        console.print(Text.assemble(f"{record.id}  ", route, f"  {concern.about}: {concern.message}"))
        sure = f"confidence {concern.confidence:.2f}, impact {concern.impact:.2f}"
        ended = f"{record.disposition.verdict} by {record.disposition.author}" if record.disposition else ""
        origin = (f"job {one.job}" if one.job else "", f"run {record.run_id}", _repeats(one), sure, ended)
        console.print(Text(" " * (len(record.id) + 2) + ", ".join(filter(None, origin)), style="dim"))


def _show_one(record: ConcernRecord, one: RepeatedConcern) -> None:
    concern, ended = record.concern, record.disposition
    console = out()
    console.print(Text.assemble(f"{record.id}: {concern.about}: {concern.message}"))
    facts(
        console,
        [
            ("route", _named(concern.route)),
            ("raised", f"{moment(record.at)} by {record.source} in run {record.run_id}"),
            ("job", one.job),
            ("repeats", _repeats(one)),
            ("confidence", f"{concern.confidence:.2f}"),
            ("impact", f"{concern.impact:.2f}"),
            ("evidence", "\n".join(concern.evidence)),
            ("ended", f"{ended.verdict} by {ended.author}, {moment(ended.at)}: {ended.reason}" if ended else "open"),
        ],
    )


def _repeats(one: RepeatedConcern) -> str:
    """Say how often the same was raised; empty when it was once."""
    return f"{count(len(one.records), 'time')} in {count(one.runs, 'run')}" if len(one.records) > 1 else ""


def _named(route: Route) -> str:
    return route.value.replace("_", " ")
