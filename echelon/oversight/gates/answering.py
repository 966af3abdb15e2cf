"""An answer is put on record, whoever gives it and wherever: the one way in for all channels (O8)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from echelon.journal.admission import unknown
from echelon.journal.failpoints import failpoint
from echelon.journal.port import Journal
from echelon.model.concern import ConcernRecord
from echelon.model.errors import InvalidInput
from echelon.model.oversight.gate import GateAnswer, GateRecord
from echelon.oversight.gates.answers import AnswerWish, extended
from echelon.oversight.gates.around import concerns_around
from echelon.oversight.gates.holding import StepAbout, concerns_holding
from echelon.runlog.gate_events import GateAnswered, GateExtended
from echelon.runlog.gates import late, time_is_up
from echelon.runlog.state import RunState, fold

#: Gates that an ambiguous or unknown id is shown to match.
MAX_SHOWN = 5


class Answered(NamedTuple):
    """What became of an answer."""

    gate: GateRecord
    """The gate as it is now."""
    answer: GateAnswer
    """The answer as it is on record; `refused` says why it does not count."""

    @property
    def counts(self) -> bool:
        """Did it decide?"""
        return not self.answer.refused


async def find_gate(journal: Journal, gate_id: str) -> GateRecord:
    """Return a gate by its id; `InvalidInput` when there is none."""
    found = await journal.gates(ids=[gate_id])
    if not found:
        raise unknown("gate", gate_id, "echelon gates list --all")
    return found[0]


async def answer_gate(journal: Journal, gate_id: str, wish: AnswerWish, at: datetime | None = None) -> Answered:
    """Put an answer on record, also one that does not count: all are kept. `InvalidInput` for an unknown gate."""
    gate = await find_gate(journal, gate_id)
    holding = await concerns_of_gate(journal, gate)
    answer = wish.about(gate, at or datetime.now(UTC), holding)
    event = GateAnswered(run_id=gate.run_id, at=answer.at, gate_id=gate.id, answer=answer)
    await journal.append(event)
    failpoint("gate.answered")
    now = await find_gate(journal, gate_id)
    return Answered(now, _as_recorded(now, answer))


async def extend_gate(journal: Journal, gate_id: str, more: timedelta, by: str, reason: str = "") -> GateRecord:
    """Give a gate more time; anybody may (O5).

    `InvalidInput` for one that is not asked any more, has no end, or whose time is up: what is due then counts.
    """
    gate, at = await find_gate(journal, gate_id), datetime.now(UTC)
    if not gate.is_open:
        raise InvalidInput(f"gate {gate_id!r} cannot be extended: {late(gate)}")
    if gate.expires is None:
        raise InvalidInput(f"gate {gate_id!r} has no end, so it needs no more time: it is open until it is answered")
    if ended := time_is_up(gate, at):
        raise InvalidInput(f"gate {gate_id!r} cannot be extended: {ended}")
    until = extended(gate.expires, at, more)
    await journal.append(GateExtended(run_id=gate.run_id, at=at, gate_id=gate_id, until=until, by=by, reason=reason))
    return await find_gate(journal, gate_id)


async def concerns_of_gate(journal: Journal, gate: GateRecord) -> tuple[ConcernRecord, ...]:
    """Return the open concerns that hold the step of a gate back now, those of runs around its own among them."""
    return await concerns_at(journal, fold(entry.event for entry in await journal.events(gate.run_id)), gate)


async def concerns_listed(
    journal: Journal, gate: GateRecord, holding: Sequence[ConcernRecord]
) -> tuple[ConcernRecord, ...]:
    """Return the other open concerns that a gate was raised with, those of a flat moment for instance (O6)."""
    known = {*gate.concerns} - {one.id for one in holding}
    return tuple(one for one in await journal.concerns(gate.run_id) if one.is_open and one.id in known)


async def concerns_at(journal: Journal, state: RunState, gate: GateRecord) -> tuple[ConcernRecord, ...]:
    """Return the same, where the state of the run of the gate is known."""
    around = await concerns_around(journal, state.record)
    if state.plan is None:
        return around
    return (*concerns_holding(state, StepAbout.of(state.plan, gate.action.phase, gate.action.task_id, {})), *around)


def _as_recorded(gate: GateRecord, answer: GateAnswer) -> GateAnswer:
    """Return an answer as the log has it: another one may have come first."""
    same = (one for one in reversed(gate.answers) if one.model_copy(update={"refused": answer.refused}) == answer)
    return next(same, answer)
