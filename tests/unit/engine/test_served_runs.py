"""What is said about the runs of a served deployment: a table."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from echelon.engine.served_runs import SILENCE, RunNews, RunStage, ServedRun
from echelon.model.run import RunRecord, RunStatus

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
LIMIT = "Deployment concurrency limit reached."


def a_record(status: RunStatus) -> RunRecord:
    finished = None if status is RunStatus.RUNNING else NOON + timedelta(seconds=3)
    return RunRecord(run_id="r", job="j", source="", inputs={}, status=status, started=NOON, finished=finished)


def a_run(status: RunStatus | None = None, **known: object) -> ServedRun:
    record = a_record(status) if status else None
    run = ServedRun(flow_run_id="f", name="n", due=NOON, state="", is_final=False, since=NOON, record=record)
    return replace(run, **known)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("run", "stage"),
    [
        (a_run(), None),
        (a_run(is_final=True, message="Flow run could not start"), RunStage.NOT_BEGUN),
        (a_run(is_final=True, message=LIMIT), RunStage.LEFT_OUT),
        (a_run(RunStatus.RUNNING), RunStage.BEGUN),
        (a_run(RunStatus.RUNNING, is_final=True), RunStage.BEGUN),
        (a_run(RunStatus.COMPLETED), RunStage.ENDED),  # before Prefect knows
        (a_run(RunStatus.INTERRUPTED, is_final=True), RunStage.ENDED),
        (a_run(RunStatus.WAITING, suspended=True), RunStage.ENDED),
        (a_run(RunStatus.WAITING, suspended=True, resumes=True), RunStage.ENDED),
        (a_run(RunStatus.WAITING, resumes=True), None),  # its process is about to begin
        (a_run(RunStatus.RUNNING, resumes=True), RunStage.BEGUN),
    ],
)
def test_the_journal_says_how_far_a_run_has_come_and_prefect_what_never_began(run, stage):
    assert run.stage is stage


@pytest.mark.parametrize(
    ("run", "after", "stale"),
    [
        (a_run(), SILENCE, False),
        (a_run(), SILENCE * 2, True),
        (a_run(RunStatus.COMPLETED), SILENCE * 2, True),
        (a_run(RunStatus.RUNNING, held=True), SILENCE * 2, False),
        (a_run(RunStatus.WAITING, suspended=True), SILENCE * 2, False),
        (a_run(is_final=True), SILENCE * 2, False),
    ],
)
def test_what_no_process_can_end_any_more_is_stale(run, after, stale):
    assert run.is_stale(NOON + after) is stale


@pytest.mark.parametrize(
    ("run", "needs"),
    [
        (a_run(RunStatus.WAITING, suspended=True), True),
        (a_run(RunStatus.COMPLETED, suspended=True), True),
        (a_run(RunStatus.WAITING, was_cut_short=True), True),
        (a_run(RunStatus.COMPLETED, was_cut_short=True), False),
        (a_run(RunStatus.WAITING), False),
        (a_run(suspended=True), False),
    ],
)
def test_what_nobody_is_at_work_in_needs_care(run, needs):
    assert run.needs_care is needs


@pytest.mark.parametrize(
    ("run", "died"),
    [
        (a_run(RunStatus.RUNNING), True),
        (a_run(RunStatus.RUNNING, held=True), False),
        (a_run(RunStatus.COMPLETED), False),
        (a_run(), False),
    ],
)
def test_a_run_at_work_that_nobody_holds_has_died(run, died):
    assert run.died is died


def left_out(number: int) -> ServedRun:
    return a_run(flow_run_id=str(number), is_final=True, message=LIMIT)


def test_each_step_of_a_run_is_news_once():
    begun, ended = a_run(RunStatus.RUNNING), a_run(RunStatus.COMPLETED)
    news = RunNews(())

    assert [news.of([run]) for run in (a_run(), begun, begun, ended, ended)] == [[], [begun], [], [ended], []]


def test_what_ended_before_is_no_news_and_what_was_at_work_then_is():
    old, at_work = a_run(RunStatus.COMPLETED, is_final=True), a_run(RunStatus.RUNNING, flow_run_id="g")

    assert RunNews([old, at_work]).of([old, at_work]) == [at_work]


def test_a_resumed_run_that_ends_again_is_news_again():
    ended = a_run(RunStatus.INTERRUPTED, is_final=True)
    again = replace(ended, record=a_record(RunStatus.COMPLETED).model_copy(update={"finished": NOON + timedelta(1)}))

    assert RunNews([ended]).of([again]) == [again]


def test_runs_left_out_are_said_once_for_each_run_at_work():
    news = RunNews(())
    ended = a_run(RunStatus.COMPLETED)

    assert news.of([left_out(1), left_out(2)]) == [left_out(1)]
    assert news.of([left_out(3)]) == []
    assert news.of([ended, left_out(4)]) == [ended, left_out(4)]
