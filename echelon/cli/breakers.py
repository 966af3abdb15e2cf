"""`echelon breakers`: what all processes know of the dependencies they call, and the hand on the switch (F1)."""

from typing import Annotated

from cyclopts import App, Parameter
from rich.text import Text

from echelon.cli.arguments.configured import read_settings
from echelon.cli.arguments.options import AsJson
from echelon.cli.arguments.user import user_name
from echelon.cli.views.output import out, print_json, table
from echelon.model.adapter import JsonObject
from echelon.model.errors import InvalidInput
from echelon.model.phrasing import duration, moment
from echelon.resilience.breaker.board import BreakerBoard
from echelon.resilience.breaker.store import BreakerRecord
from echelon.resilience.breaker.wire import since

STYLES = {"open": "bold red", "half-open": "yellow", "closed": "green"}

Name = Annotated[str, Parameter(name="name", help="The dependency, as agents name it: breaker='openai'.")]

app = App(
    name="breakers",
    help_format="plaintext",
    help_epilogue="Example:  echelon breakers isolate openai --reason 'they announced maintenance'",
)


@app.default
@app.command(name="list", help_epilogue="Example:  echelon breakers --json")
def list_breakers(*, as_json: AsJson = False) -> int:
    """List the breakers that processes share through Redis."""
    with _board() as board:
        records = board.records()
    if as_json:
        print_json({"shared_through": "redis", "breakers": [_document(*item) for item in records.items()]})
    elif records:
        _show(records)
    else:
        out().print(f"no breakers in Redis at {board.address} yet: all that were called are closed, or none was")
    return 0


@app.command(
    name="isolate", help_epilogue="Example:  echelon breakers isolate openai --reason 'they announced maintenance'"
)
def isolate(
    name: Name,
    /,
    *,
    reason: Annotated[str, Parameter(help="The reason; refused callers see it.")],
    by: Annotated[str | None, Parameter(help="Who decides; without it the name of the user.")] = None,
    as_json: AsJson = False,
) -> int:
    """Refuse all calls to a dependency in all processes, until it is reset."""
    if not (name.strip() and reason.strip()):
        raise InvalidInput(
            "the name or --reason is empty; give the dependency and the reason, which refused callers see"
        )
    with _board() as board:
        known = name in board.records()
        record = board.isolate(name, reason, by or user_name())
    if as_json:
        print_json(_document(name, record))
    else:
        hint = "" if known else "; nothing was on record of it: check the name, unless it never failed"
        out().print(f"{name}: {record.reason}; all processes refuse calls to it until `echelon breakers reset`{hint}")
    return 0


@app.command(name="reset", help_epilogue="Example:  echelon breakers reset openai")
def reset(name: Name, /, *, as_json: AsJson = False) -> int:
    """Let calls to a dependency through again in all processes, and forget what was."""
    with _board() as board:
        record = board.reset(name)
    if as_json:
        print_json(_document(name, record))
    else:
        out().print(f"{name}: closed in all processes")
    return 0


def _board() -> BreakerBoard:
    url = read_settings().redis_url
    if url is None:
        raise InvalidInput(
            "ECHELON_REDIS_URL is not set: the state of breakers lives within each process, and cannot be seen or "
            "changed from outside; set it to redis://host:port/db for all processes, and for this command"
        )
    return BreakerBoard(url.get_secret_value())


def _document(name: str, record: BreakerRecord) -> JsonObject:
    return {
        "name": name,
        "state": record.state,
        "since": since(record),
        "reason": record.reason,
        "trips": record.trips,
        "next_trial_in_seconds": _next_trial(record),
        "isolated": {"by": record.isolated_by, "reason": record.isolated} if record.isolated else None,
    }


def _next_trial(record: BreakerRecord) -> float | None:
    """Return the seconds until calls are tried again; None when they are not refused, or without an end."""
    return None if record.state == "closed" or record.isolated else record.probe_in_seconds


def _show(records: dict[str, BreakerRecord]) -> None:
    rows = table("name", "state", "since", "openings in a row", "next probe", "why")
    for name, record in records.items():
        state, wait = Text(record.state, style=STYLES[record.state]), _next_trial(record)
        when = "when it is reset" if record.isolated else "" if wait is None else f"in {duration(wait)}"
        rows.add_row(name, state, moment(since(record)), str(record.trips), when, record.reason)
    out().print(rows)
