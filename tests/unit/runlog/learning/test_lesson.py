"""What a run measured is kept in brief: own work only, without pauses, with what the engine added (X10)."""

import pytest

from echelon.model.learning.lesson import MeasuredValues
from echelon.model.status import Status
from echelon.runlog import events as happened
from echelon.runlog.learning.lesson import lesson_of
from echelon.runlog.state import fold
from echelon.testing.run_events import NOON, run_started
from tests.unit.runlog.learning.building import Took, at, events_of, job, lesson, ran, side_by_side


def test_each_agent_is_measured_by_phase() -> None:
    tasks = {"p0/0": Took(0, 2, tokens=100), "p0/1": Took(0, 4, tokens=300), "p1/0": Took(4, 7)}

    found = lesson(job(2, 1), tasks)

    first, second = found.phases["p0"].agents["a0"], found.phases["p1"].agents["a1"]
    assert first.seconds == MeasuredValues(count=2, mean=3.0, deviation=1.0, quantiles=(2.0, 4.0))
    assert first.tokens is not None
    assert (first.tokens.mean, first.done, first.fingerprint) == (200.0, 2, "v1")
    assert (second.seconds is not None, second.tokens) == (True, None)
    assert (found.makespan_seconds, found.tokens, found.completed) == (7.0, 400, 3)


def test_a_step_that_an_earlier_run_did_took_no_time_here() -> None:
    tasks = {"p0/0": Took(0, 2), "p0/1": Took(0, 9, kept="earlier")}

    found = lesson(job(2), tasks)

    agent = found.phases["p0"].agents["a0"]
    assert agent.seconds is not None
    assert (agent.seconds.count, agent.seconds.mean) == (1, 2.0)
    assert (found.phases["p0"].kept, found.phases["p0"].tasks) == (1, 2)


def test_what_failed_counts_in_the_wall_time_and_not_in_that_of_what_was_done() -> None:
    tasks = {"p0/0": Took(0, 2), "p0/1": Took(0, 8, Status.FAILED, attempts=3), "p0/2": Took(8, 8, Status.BLOCKED, 0)}

    agent = lesson(job(3), tasks).phases["p0"].agents["a0"]

    assert agent.seconds is not None
    assert agent.wall is not None
    assert (agent.done, agent.failed, agent.attempts) == (1, 1, 4)  # who was blocked did not work
    assert (agent.seconds.mean, agent.wall.mean) == (2.0, 5.0)


def test_what_a_phase_takes_beyond_its_tasks_is_parted_into_before_behind_and_each() -> None:
    # Two at a time: 2 + 2 s in two turns, with 0.1 s between them; then 1 s of integration; 0.5 s to the next phase.
    tasks = {
        "p0/0": Took(0, 2),
        "p0/1": Took(0, 2),
        "p0/2": Took(2.1, 4.1),
        "p0/3": Took(2.1, 4.1),
        "p1/0": Took(5.6, 6.6),
    }
    found = lesson(job(4, 1, at_once=2), tasks, {"p0/merge": Took(4.1, 5.1)})

    first, second = found.phases["p0"], found.phases["p1"]
    assert first.lead_seconds == 0.0
    assert first.tail_seconds == pytest.approx(1.0)
    assert first.task_overhead_seconds == pytest.approx(0.1 / 4)
    assert second.lead_seconds == pytest.approx(0.5)


def test_a_run_that_stood_still_says_nothing_of_what_phases_add_and_its_pause_is_left_out() -> None:
    made = job(2)
    first, second = {"p0/0": Took(0, 2)}, {"p0/1": Took(100, 103)}
    pause = happened.RunTaken(run_id="r1", at=at(100), token=2, host="h", pid=1, idle_since=at(2))
    events = [*events_of(made, first), pause, *events_of(made, second)[1:]]

    found = lesson_of(fold(events), NOON)

    assert found is not None
    assert found.resumed
    assert (found.makespan_seconds, found.phases["p0"].task_overhead_seconds) == (5.0, None)
    agent = found.phases["p0"].agents["a0"]
    assert agent.seconds is not None
    assert agent.seconds.mean == 2.5


def test_nothing_is_learnt_from_a_sample_or_a_run_without_a_plan() -> None:
    sample = happened.SampleAsked(run_id="r1", at=NOON, items=1, held={})

    assert lesson_of(ran(job(2), side_by_side("p0", [1.0, 1.0])).apply(sample), NOON) is None
    assert lesson_of(fold([run_started()]), NOON) is None


def test_many_values_are_kept_in_brief() -> None:
    found = MeasuredValues.of([float(one) for one in range(1001)])

    assert found is not None
    assert (found.count, len(found.quantiles), found.at(0.5), found.quantiles[-1]) == (1001, 21, 500.0, 1000.0)
    assert MeasuredValues.of([]) is None
