"""A budget that is passed is never silent: in the exceptions, as a concern, in the result and in the exit code (F4)."""

import asyncio
from pathlib import Path

import pytest
from pydantic import BaseModel

from echelon import Budget, Job, Outcome, Resilience, agent
from echelon.engine.run import RunOptions, run_job
from echelon.model.exception_report import Level, Trigger
from echelon.model.policy import DEFAULT_RESILIENCE
from echelon.model.run import RunResult, RunStatus, exit_code_of
from echelon.model.usage import Usage


class Items(BaseModel):
    items: int


@agent
async def spend(item: int) -> Outcome[int]:
    """Use more than anybody expects."""
    await asyncio.sleep(0.01)
    return Outcome(output=item, usage=Usage(tokens_in=200, tokens_out=100, cost=1.0, calls=1))


def spending(**options: object) -> Job:
    job = Job("spending", goal="Spend", inputs=Items, **options)  # type: ignore[arg-type]
    job.phase("spend", each=spend, over=lambda items: list(range(items)))
    return job


def ran(job: Job, items: int = 50, run_id: str | None = None) -> RunResult:
    return asyncio.run(run_job(job, Items(items=items), RunOptions(run_id=run_id)))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ECHELON_PICTURE", "false")
    return tmp_path


def over(result: RunResult) -> list[str]:
    return [report.message for report in result.exceptions if report.trigger is Trigger.OVERRUN]


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (spending(budget=Budget(tokens=1_000)), ["job 'spending' used 15,000 tokens, its budget is 1,000"]),
        (spending(budget=Budget(cost=5.0)), ["job 'spending' cost 50.00, its budget is 5.00"]),
        (
            spending(defaults=Resilience(budget=Budget(tokens=299)).over(DEFAULT_RESILIENCE)),
            [f"task 'spend/{n}' used 300 tokens, its budget is 299" for n in range(50)],
        ),
    ],
    ids=["tokens", "money", "of a task"],
)
def test_fifty_agents_at_once_pass_a_budget_in_the_open(job: Job, said: list[str]) -> None:
    """None of them says what it will use, so that all of them are let begin."""
    result = ran(job)

    assert result.status is RunStatus.COMPLETED
    assert over(result) == said
    assert {report.level for report in result.exceptions if report.trigger is Trigger.OVERRUN} == {Level.CRITICAL}
    assert [concern.concern.about for concern in result.concerns] == ["budget"]
    assert said[0] in result.concerns[0].concern.message
    assert exit_code_of(result.status, result.exceptions) == 3


def test_a_budget_that_is_kept_is_not_mentioned() -> None:
    result = ran(spending(budget=Budget(tokens=15_000, cost=50.0, calls=50)))

    assert (over(result), result.concerns, exit_code_of(result.status, result.exceptions)) == ([], (), 0)


def test_a_resumed_run_says_it_once() -> None:
    job = spending(budget=Budget(tokens=1_000))
    first = ran(job, run_id="r")

    again = ran(job, run_id="r")

    assert over(again) == over(first)
    assert len(again.concerns) == 1
