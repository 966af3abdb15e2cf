"""The newest runs of a job are learnt from: usual ones count, of an agent that has changed its newest version (X10)."""

from typing import Any

import pytest

from echelon.model.learning.lesson import AgentLesson, MeasuredValues, PhaseLesson, RunLesson
from echelon.planning.learning.learn import MAX_RUNS, learn
from echelon.testing.noon import NOON


def agent(*seconds: float, code: str = "v1", failed: int = 0, attempts: int | None = None) -> AgentLesson:
    took = MeasuredValues.of(seconds)
    tried = len(seconds) + failed
    return AgentLesson(
        fingerprint=code, done=len(seconds), failed=failed, attempts=attempts or tried, seconds=took, wall=took
    )


def run(number: int, work: AgentLesson, makespan: float | None = None, **changes: Any) -> RunLesson:
    phase = PhaseLesson(tasks=work.done + work.failed, agents={"look": work}, **changes)
    made = {"run_id": f"r{number}", "at": NOON, "completed": work.done, "failed": work.failed}
    return RunLesson.model_validate({**made, "phases": {"p": phase}, "makespan_seconds": makespan, "kept": phase.kept})


def test_without_runs_nothing_is_learnt() -> None:
    assert learn([]) is None


def test_one_run_that_went_wrong_moves_nothing() -> None:
    runs = [run(number, agent(1.0, 3.0), makespan=3.0) for number in range(9)]

    found = learn([*runs, run(9, agent(100.0, 300.0), makespan=300.0)])

    assert found is not None
    look = found.phases["p"].agents["look"]
    assert look.seconds is not None
    assert found.makespan_seconds is not None
    assert (look.seconds.usual, look.seconds.quantiles[-1], found.makespan_seconds.usual) == (2.0, 3.0, 3.0)
    assert look.seconds.mean == pytest.approx(21.8)  # (9 × 2 + 200) / 10: what there was stays known


def test_only_the_newest_version_of_an_agent_counts() -> None:
    found = learn([run(0, agent(9.0, 9.0)), run(1, agent(9.0)), run(2, agent(1.0, code="v2"))])

    assert found is not None
    look = found.phases["p"].agents["look"]
    assert look.seconds is not None
    assert (look.fingerprint, look.seconds.count, look.seconds.usual) == ("v2", 1, 1.0)


def test_the_newest_runs_count_and_no_more_of_them_than_that() -> None:
    found = learn([run(number, agent(float(number))) for number in range(MAX_RUNS + 5)])

    assert found is not None
    assert (found.runs, found.newest, found.said) == (20, "r24", "learnt from 20 runs")
    look = found.phases["p"].agents["look"]
    assert look.seconds is not None
    assert look.seconds.count == 20


def test_a_run_that_kept_work_says_nothing_of_how_long_a_whole_one_takes() -> None:
    found = learn([run(0, agent(1.0), makespan=5.0), run(1, agent(1.0), makespan=0.1, kept=3)])

    assert found is not None
    assert found.makespan_seconds is not None
    assert found.makespan_seconds.count == 1
    assert found.makespan_seconds.usual == 5.0


def test_failures_and_attempts_are_shares_of_all_tasks_that_were_tried() -> None:
    found = learn([run(0, agent(1.0, 1.0, 1.0, failed=1, attempts=6)), run(1, agent(1.0, 1.0, 1.0, 1.0))])

    assert found is not None
    look = found.phases["p"].agents["look"]
    assert (look.failure_share, look.attempts) == (1 / 8, 10 / 8)
