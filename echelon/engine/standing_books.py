"""Whether a run keeps standing budgets, and with what: chosen once, at its door (F10)."""

from contextlib import AbstractAsyncContextManager, nullcontext

from echelon.coordination.spec import RunSpec
from echelon.engine.nesting import JobChain
from echelon.journal.journal import SqlJournal
from echelon.journal.lease import Lease
from echelon.model.standing.claim import StandingBudget, WindowBooks
from echelon.resilience.standing.keeper import StandingKeeper
from echelon.settings import Settings


def keeping_standing(
    journal: SqlJournal, lease: Lease, spec: RunSpec, settings: Settings, chain: JobChain | None = None
) -> AbstractAsyncContextManager[StandingKeeper | None]:
    """Keep the standing budgets of a job in the block; None where it has none.

    A run inside another one of the same job is paid from the budgets that this one keeps.
    """
    job = spec.job
    around = [one.name for one in chain.jobs[:-1]] if chain else []
    if not job.standing or job.name in around:
        return nullcontext()
    port = journal.standing(lease.session, job.name)
    return StandingKeeper.open(job.name, job.standing, port, settings.zone, spec.now)


async def read_books_of(settings: Settings, job: str, budgets: tuple[StandingBudget, ...]) -> tuple[WindowBooks, ...]:
    """Return what all runs of a job did to its standing budgets, by budget; `JournalError` when it cannot be read."""
    async with SqlJournal.open(settings) as journal:
        return await journal.standing_books(job, budgets)
