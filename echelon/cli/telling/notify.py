"""`echelon notify`: send what people were to be told, and could not be until now (O8)."""

from typing import Annotated

from cyclopts import Parameter

from echelon.cli.arguments.configured import read_settings
from echelon.cli.arguments.options import AsJson
from echelon.cli.reading import query
from echelon.cli.views.output import err, log_to, out, print_json
from echelon.engine.notify.couriers import OutboxOutcome, deliver_all, deliver_outbox
from echelon.journal.port import Journal
from echelon.model.phrasing import count
from echelon.visibility.notices import left_lines, notice_document

#: It was tried, and something is left.
LEFT = 3


def notify(
    run: Annotated[str | None, Parameter(help="Only of this run; without it of all that wait for somebody.")] = None,
    /,
    *,
    as_json: AsJson = False,
) -> int:
    """Send the messages about gates and urgent concerns that were not delivered yet."""
    log_to(err())
    outcomes = query(lambda journal: _deliver(journal, run))
    if as_json:
        print_json({"runs": [_document(one) for one in outcomes]})
    elif outcomes:
        for one in outcomes:
            _show(one)
    else:
        out().print("nobody waits for a message")
    return LEFT if any(one.left for one in outcomes) else 0


async def _deliver(journal: Journal, run: str | None) -> tuple[OutboxOutcome, ...]:
    settings = read_settings()
    if run is None:
        return await deliver_all(journal, settings)
    outcome = await deliver_outbox(journal, (await journal.run(run)).run_id, settings)
    return (outcome,) if outcome.sent or outcome.left else ()


def _document(outcome: OutboxOutcome) -> dict[str, object]:
    left = [notice_document(one) for one in outcome.left]
    return {"run_id": outcome.run_id, "sent": outcome.sent, "left": left, "elsewhere": outcome.elsewhere}


def _show(outcome: OutboxOutcome) -> None:
    left = f", {len(outcome.left)} not" if outcome.left else ""
    why = f": {outcome.elsewhere}" if outcome.elsewhere else ""
    out().print(f"{outcome.run_id}: {count(outcome.sent, 'notification')} delivered{left}{why}")
    for line in left_lines(outcome.left):
        out().print(f"  {line}")
