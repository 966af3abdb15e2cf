"""At a sync point tasks that are unlike the others are found, and nothing is made of what varies anyhow (V1)."""

import random

import pytest

from echelon.model.exception_report import ExceptionReport, Trigger
from echelon.model.run import StepRecord
from echelon.model.status import Status
from echelon.model.usage import Usage
from echelon.oversight.exceptions.outliers import LEAST, fails_more_often, far_above, outliers_of
from echelon.oversight.exceptions.saying import warning
from echelon.testing.run_events import step_record
from tests.unit.oversight.exceptions.runs import at, in_domains, plan_of

NAMES = [f"t{number}" for number in range(40)]


def took(task: str, seconds: float, *, tokens: int | None = None, failed: bool = False) -> StepRecord:
    made = step_record(task, Status.FAILED if failed else Status.COMPLETED)
    handoff = made.handoff.model_copy(update={"usage": Usage(tokens_in=tokens)})
    return made.model_copy(update={"finished": at(seconds), "handoff": handoff, "node": f"agent-{task}"})


def found(steps: list[StepRecord], *known: ExceptionReport) -> list[str]:
    plan = in_domains(plan_of(NAMES), 4)
    return [one.message for one in outliers_of(plan, "inspect", steps, known, at(99))]


def test_a_group_of_tasks_that_took_far_longer_is_one_exception() -> None:
    steps = [took(name, 60.0 + n if n < 3 else 2.0 + n / 100) for n, name in enumerate(NAMES)]
    (line,) = found(steps)

    assert line == (
        "3 tasks of phase 'inspect' took far longer than others of their kind: 1 min 2 s at most, 2.2 s in the middle "
        "of 40; t2, t1, t0"
    )


def test_tokens_are_compared_too_and_what_is_known_is_not_said_again() -> None:
    steps = [took(name, 1.0, tokens=90_000 if n == 7 else 1_000 + n) for n, name in enumerate(NAMES)]
    plan = in_domains(plan_of(NAMES), 4)
    (report,) = outliers_of(plan, "inspect", steps, (), at(99))

    assert report.message.startswith("1 task of phase 'inspect' used far more tokens than others of their kind: 90,000")
    assert (report.tasks, report.path[-1]) == (("t7",), "agent-t7")
    assert found(steps, report) == []


def test_tasks_that_are_known_to_be_late_are_not_told_of_again() -> None:
    steps = [took(name, 60.0 if n < 2 else 2.0) for n, name in enumerate(NAMES)]
    late = warning(plan_of(NAMES), Trigger.LATE, "late", at(5), tasks=NAMES[:2])

    assert found(steps, late) == []


def test_a_domain_that_fails_far_more_often_is_named() -> None:
    """Of ten tasks in a domain five fail, and one of thirty elsewhere."""
    failing = {*NAMES[0:20:4], "t1"}
    lines = found([took(name, 1.0, failed=name in failing) for name in NAMES])

    assert lines == [
        "domain domain:0 fails far more often than others of phase 'inspect': 5 of 10 tasks, 1 of 30 elsewhere"
    ]


@pytest.mark.parametrize("seed", range(20))
def test_what_varies_as_work_does_is_no_outlier(seed: int) -> None:
    """Durations of work are spread like a lognormal distribution: a long tail is usual."""
    rng = random.Random(seed)
    times = [rng.lognormvariate(1.0, 0.5) for _ in range(200)]

    assert far_above(times) is None


@pytest.mark.parametrize(
    ("numbers", "places"),
    [
        ([1.0] * (LEAST - 2) + [9.0], None),  # too few
        ([1.0] * LEAST + [1.9], None),  # not twice as much
        ([1.0] * LEAST + [2.1, 9.0], (LEAST + 1, LEAST)),
        ([0.0] + [1.0] * LEAST + [9.0], None),  # what took no time has no logarithm
    ],
)
def test_far_is_more_than_twice_the_usual_of_at_least_twenty(numbers: list[float], places: object) -> None:
    far = far_above(numbers)

    assert (far and far.places) == places


@pytest.mark.parametrize(
    ("failed", "tried", "others_failed", "others", "more"),
    [
        (5, 10, 1, 30, True),
        (2, 10, 0, 100, False),  # two may be an accident
        (5, 10, 15, 30, False),  # everybody fails
        (3, 4, 0, 100, False),  # of so few nothing is known
        (3, 5, 0, 19, False),
    ],
)
def test_a_share_of_failures_is_compared_with_that_of_all_others(
    failed: int, tried: int, others_failed: int, others: int, more: bool
) -> None:
    assert fails_more_often(failed, tried, others_failed, others) is more
