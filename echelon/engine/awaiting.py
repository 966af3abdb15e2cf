"""A run that waits for a person is looked after until somebody has answered, or until the default counts (O8)."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from echelon.coordination.gates.fitting import misfit_in
from echelon.coordination.spec import utc_now
from echelon.definition.definition import JobDefinition
from echelon.engine.asking.inside import runs_inside
from echelon.engine.asking.waking import wake_flow_runs
from echelon.engine.notify.couriers import delivering_later
from echelon.journal.journal import SqlJournal
from echelon.journal.port import Journal
from echelon.model.concern import ConcernRecord
from echelon.model.oversight.gate import GateRecord
from echelon.model.run import RunResult
from echelon.oversight.gates.answering import Answered, answer_gate, extend_gate, find_gate
from echelon.oversight.gates.answers import AnswerWish, more_time
from echelon.settings import Settings

#: How often it is looked for answers, in seconds.
POLL_SECONDS = 1.0

#: What was said by people: answers by gate, and which concerns were disposed of.
Said = frozenset[tuple[str, object]]


async def wait_for_people(result: RunResult, until: datetime | None, poll_seconds: float = POLL_SECONDS) -> None:
    """Return when a person has said something about a run, or a run inside it, that it did not know when it ended.

    Or when it goes on by itself; None: never.
    """
    settings = Settings()
    async with SqlJournal.open(settings) as journal:
        inside = await runs_inside(journal, result.run_id)
        known = said_by(result.gates, result.concerns) | await _said_in(journal, inside)

        async def all_of_it() -> list[str]:
            return [result.run_id, *inside]

        async with delivering_later(journal, settings, all_of_it):
            while until is None or utc_now() < until:
                if await _said_in(journal, await all_of_it()) != known:
                    return
                await asyncio.sleep(poll_seconds)


async def answer_from_program(job: JobDefinition, gate_id: str, wish: AnswerWish) -> Answered:
    """Answer a gate of this journal; `InvalidInput` for an unknown one.

    An output that does not fit its contract does not count, where `job` is the job of the run, and tells the contract.
    """
    settings = Settings()
    async with SqlJournal.open(settings) as journal:
        if wish.verdict == "done":
            wish = replace(wish, misfit=await _misfit(journal, job, gate_id, wish.output))
        answered = await answer_gate(journal, gate_id, wish)
        if answered.counts:
            await wake_flow_runs(journal, answered.gate.run_id, settings)
        return answered


async def extend_from_program(gate_id: str, hours: float, by: str, reason: str) -> GateRecord:
    """Give a gate of this journal more time; `InvalidInput` says why that cannot be."""
    more = more_time(hours)
    async with SqlJournal.open(Settings()) as journal:
        return await extend_gate(journal, gate_id, more, by, reason)


async def _misfit(journal: Journal, job: JobDefinition, gate_id: str, output: object) -> str | None:
    gate = await find_gate(journal, gate_id)
    record, phase = await journal.known_run(run_id=gate.run_id), job.phases.get(gate.action.phase)
    if record is None or record.job != job.name or phase is None:
        return None
    return misfit_in(phase, gate.action, output)


def said_by(gates: Iterable[GateRecord], concerns: Iterable[ConcernRecord]) -> Said:
    """Return what people have said."""
    answers = ((one.id, (one.closed, one.expires, one.decision and one.decision.at)) for one in gates)
    ended = ((one.id, one.disposition.at) for one in concerns if one.disposition)
    return frozenset([*answers, *ended])


async def _said_in(journal: Journal, run_ids: Iterable[str]) -> Said:
    found: Said = frozenset()
    for run_id in run_ids:
        found |= said_by(await journal.gates(run_id), await journal.concerns(run_id))
    return found
