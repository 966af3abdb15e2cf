"""Runs of a job share the budget of a day through a real journal; the clock is ours (F10)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel

from echelon import Budget, Job, agent
from echelon.coordination.job_run import run_phases
from echelon.journal.journal import SqlJournal
from echelon.model.handoff import ErrorReport
from echelon.model.standing.claim import StandingBudget
from echelon.model.standing.window import window_of
from echelon.settings import Settings
from echelon.testing.runs import a_run

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Items(BaseModel):
    """Inputs of the job."""

    numbers: int = 5


@agent
def look(item: int) -> int:
    """Look at one item."""
    return item


def looking(*budgets: Budget) -> Job:
    job = Job("looking", goal="Look at everything", inputs=Items, budget=budgets)
    job.phase("look", each=look, over=lambda numbers: list(range(numbers)))
    return job


async def ends(job: Job, home: Path, run_id: str, at: datetime) -> Sequence[ErrorReport | None]:
    """Run the job at some moment; return how its steps ended."""
    async with a_run(job, home, Items(), run_id=run_id, now=lambda: at) as run:
        await run_phases(run)
        return [step.handoff.error for step in run.log.state.steps]


async def test_a_budget_of_a_day_is_used_up_by_several_runs_and_opens_again(tmp_path: Path) -> None:
    job = looking(Budget(calls=7, per="day"), Budget(calls=100, per="month"))

    first = await ends(job, tmp_path, "first", NOON)
    second = await ends(job, tmp_path, "second", NOON)
    third = await ends(job, tmp_path, "third", NOON + timedelta(days=1))

    assert first == third == [None] * 5
    refused = [error for error in second if error]
    assert len(refused) == 3  # 7 − 5 calls were left for the five of the second run
    assert {error.kind for error in refused} == {"BudgetExhausted"}
    assert {error.until for error in refused} == {datetime(2026, 11, 30, tzinfo=UTC)}
    assert refused[0].message == (
        "the budget of job 'looking' for 2026-11-29 (calls 7) is used up: 7 spent by 2 runs, 0 reserved for calls "
        "under way, the call asks for 1; it opens again at 2026-11-30 00:00 UTC"
    )


async def test_what_was_refused_is_done_when_the_run_is_resumed_on_the_next_day(tmp_path: Path) -> None:
    job = looking(Budget(calls=3, per="day"))

    today = await ends(job, tmp_path, "run", NOON)
    tomorrow = await ends(job, tmp_path, "run", NOON + timedelta(days=1))

    assert sum(error is not None for error in today) == 2
    assert [error for error in tomorrow[len(today) :] if error] == []


async def test_runs_from_before_the_job_had_the_budget_count(tmp_path: Path) -> None:
    """Those of today do; those of a day that is over do not."""
    now = datetime.now(UTC)
    await ends(looking(), tmp_path, "old", now - timedelta(days=2))
    await ends(looking(), tmp_path, "new", now)

    refused = await ends(looking(Budget(calls=7, per="day")), tmp_path, "third", now)

    assert sum(error is not None for error in refused) == 3


async def test_a_run_without_standing_budgets_is_not_counted_before_somebody_asks(tmp_path: Path) -> None:
    """The path of jobs that have none is free of it."""
    await ends(looking(), tmp_path, "run", NOON)
    async with SqlJournal.open(Settings(home=tmp_path)) as journal:
        before = await journal._database.read(_rows)
        day = StandingBudget(budget=Budget(calls=9, per="day"), window=window_of("day", NOON, UTC))
        [books] = await journal.standing_books("looking", [day])
        after = await journal._database.read(_rows)

    assert (before, after) == (0, 1)
    assert (books.spent.calls, books.runs) == (5, 1)


def _rows(connection) -> int:
    return connection.exec_driver_sql("SELECT count(*) FROM standing_spent").scalar()
