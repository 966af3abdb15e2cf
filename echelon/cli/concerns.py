"""`echelon concerns`: what agents raised, and how it is disposed of. Nothing is ever deleted (O1)."""

import contextlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Literal, NamedTuple

from cyclopts import App, Parameter

from echelon.cli.arguments.options import AsJson
from echelon.cli.arguments.user import user_name
from echelon.cli.reading import query
from echelon.cli.views.concerns import document_of, show_entries, show_one
from echelon.cli.views.output import out, print_json
from echelon.journal.port import Journal
from echelon.model.concern import ConcernRecord, Disposition
from echelon.model.errors import InvalidInput, JournalError
from echelon.model.oversight.disposing import is_said, why_not_disposed, why_not_reopened
from echelon.model.phrasing import count
from echelon.oversight.conflicts.answered import is_about_conflict, why_not_settled
from echelon.oversight.ledger import LedgerEntry, ledger_of
from echelon.runlog.events import ConcernDisposed, ConcernReopened
from echelon.runlog.state import fold

ConcernId = Annotated[str, Parameter(name="id", help="Id of a concern.")]
By = Annotated[str | None, Parameter(help="Who decides; without it the name of the user.")]
LookedAt = Annotated[
    list[str] | None,
    Parameter(
        name="--looked-at", negative="", help="What was looked at: a file, an output, a measurement; several times."
    ),
]

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
    all_of_them: Annotated[
        bool, Parameter(name="--all", help="Every one, also those that are disposed of.", negative="")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """List the open concerns, the overdue and the most urgent first; those that say the same in one line."""
    found = query(lambda journal: _read_entries(journal, run))
    shown = found if all_of_them else [entry for entry in found if entry.open]
    now = datetime.now(UTC)
    if as_json:
        listed = ((one, entry) for entry in shown for one in (entry.records if all_of_them else entry.open))
        print_json({"concerns": [document_of(one, entry, now) for one, entry in listed]})
    elif shown:
        show_entries(shown, now, everything=all_of_them)
        if any(entry.open for entry in shown):
            out().print("end one: echelon concerns dispose ID --as resolved|accepted|dismissed --reason WHY")
    else:
        out().print("no concerns" if all_of_them else "no open concerns; --all lists those that are disposed of")
    return 0


@app.command(name="show")
def show_concern(concern_id: ConcernId, /, *, as_json: AsJson = False) -> int:
    """Show one concern with its evidence, why it goes where it goes, and what became of it."""
    found, now = query(lambda journal: _find(journal, concern_id)), datetime.now(UTC)
    if as_json:
        print_json(document_of(found.record, found.entry, now))
    else:
        show_one(found.record, found.entry, now)
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
    looked_at: LookedAt = None,
    by: By = None,
    counts: Annotated[
        str | None,
        Parameter(
            help="Of a conflict: the task whose side counts; the run uses that when it is resumed. With resolved."
        ),
    ] = None,
    repeats: Annotated[bool, Parameter(help="Also all open ones of the job that say the same.")] = False,
    as_json: AsJson = False,
) -> int:
    """End a concern, with an author, a reason and what was looked at; a dismissal needs that."""
    _check_reason(reason)
    author, now = by or user_name(), datetime.now(UTC)
    if counts and repeats:
        raise InvalidInput("--counts decides one conflict; leave out --repeats")
    seen = tuple(looked_at or ())
    ended = Disposition(verdict=verdict, author=author, reason=reason, looked_at=seen, counts=counts or "", at=now)
    found, chosen = query(lambda journal: _dispose(journal, concern_id, ended, repeats=repeats))
    if as_json:
        print_json(document_of(found.record, found.entry, now))
        return 0
    others, left = chosen - 1, len(found.entry.open)
    out().print(f"{concern_id}: {verdict} by {author}" + (f", and {others} that said the same" if others else ""))
    if counts:
        out().print(f"{counts} counts; to use that: echelon resume {found.record.run_id}")
    elif is_about_conflict(found.record):
        out().print("the conflict stays open, since --counts names no side; to settle it, reopen the concern first")
    if left:
        out().print(f"{count(left, 'open concern')} of this job with the same text left; --repeats ends them together")
    return 0


