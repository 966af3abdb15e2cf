"""What the journal knows of earlier runs of a job, learnt from before the next one is planned (X10)."""

import logging

from echelon.journal.journal import SqlJournal
from echelon.journal.port import Journal
from echelon.model.errors import JournalError
from echelon.model.learning.learnt import Learnt
from echelon.planning.learning.learn import learn
from echelon.redaction import redact
from echelon.settings import Settings

log = logging.getLogger("echelon.engine")


async def learnt_of(journal: Journal, job: str, settings: Settings, before_run_id: str | None = None) -> Learnt | None:
    """Return what the runs of a job teach, or those before one run; None where none has, or nobody wants to know.

    `before_run_id` may name a run that is not on record yet. What cannot be read costs the forecast, not the run.
    """
    if not settings.history:
        return None
    try:
        known = await journal.known_run(run_id=before_run_id) if before_run_id is not None else None
        reviews = await journal.reviews(job, known.run_id if known else None)
    except JournalError as error:
        log.warning("nothing can be learnt from earlier runs (X10): %s", redact(str(error)))
        return None
    return learn([one.lesson for one in reviews])


async def learnt_before(job: str, settings: Settings) -> Learnt | None:
    """Return the same where there is a journal; none is made for it, and none is needed."""
    try:
        if not (settings.history and await SqlJournal.is_ready(settings)):
            return None
        async with SqlJournal.open(settings) as journal:
            return await learnt_of(journal, job, settings)
    except JournalError as error:
        log.warning("nothing can be learnt from earlier runs (X10): %s", redact(str(error)))
        return None
