"""`echelon concerns`: what agents raised, and how it is disposed of. Nothing is ever deleted (O1)."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from cyclopts import App, Parameter
from rich.text import Text

from echelon.cli.arguments.options import AsJson
from echelon.cli.arguments.user import user_name
from echelon.cli.reading import query
from echelon.cli.views.output import facts, out, print_json, table
from echelon.journal.port import Journal
from echelon.model.adapter import JsonObject
from echelon.model.concern import ConcernRecord, Disposition, Route
from echelon.model.errors import InvalidInput
from echelon.model.phrasing import moment
from echelon.runlog.events import ConcernDisposed

#: Every list begins with what cannot wait.
URGENCY = (Route.IMMEDIATE, Route.HUMAN_REVIEW, Route.NORMAL, Route.PATTERN_LOG)

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
    """List the open concerns, the most urgent first."""
    records = query(lambda journal: _concerns(journal, run, open_only=not all_of_them))
    found = sorted(records, key=lambda record: URGENCY.index(record.concern.route))
    if as_json:
        print_json({"concerns": [_document(record) for record in found]})
    elif found:
        _show_list(found)
    else:
        out().print("no concerns" if all_of_them else "no open concerns; --all lists those that are disposed of")
    return 0


@app.command(name="show")
def show_concern(concern_id: ConcernId, /, *, as_json: AsJson = False) -> int:
    """Show one concern with its evidence and what became of it."""
    record = query(lambda journal: _one(journal, concern_id))
    if as_json:
        print_json(_document(record))
    else:
        _show_one(record)
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
    as_json: AsJson = False,
) -> int:
    """End a concern, with an author and a reason that are kept."""
    if not reason.strip():
        raise InvalidInput("--reason is empty; say why, it is kept with the concern")
    author = by or user_name()
    ended = Disposition(verdict=verdict, author=author, reason=reason, at=datetime.now(UTC))
    record = query(lambda journal: _dispose(journal, concern_id, ended))
    if as_json:
        print_json(_document(record))
    else:
        out().print(f"{concern_id}: {verdict} by {author}")
    return 0


async def _concerns(journal: Journal, run: str | None, *, open_only: bool) -> tuple[ConcernRecord, ...]:
    run_id = (await journal.run(run)).run_id if run else None
    return await journal.concerns(run_id, open_only=open_only)


async def _one(journal: Journal, concern_id: str) -> ConcernRecord:
    found = [record for record in await journal.concerns() if record.id == concern_id]
    if not found:
        raise InvalidInput(f"there is no concern {concern_id!r}; `echelon concerns --all` lists them")
    return found[0]


async def _dispose(journal: Journal, concern_id: str, ended: Disposition) -> ConcernRecord:
    raised = await _one(journal, concern_id)
    await journal.append(ConcernDisposed(run_id=raised.run_id, at=ended.at, concern_id=concern_id, disposition=ended))
    return await _one(journal, concern_id)


def _document(record: ConcernRecord) -> JsonObject:
    return record.model_dump(mode="json") | {"route": record.concern.route.value}


def _show_list(found: list[ConcernRecord]) -> None:
    rows = table("id", "route", "about", "concern", "confidence", "impact", "ended")
    rows.columns[0].no_wrap = True  # an id is copied as a whole
    for record in found:
        concern = record.concern
        rows.add_row(
            record.id,
            _route(concern.route),
            concern.about,
            concern.message,
            f"{concern.confidence:.2f}",
            f"{concern.impact:.2f}",
            record.disposition.verdict if record.disposition else "",
        )
    out().print(rows)


def _show_one(record: ConcernRecord) -> None:
    concern, ended = record.concern, record.disposition
    console = out()
    console.print(Text.assemble(f"{record.id}: {concern.about}: {concern.message}"))
    facts(
        console,
        [
            ("route", concern.route.value.replace("_", " ")),
            ("raised", f"{moment(record.at)} by {record.source} in run {record.run_id}"),
            ("confidence", f"{concern.confidence:.2f}"),
            ("impact", f"{concern.impact:.2f}"),
            ("evidence", "\n".join(concern.evidence)),
            ("ended", f"{ended.verdict} by {ended.author}, {moment(ended.at)}: {ended.reason}" if ended else "open"),
        ],
    )


def _route(route: Route) -> Text:
    return Text(route.value.replace("_", " "), style=STYLES[route])
