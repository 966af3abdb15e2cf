"""`echelon answer`: answer with the token of a message, wherever this journal can be reached (O8)."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from echelon.cli.arguments.configured import read_settings
from echelon.cli.arguments.options import AsJson
from echelon.cli.arguments.user import user_name
from echelon.cli.oversight.gates import By
from echelon.cli.oversight.typed_answer import next_step, read_output
from echelon.cli.reading import query
from echelon.cli.views.output import out, print_json
from echelon.engine.asking.inside import run_around
from echelon.engine.asking.waking import wake_flow_runs
from echelon.journal.port import Journal
from echelon.model.adapter import JsonObject
from echelon.model.concern import ConcernRecord, Disposition
from echelon.model.errors import InvalidInput
from echelon.model.oversight.gate import GateRecord
from echelon.model.phrasing import moment
from echelon.oversight.gates.answers import AnswerWish, check_reason, more_time
from echelon.oversight.notify.answering import (
    INSTEAD,
    answer_with_token,
    dispose_with_token,
    extend_with_token,
    find_token,
)
from echelon.visibility.gates import what_follows

ConcernVerdict = Literal["resolved", "accepted", "dismissed"]

DEFAULT_HOURS = 24.0


def answer(
    token: Annotated[str, Parameter(help="The token of the message.")],
    verdict: Annotated[
        Literal["approve", "deny", "done", "extend", "resolved", "accepted", "dismissed"],
        Parameter(help="Of a gate: approve, deny, done, extend. Of a concern: resolved, accepted, dismissed."),
    ],
    /,
    *,
    reason: Annotated[str, Parameter(help="Why; it is kept with the answer.")],
    author: By = None,
    partial: Annotated[
        bool, Parameter(negative="", help="With approve: it may begin without what is missing of its inputs.")
    ] = False,
    output: Annotated[str | None, Parameter(help="With done: what came out of it, in JSON.")] = None,
    hours: Annotated[float, Parameter(help="With extend: how much more time.")] = DEFAULT_HOURS,
    looked_at: Annotated[
        list[str] | None, Parameter(help="Of a concern: what was looked at; several times. A dismissal needs some.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Answer the gate or the concern that a message asked about; each token is good for one answer."""
    check_reason(reason)
    who = author or user_name()
    match verdict:
        case "approve" | "deny" | "done":
            told = _output(output, verdict=verdict)
            wish = AnswerWish(verdict=verdict, author=who, reason=reason, partial=partial, output=told)
            document, said = query(lambda journal: _answer(journal, token, wish))
        case "extend":
            document, said = query(lambda journal: _extend(journal, token, more_time(hours), who, reason))
        case "resolved" | "accepted" | "dismissed":
            end = _disposition(verdict, who, reason, looked_at or [])
            document, said = query(lambda journal: _dispose(journal, token, end))
    if as_json:
        print_json(document)
    else:
        out().print(said)
    return 0


async def _answer(journal: Journal, token: str, wish: AnswerWish) -> tuple[JsonObject, str]:
    answered = await answer_with_token(journal, await find_token(journal, token), wish)
    if not answered.counts:
        raise InvalidInput(
            f"the answer does not count, and is on record as refused: {answered.answer.refused}; look again: echelon "
            f"gates show {answered.gate.id}, or {INSTEAD}"
        )
    gate = answered.gate
    woken = await wake_flow_runs(journal, gate.run_id, read_settings())
    next_one = next_step(await run_around(journal, gate.run_id), woken)
    said = f"{gate.id}: {wish.verdict} by {wish.author}{what_follows(*answered)}; {next_one}"
    return _document(gate=gate), said


async def _extend(journal: Journal, token: str, more: timedelta, by: str, reason: str) -> tuple[JsonObject, str]:
    gate = await extend_with_token(journal, await find_token(journal, token), more, by, reason)
    return _document(gate=gate), f"{gate.id}: waits until {moment(gate.expires)}, asked for by {by}"


async def _dispose(journal: Journal, token: str, end: Disposition) -> tuple[JsonObject, str]:
    concern = await dispose_with_token(journal, await find_token(journal, token), end)
    return _document(concern=concern), f"{concern.id}: {end.verdict} by {end.author}"


def _document(*, gate: GateRecord | None = None, concern: ConcernRecord | None = None) -> JsonObject:
    return {"gate": gate and gate.model_dump(mode="json"), "concern": concern and concern.model_dump(mode="json")}


def _disposition(verdict: ConcernVerdict, author: str, reason: str, looked_at: list[str]) -> Disposition:
    seen = [one for one in looked_at if one.strip()]
    if verdict == "dismissed" and not seen:
        raise InvalidInput("a concern is not dismissed without a look at what it says: add --looked-at WHAT")
    return Disposition(verdict=verdict, author=author, reason=reason, looked_at=tuple(seen), at=datetime.now(UTC))


def _output(text: str | None, *, verdict: str) -> Any:
    if text is None:
        return None
    if verdict != "done":
        raise InvalidInput(f"--output says what came out of work that was done; it goes with done, not with {verdict}")
    return read_output(text)
