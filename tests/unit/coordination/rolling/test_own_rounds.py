"""What somebody who does a task again is shown of the rounds before, and who judges by rounds (X12, C6)."""

from pathlib import Path

import pytest

from echelon import Handoffs, Job, Repeat, Rounds, agent, command
from echelon.coordination.job_run import run_phases
from echelon.model.errors import InvalidJob
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import missing_in, output_of

pytestmark = pytest.mark.anyio


def names() -> list[str]:
    return ["a", "b"]


async def test_the_last_round_that_stands_in_a_brief_counts_as_given_by_value(tmp_path: Path) -> None:
    """Nothing is received from other phases, so that all that is given is one's own."""
    job = Job("echoing", goal="Say what was said")
    read = command(["cat"], stdin="{brief_text}")
    job.phase("say", each=read, over=names, repeat=Repeat(until=twice, rounds=3))
    async with a_run(job, tmp_path) as run:
        await run_phases(run)
        steps = view_so_far(run).steps
        said = output_of(run)
    second = [step.handoff for step in steps if step.round == 2 and step.handoff.task_id == "say/a"]

    assert "What you delivered in your last round, which did not pass" in said["say/a"]
    assert second[0].received.bytes_by_value > len("say it once more")
    assert second[0].received.bytes_by_reference == 0


def twice(rounds: Rounds[object]) -> str:
    return "" if len(rounds) == 2 else "say it once more"


async def test_a_check_that_asks_for_rounds_judges_each_task_by_itself(tmp_path: Path) -> None:
    @agent
    def count(name: str, rounds: Rounds[int]) -> int:
        """Count the rounds."""
        return len(rounds) + (name == "b")

    def enough(rounds: Rounds[int]) -> bool:
        return sum(rounds.outputs()) > 2

    job = Job("counting", goal="Count rounds")
    job.phase("count", each=count, over=names, repeat=Repeat(until=enough, rounds=5))
    async with a_run(job, tmp_path) as run:
        await run_phases(run)
        counted = output_of(run)

    assert (counted, missing_in(run)) == ({"count/a": 2, "count/b": 2}, ())


def of_all(count: Handoffs[int], rounds: Rounds[int]) -> bool:
    return len(rounds) > 1 or not count


def test_a_check_of_more_than_one_task_may_not_ask_for_rounds() -> None:
    @agent
    def count(name: str) -> int:
        """Count."""
        return len(name)

    job = Job("counting", goal="Count")
    with pytest.raises(
        InvalidJob, match="phase 'count': 'of_all' judges more than a single task, and its parameter 'rou"
    ):
        job.phase("count", each=count, over=names, repeat=Repeat(until=of_all))
    job.phase("count", each=count, over=names)
    job.phase("again", each=count, over=names, needs="count")
    with pytest.raises(InvalidJob, match="the loop over 'count', 'again': 'of_all' judges more than a single task"):
        job.loop(["count", "again"], until=of_all)
