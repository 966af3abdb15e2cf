"""When a run will end is known while it is at work, from what is done, at work and left (V6)."""

import pytest

from benchmarks.foresight import AIM_FALSE, AIM_FORESEEN, SHAPES, shares, watch_all
from echelon.model.plan import Plan
from echelon.planning.learning.forecast import with_learnt
from echelon.planning.learning.learn import learn
from echelon.runlog import events as happened
from echelon.runlog.learning.foresight import foresee
from echelon.runlog.state import RunState, fold
from echelon.testing.run_events import key_of, run_started, step_record
from tests.unit.runlog.learning.building import Took, at, events_of, job, lesson, side_by_side

USUAL = {**side_by_side("p0", [10.0] * 4), **side_by_side("p1", [10.0] * 4, start=10.0)}


def begun(made: Plan, done: dict[str, Took], at_work: dict[str, float]) -> RunState:
    """Return a run in which some tasks are done, and others are at work since then."""
    started = [
        happened.StepStarted(
            run_id="r1",
            at=at(since),
            key=key_of(task),
            task_id=task,
            phase=task.partition("/")[0],
            node=task,
            step=step_record().kind,
        )
        for task, since in at_work.items()
    ]
    return fold([*events_of(made, done), *started])


def test_what_is_left_takes_what_it_usually_does() -> None:
    learnt = learn([lesson(job(4, 4), USUAL)])
    made = with_learnt(job(4, 4), learnt)

    found = foresee(begun(made, {}, dict.fromkeys(side_by_side("p0", [0] * 4), 0.0)), learnt, at(4))

    assert found is not None
    assert found.likely == pytest.approx(16.0, rel=0.05)
    assert found.low <= found.likely <= found.high
    assert (found.elapsed, found.forecast, found.is_late) == (4.0, pytest.approx(20.0), False)


def test_a_run_whose_tasks_take_longer_will_be_late() -> None:
    learnt = learn([lesson(job(4, 4), USUAL)])
    made = with_learnt(job(4, 4), learnt)

    found = foresee(begun(made, side_by_side("p0", [20.0] * 4), {}), learnt, at(20))

    assert found is not None
    assert found.is_late
    assert 12.0 < found.likely < 25.0  # what is left is expected to be slow as well, but not as surely
    assert found.over is not None
    assert found.over > 0.5
    assert "over the forecast of 20 s" in found.said


def test_a_task_at_work_far_longer_than_any_before_is_seen_before_it_ends() -> None:
    learnt = learn([lesson(job(4, 4), USUAL)])
    made = with_learnt(job(4, 4), learnt)
    done = {task: took for task, took in side_by_side("p0", [10.0] * 4).items() if task != "p0/3"}

    found = foresee(begun(made, done, {"p0/3": 0.0}), learnt, at(25))

    assert found is not None
    assert found.is_late


def test_without_a_history_what_is_stated_counts_and_where_nothing_is_known_nothing_is_foreseen() -> None:
    stated = job(4, seconds=10.0)

    found = foresee(begun(stated, {}, {"p0/0": 0.0}), None, at(5))

    assert found is not None
    assert found.likely == pytest.approx(10.0, rel=0.3)
    assert foresee(begun(job(4), {}, {"p0/0": 0.0}), None, at(5)) is None
    assert foresee(fold([run_started(plan=stated)]), None, at(5)) is None


def test_of_simulated_runs_late_ones_are_foreseen_at_half_time_and_few_others_are() -> None:
    """A part of what `benchmarks/foresight.py` measures, with the same aims."""
    seen = [one for name in SHAPES for one in watch_all(name, 25, 16)]

    foreseen, false = shares(seen)

    assert foreseen >= AIM_FORESEEN
    assert false <= AIM_FALSE
