"""What a sample leaves to be done is foreseen from what it measured; what is not known stays unknown (V6)."""

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest

from echelon.model.graph import CapacityLimit, TaskGraph, TaskSpec
from echelon.model.plan import Plan
from echelon.model.run import RunStatus
from echelon.model.status import Status
from echelon.model.usage import Usage
from echelon.model.views.rest import Rest
from echelon.planning.planner import plan
from echelon.planning.sample import held_back, sample_of
from echelon.planning.schedule.remaining import makespan_of
from echelon.runlog import events as happened
from echelon.runlog.events import RunEvent
from echelon.runlog.sampling import foresee, rest_of
from echelon.runlog.state import RunState, fold
from echelon.runlog.view import view_of
from echelon.testing.run_events import NOON, run_ended, run_reopened, run_started, step_record
from tests.unit.planning.building import needing

SAMPLE = 8


def job(tasks: Sequence[TaskSpec], *order: str, at_once: int | None = None) -> Plan:
    limits = [CapacityLimit(at_once=at_once)] if at_once else []
    return plan(
        TaskGraph(name="job", goal="look", tasks=tuple(tasks)), phase_order=order, limits=limits, agents_fixed=True
    )


def ended(task: TaskSpec, status: Status = Status.COMPLETED, tokens: int | None = None) -> RunEvent:
    """Return the end of a task that took the time it states."""
    made = step_record(task.id, status, phase=task.phase or "")
    usage = Usage(tokens_in=tokens, calls=1, seconds=task.seconds or 0.0)
    changes = {"started": NOON, "finished": NOON + timedelta(seconds=task.seconds or 0.0), "node": task.id}
    record = made.model_copy(update=changes | {"handoff": made.handoff.model_copy(update={"usage": usage})})
    return happened.StepEnded(run_id="r1", at=NOON, record=record)


def sampled(made: Plan, items: int = SAMPLE, *, failed: Sequence[str] = ()) -> RunState:
    """Return the state behind a sample in which each task took what it states."""
    held = held_back(made)
    chosen = sample_of(made, items, held).chosen
    tasks = {task.id: task for task in made.tasks}
    done = [tasks[task] for phase in chosen.values() for task in phase]
    return fold(
        [
            run_started(plan=made),
            happened.SampleAsked(run_id="r1", at=NOON, items=items, held=held),
            *(ended(one, Status.FAILED if one.id in failed else Status.COMPLETED, one.tokens) for one in done),
            run_ended(status=RunStatus.WAITING),
        ]
    )


def rest_in(state: RunState) -> Rest:
    rest = rest_of(state)
    assert rest is not None
    return rest


@pytest.mark.parametrize(
    ("sample", "number", "expected", "half"),
    [
        ([2.0, 2.0, 2.0], 10, 20.0, 0.0),  # no spread, no doubt
        ([1.0, 3.0], 1, 2.0, 12.71 * (2 * (1 + 1 / 2)) ** 0.5),  # variance 2, two values
        ([1.0, 2.0, 3.0], 4, 8.0, 4.303 * (1 * (4 + 16 / 3)) ** 0.5),  # variance 1
    ],
)
def test_a_sum_is_foreseen_with_what_the_spread_says(
    sample: list[float], number: int, expected: float, half: float
) -> None:
    found = foresee(sample, number)

    assert found is not None
    assert found.expected == expected
    assert (found.low, found.high) == (pytest.approx(max(0.0, expected - half)), pytest.approx(expected + half))


def test_one_value_has_no_spread_and_none_no_forecast() -> None:
    alone = foresee([3.0], 2)

    assert foresee([], 5) is None
    assert alone is not None
    assert (alone.expected, alone.low, alone.high) == (6.0, None, None)


def test_nineteen_of_twenty_sums_lie_in_the_range() -> None:
    chance, inside = random.Random(1), 0
    for _ in range(400):
        found = foresee([chance.gauss(10, 2) for _ in range(6)], 50)
        assert found is not None
        inside += (found.low or 0) <= sum(chance.gauss(10, 2) for _ in range(50)) <= (found.high or 0)

    assert 0.92 <= inside / 400 <= 0.98


def varied(number: int, seed: int) -> list[TaskSpec]:
    """Return a phase of tasks that differ by a quarter from their mean, and one that joins them."""
    chance = random.Random(seed)
    looks = [
        TaskSpec(
            id=f"look{n}",
            goal="look",
            phase="look",
            domain=f"d{n % 4}",
            seconds=chance.uniform(7.5, 12.5),
            tokens=chance.randint(750, 1_250),
        )
        for n in range(number)
    ]
    return [*looks, TaskSpec(id="join", goal="join", phase="join", needs=("look",), seconds=20, tokens=5_000)]


