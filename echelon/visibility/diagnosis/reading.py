"""Reads what a diagnosis looks at: the log of a run, and those of the runs of its job before it."""

from typing import NamedTuple

from echelon.journal.port import Journal
from echelon.model.errors import InvalidInput
from echelon.model.run import RunRecord
from echelon.visibility.diagnosis.facts import RunEvidence
from echelon.visibility.history import RUNS_SEARCHED

#: So many earlier runs of a job are looked at.
MAX_EARLIER = 10


class Case(NamedTuple):
    """A run, with the runs of its job before it."""

    facts: RunEvidence
    """The run."""
    earlier: tuple[RunEvidence, ...]
    """Those before it, newest first."""


async def read_case(journal: Journal, name: str) -> Case:
    """Return the run that is named by its id, or the beginning of it, or the newest run of the job of that name.

    Runs of the same source only count as earlier ones: a rehearsal says nothing about a run. Raise `InvalidInput` where
    nothing has that name.
    """
    records = await journal.runs(RUNS_SEARCHED)
    wanted = next((one for one in records if one.job == name), None)
    record = wanted or await _by_id(journal, name)
    place = next((place for place, one in enumerate(records) if one.run_id == record.run_id), len(records))
    before = [one for one in records[place + 1 :] if (one.job, one.source) == (record.job, record.source)]
    facts = [await _facts(journal, one) for one in (record, *before[:MAX_EARLIER])]
    return Case(facts[0], tuple(one for one in facts[1:] if one.state.plan is not None))


async def _by_id(journal: Journal, name: str) -> RunRecord:
    try:
        return await journal.run(name)
    except InvalidInput as error:
        raise InvalidInput(f"{error}; no job of that name has a run either") from error


async def _facts(journal: Journal, record: RunRecord) -> RunEvidence:
    return RunEvidence.of(entry.event for entry in await journal.events(record.run_id))
