"""What steps used, in the transaction that puts them on record: the books and the log cannot disagree (F10)."""

from collections import defaultdict

from sqlalchemy import Connection, bindparam, insert, update

from echelon.journal import schema
from echelon.model.run import StepRecord
from echelon.model.standing.sums import NO_SUMS, Sums, unpriced_tokens
from echelon.model.standing.window import slot_of

_SPENT = schema.standing_spent.c
_AMOUNTS = (*Sums._fields, "unpriced_tokens")

_GROW = (
    update(schema.standing_spent)
    .where(*[_SPENT[name] == bindparam(f"of_{name}") for name in ("run_id", "token", "slot")])
    .values({name: _SPENT[name] + bindparam(f"more_{name}") for name in _AMOUNTS})
)
_INSERT = insert(schema.standing_spent)

_Key = tuple[str, str, int, int]
"""Job, run, token of its session, slot."""


class StepSums:
    """What the steps of one transaction used."""

    def __init__(self) -> None:
        self._sums: dict[_Key, tuple[Sums, int]] = defaultdict(lambda: (NO_SUMS, 0))

    def note(self, job: str, token: int, step: StepRecord) -> None:
        """Count a step that ended."""
        usage = step.handoff.usage
        key = (job, step.run_id, token, slot_of(step.finished))
        sums, unpriced = self._sums[key]
        self._sums[key] = sums.plus(Sums.of(usage)), unpriced + unpriced_tokens(usage)

    def add_to(self, connection: Connection) -> None:
        """Write it down; the rows of its runs are locked, so that nobody else writes these."""
        for (job, run_id, token, slot), (sums, unpriced) in self._sums.items():
            key = {"run_id": run_id, "token": token, "slot": slot}
            amounts = {**sums._asdict(), "unpriced_tokens": unpriced}
            named = {f"of_{name}": value for name, value in key.items()}
            grown = connection.execute(_GROW, named | {f"more_{name}": value for name, value in amounts.items()})
            if not grown.rowcount:
                connection.execute(_INSERT, {"job": job} | key | amounts)
