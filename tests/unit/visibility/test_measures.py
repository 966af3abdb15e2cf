"""What a run measured, and what it cannot know (M)."""

from datetime import UTC, datetime, timedelta

import pytest

from echelon.model.concern import Concern, Route
from echelon.model.handoff import ErrorReport, Handoff, OutputReference
from echelon.model.run import StepKind, StepRecord
from echelon.model.status import Status
from echelon.model.usage import Usage
from echelon.runlog.costs.measures import measure
from echelon.testing.run_events import concern_raised

AT = datetime(2026, 1, 1, tzinfo=UTC)
TASK, INTEGRATION = StepKind.TASK, StepKind.INTEGRATION
LOUD = Concern(about="x", message="odd", confidence=0.9, impact=0.9)
QUIET = Concern(about="x", message="odd", confidence=0.1, impact=0.1)


def step(
    task: str,
    kind: StepKind = TASK,
    *,
    seconds: float = 1.0,
    tokens: int | None = None,
    failed: bool = False,
    attempts: int = 1,
    concerns: tuple[Concern, ...] = (),
) -> StepRecord:
    output = OutputReference(location="l", sha256="s", size_bytes=10, contract="c")
    handoff = Handoff(
        task_id=task,
        status=Status.FAILED if failed else Status.COMPLETED,
        summary="",
        producer=task,
        assignment_id=task,
        usage=Usage(tokens_in=tokens, calls=attempts, seconds=seconds),
        attempts=attempts,
        concerns=concerns,
        error=ErrorReport(kind="E", message="m", can_pass=False) if failed else None,
        output_location=None if failed else output,
    )
    return StepRecord(
        run_id="r",
        key=task,
        phase="p",
        node=task,
        kind=kind,
        started=AT,
        finished=AT + timedelta(seconds=seconds),
        handoff=handoff,
    )


def test_a_run_without_steps_knows_nothing_and_claims_no_zero() -> None:
    measures = measure((), 1.0)

    assert (measures.agents, measures.completed, measures.failed) == (0, 0, 0)
    unknown = ("coordination_ratio", "first_try_rate", "escalation_rate", "integration_share", "tokens")
    assert [getattr(measures, name) for name in unknown] == [None] * len(unknown)


@pytest.mark.parametrize(
    ("work_tokens", "integration_tokens", "ratio"),
    [
        (300, 100, 0.25),  # 100 / 400 tokens
        (300, None, 0.2),  # integration tells no tokens: 1 s of 5 s
        (None, None, 0.2),
        (None, 100, 0.2),
    ],
)
def test_coordination_is_counted_in_tokens_where_both_sides_tell_them_else_in_seconds(
    work_tokens: int | None, integration_tokens: int | None, ratio: float
) -> None:
    steps = [step("a", seconds=4, tokens=work_tokens), step("m", INTEGRATION, tokens=integration_tokens)]

    assert measure(steps, 5).coordination_ratio == pytest.approx(ratio)


def test_time_is_shared_between_work_and_integration() -> None:
    measures = measure([step("a", seconds=3), step("b", seconds=5), step("m", INTEGRATION, seconds=2)], 4)

    assert (measures.task_seconds, measures.integration_seconds) == (8, 2)
    # All begin at the same moment, the longest takes 5 s: 10 s of work in 5.
    assert (measures.integration_share, measures.makespan_seconds, measures.speedup) == (0.2, 5, 2.0)
    assert measures.bytes_by_reference == 30


def test_first_tries_and_escalations_are_shares_of_the_tasks() -> None:
    steps = [
        step("a"),
        step("b", attempts=3),
        step("c", failed=True),
        step("d", concerns=(LOUD, LOUD)),
        step("m", INTEGRATION, concerns=(LOUD,)),
    ]
    steps[0] = step("a", concerns=(QUIET,))
    measures = measure(steps, 1)

    assert (measures.completed, measures.failed) == (3, 1)
    assert measures.first_try_rate == 0.5  # a and d of four
    assert measures.escalation_rate == 0.25  # d alone


def test_a_task_that_was_done_again_counts_once_with_its_last_attempt() -> None:
    measures = measure([step("a", failed=True), step("b"), step("a")], 1)

    assert (measures.agents, measures.completed, measures.failed) == (2, 2, 0)


def test_looking_for_what_there_is_to_do_is_coordination_and_no_integration() -> None:
    found = measure([step("a"), step("search", kind=StepKind.PLANNING)], seconds=10)

    assert found.agents == 1
    assert found.integration_seconds == 0
    assert found.coordination_ratio == 0.5


def test_what_was_raised_in_a_round_counts_for_its_task_whatever_record_counts_in_the_end() -> None:
    raised = concern_raised("c-1", step="key of a round", task_id="a", route=Route.HUMAN_REVIEW).record

    assert measure([step("a"), step("b")], 5, concerns=[raised]).escalation_rate == 0.5
