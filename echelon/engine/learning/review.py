"""A run that has an output is looked back on, for its people and for the plan of the next run (X10)."""

import logging
from datetime import datetime

from echelon.coordination.context import RunContext
from echelon.definition.rehearsal import RehearsalJob
from echelon.journal.queries import WITH_OUTPUT
from echelon.model.errors import JournalError
from echelon.model.run import RunStatus
from echelon.redaction import redact
from echelon.runlog.events import RunReviewed
from echelon.runlog.learning.lesson import lesson_of
from echelon.runlog.learning.retrospective import look_back
from echelon.runlog.state import RunState

log = logging.getLogger("echelon.engine")


async def review_of(context: RunContext, state: RunState, status: RunStatus, at: datetime) -> RunReviewed | None:
    """Return what a run teaches that ends so; None for a rehearsal, a sample, and a run without an output."""
    if status not in WITH_OUTPUT or isinstance(context.spec.job, RehearsalJob):
        return None
    lesson, plan = lesson_of(state, at), state.plan
    if lesson is None or plan is None:
        return None
    said = look_back(state, plan, lesson, await _before(context))
    return RunReviewed(run_id=lesson.run_id, at=at, lesson=lesson, retrospective=said)


async def _before(context: RunContext) -> RunReviewed | None:
    """Return what the run before this one taught; what cannot be read costs the comparison, not the run."""
    try:
        found = await context.log.journal.reviews(context.spec.job.name, context.spec.run_id, limit=1)
    except JournalError as error:
        log.warning("the run before this one cannot be compared with (X10): %s", redact(str(error)))
        return None
    return found[-1] if found else None
