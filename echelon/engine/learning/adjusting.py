"""A run goes by what was changed of its job behind diagnoses of earlier runs, as far as the job still allows it (G)."""

import logging
from typing import TypeVar

from echelon.definition.adjusting import adjusted_as_far_as_possible
from echelon.definition.definition import JobDefinition
from echelon.journal.journal import SqlJournal
from echelon.journal.port import Journal
from echelon.model.diagnosis.adjustment import Adjustment
from echelon.model.errors import JournalError
from echelon.model.run import RunRecord
from echelon.redaction import redact
from echelon.settings import Settings

log = logging.getLogger("echelon.engine")

J = TypeVar("J", bound=JobDefinition)


async def go_by_changes(journal: Journal, job: J, found: RunRecord | None = None) -> J:
    """Return a job as its next run is organised; a run that is resumed goes by what held when it began.

    What the job's code does not allow any more is left out, and logged: no run fails for that.
    """
    if found is not None:
        changes = found.plan.adjustments if found.plan else ()
    else:
        changes = await _in_force(journal, job.name)
    changed, refused = adjusted_as_far_as_possible(job, changes)
    for why in refused:
        log.warning("a change behind a diagnosis is left out: %s", why)
    return changed


async def adjust_before(job: J, settings: Settings) -> J:
    """Return the same for a plan, where there is a journal; none is made for it."""
    try:
        if not await SqlJournal.is_ready(settings):
            return job
        async with SqlJournal.open(settings) as journal:
            return await go_by_changes(journal, job)
    except JournalError as error:
        log.warning("it is not known what diagnoses have changed: %s", redact(str(error)))
        return job


async def _in_force(journal: Journal, job: str) -> tuple[Adjustment, ...]:
    return tuple(one for event in await journal.adjustments(job) for one in event.adjustments)