@pytest.mark.parametrize("seed", range(5))
def test_the_forecast_of_the_rest_is_within_15_percent_of_what_it_takes(seed: int) -> None:
    made = job(varied(80, seed), "look", "join", at_once=6)
    rest = rest_in(sampled(made))
    tasks = {task.id: task for task in made.tasks}
    chosen = sample_of(made, SAMPLE, {}).chosen["look"]
    left = [task for name, task in tasks.items() if name not in chosen]  # the join is done again
    takes = makespan_of(made, {task.id: task.seconds or 0.0 for task in left})

    assert (rest.left, rest.again) == (72, 1)
    assert takes is not None
    assert rest.seconds == pytest.approx(takes, rel=0.15)
    assert rest.tokens is not None
    assert rest.tokens.expected == pytest.approx(sum(task.tokens or 0 for task in left), rel=0.15)
    assert rest.work_seconds is not None
    assert rest.work_seconds.expected == pytest.approx(sum(task.seconds or 0.0 for task in left), rel=0.15)


def test_what_is_done_again_since_it_lacked_something_counts() -> None:
    rest = rest_in(sampled(job(needing(20, 3), "make", "use"), 5))

    assert [(one.phase, one.left, one.again) for one in rest.phases] == [("make", 15, 0), ("use", 0, 3)]
    assert rest.work_seconds is not None
    assert rest.work_seconds.expected == 15 * 2 + 3 * 3
    assert rest.seconds == pytest.approx(5, abs=0.2)


def test_what_failed_is_counted_apart_and_left() -> None:
    made = job(needing(20, 1), "make", "use")
    chosen = sample_of(made, 5, {}).chosen["make"]
    rest = rest_in(sampled(made, 5, failed=chosen[:2]))
    phase = rest.phases[0]

    assert (phase.left, phase.completed, phase.failed, phase.failed_share) == (17, 3, 2, 0.4)
    assert "40 % of the sample of phase 'make' failed; the forecast is of tasks that complete" in rest.notes


def test_a_small_sample_is_said_to_be_small_and_tokens_that_nobody_reported_stay_unknown() -> None:
    rest = rest_in(sampled(job(needing(40, 1), "make", "use"), 5))
    large = rest_in(sampled(job(needing(40, 12), "make", "use"), 12))

    assert rest.notes == ("a small sample: 1 task completed of phase 'make', 'use', so take it as a guess",)
    assert (rest.tokens, rest.cost, rest.phases[0].tokens_each) == (None, None, None)
    assert large.notes == ()


def test_what_is_held_back_is_no_part_of_the_forecast_where_nothing_is_known_of_it() -> None:
    tasks = [
        *(TaskSpec(id=f"m{n}", goal="make", phase="make", seconds=1) for n in range(9)),
        TaskSpec(id="send", goal="send", phase="send", needs=("make",), irreversible=True),
    ]
    rest = rest_in(sampled(job(tasks, "make", "send"), 3))

    assert [one.said for one in rest.left_out] == [
        "phase 'make', 6 tasks not begun: only a sample of 3 was asked for",
        "phase 'send', 1 task not begun: what it does cannot be undone, and is never done in a sample",
    ]
    assert "how long phase 'send' takes is not known, and no part of the forecast" in rest.notes


def test_what_is_left_out_is_neither_launched_nor_missing() -> None:
    view = view_of(sampled(job(needing(20, 1), "make", "use"), 5), lambda _: None)

    assert (view.launched, view.returned, view.missing) == (6, 6, ())
    assert view.waiting is not None
    assert (view.waiting.for_, view.waiting.until) == ("the rest of a sample", None)


def test_a_run_that_is_set_to_work_again_is_no_sample_unless_that_is_asked_for_again() -> None:
    state = sampled(job(needing(20, 1), "make", "use"), 5)
    again = happened.SampleAsked(run_id="r1", at=NOON, items=7)

    assert rest_of(fold([run_reopened()], state)) is None
    assert view_of(fold([run_reopened()], state), lambda _: None).launched == 21
    assert rest_in(fold([run_reopened(), again], state)).left == 15


def test_a_sample_in_which_nothing_is_left_out_leaves_nothing() -> None:
    assert rest_of(sampled(job(needing(3, 2), "make", "use"), 5)) is None