@app.command(name="reopen")
def reopen(
    concern_id: ConcernId,
    /,
    *,
    reason: Annotated[str, Parameter(help="Why its end was wrong; it is kept with the concern.")],
    looked_at: LookedAt = None,
    by: By = None,
    as_json: AsJson = False,
) -> int:
    """Take the end of a concern back, since it proved wrong; a dismissal counts as a filtering failure then."""
    _check_reason(reason)
    author, now = by or user_name(), datetime.now(UTC)
    found = query(lambda journal: _reopen(journal, concern_id, author, reason, tuple(looked_at or ()), now))
    if as_json:
        print_json(document_of(found.record, found.entry, now))
        return 0
    ended = found.record.reopened[-1].disposition
    failed = "; it counts as a filtering failure" if ended.verdict == "dismissed" else ""
    out().print(f"{concern_id}: open again, it had been {ended.verdict} by {ended.author}{failed}")
    return 0


class _Found(NamedTuple):
    """A concern, and the entry of the ledger that it is a part of."""

    record: ConcernRecord
    entry: LedgerEntry


def _check_reason(reason: str) -> None:
    if not is_said([reason]):
        raise InvalidInput("--reason is empty; say why, it is kept with the concern")


async def _read_entries(journal: Journal, run: str | None) -> list[LedgerEntry]:
    run_id = (await journal.run(run)).run_id if run else None
    records = await journal.concerns(run_id)
    return ledger_of(records, await _jobs(journal, records))


async def _jobs(journal: Journal, records: Iterable[ConcernRecord]) -> dict[str, str]:
    """Return the job of each run that raised one of these; of a run whose row cannot be read it is not known."""
    jobs: dict[str, str] = {}
    for run_id in {record.run_id for record in records}:
        with contextlib.suppress(JournalError):
            run = await journal.known_run(run_id=run_id)
            jobs |= {run_id: run.job} if run is not None else {}
    return jobs


async def _find(journal: Journal, concern_id: str) -> _Found:
    """Return a concern with all that say the same."""
    entries = await _read_entries(journal, None)
    found = (_Found(one, entry) for entry in entries for one in entry.records if one.id == concern_id)
    first = next(found, None)
    if first is None:
        raise InvalidInput(f"there is no concern {concern_id!r}; `echelon concerns --all` lists them")
    return first


async def _dispose(journal: Journal, concern_id: str, ended: Disposition, *, repeats: bool) -> tuple[_Found, int]:
    """End a concern, or all open ones that say the same; return it as it is then, and how many were ended."""
    record, entry = await _find(journal, concern_id)
    chosen = [record, *(one for one in entry.open if repeats and one.id != concern_id)]
    for each in chosen:
        if why := why_not_disposed(each, ended) or await _why_not_settled(journal, each, ended):
            raise InvalidInput(why)
    for each in chosen:
        event = ConcernDisposed(run_id=each.run_id, at=ended.at, concern_id=each.id, disposition=ended)
        await journal.append(event)
    return await _find(journal, concern_id), len(chosen)


async def _why_not_settled(journal: Journal, record: ConcernRecord, ended: Disposition) -> str:
    """Say why a disposition cannot decide a conflict; only one that wants to needs the log of the run."""
    if not ended.counts:
        return ""
    state = fold(entry.event for entry in await journal.events(record.run_id))
    return why_not_settled(record, state.conflicts, ended)


async def _reopen(
    journal: Journal, concern_id: str, by: str, reason: str, evidence: tuple[str, ...], at: datetime
) -> _Found:
    record, _ = await _find(journal, concern_id)
    if why := why_not_reopened(record, evidence):
        raise InvalidInput(why)
    event = ConcernReopened(run_id=record.run_id, at=at, concern_id=concern_id, by=by, reason=reason, evidence=evidence)
    await journal.append(event)
    return await _find(journal, concern_id)
