"""The fold: the same whatever the log is cut into, for every kind of event, likely or not."""

from dataclasses import fields
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.model.run import RunStatus
from echelon.runlog.events import Event, RunEvent, RunStarted, read_event
from echelon.runlog.folding import APPLY
from echelon.runlog.state import RunState, fold
from echelon.testing.run_events import one_of_each, run_ended, run_reopened, run_started
from tests.unit.runlog.logs import by_kind, events, lives, logs, starts

#: Every kind of event there is.
KINDS: tuple[type[Event], ...] = get_args(get_args(RunEvent)[0])

#: A log is large to draw.
few = settings(max_examples=40, deadline=None)


def in_order(state: RunState) -> list[object]:
    """Return everything in a state, with the order of its mappings, which equality does not see."""
    values = [getattr(state, field.name) for field in fields(state)]
    return [list(value.items()) if isinstance(value, dict) else value for value in values]


def test_every_kind_of_event_has_its_function() -> None:
    assert set(KINDS) == set(APPLY)
    assert len(KINDS) == len(set(KINDS)) > 20


def test_every_kind_has_a_name_of_its_own_that_is_written_with_it() -> None:
    names = [kind.model_fields["kind"].default for kind in KINDS]

    assert len(set(names)) == len(names)
    assert [event.kind for event in one_of_each()] == [
        type(event).model_fields["kind"].default for event in one_of_each()
    ]


def test_there_is_a_strategy_and_a_sample_for_every_kind() -> None:
    assert {type(event) for event in one_of_each()} == set(KINDS)
    assert by_kind().keys() | {RunStarted} == set(KINDS)


@few
@given(st.one_of(logs(), lives()), st.data())
def test_a_log_folds_alike_wherever_it_is_cut(log: list[RunEvent], data: st.DataObject) -> None:
    whole = fold(log)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(log)), max_size=4)))
    state = RunState()
    for begin, end in zip([0, *cuts], [*cuts, len(log)], strict=True):
        state = state.apply(*log[begin:end])

    assert state == whole
    assert in_order(state) == in_order(whole)


@few
@given(logs())
def test_one_by_one_it_folds_alike_too(log: list[RunEvent]) -> None:
    state = RunState()
    for event in log:
        state = state.apply(event)

    assert in_order(state) == in_order(fold(log))


@few
@given(logs(), st.data())
def test_a_state_does_not_change_when_more_is_folded_into_it(log: list[RunEvent], data: st.DataObject) -> None:
    first = fold(log)
    before = in_order(first)
    first.apply(*data.draw(st.lists(events(), max_size=10)))

    assert in_order(first) == before


@few
@given(events() | starts())
def test_an_event_comes_back_from_json_as_it_was(event: RunEvent) -> None:
    assert read_event(event.model_dump_json()) == event


@few
@given(st.one_of(logs(), lives()))
def test_what_the_state_counts_is_in_the_log(log: list[RunEvent]) -> None:
    state, ended = fold(log), [event.record for event in log if event.kind == "step_ended"]

    assert state.events == len(log)
    assert state.last_at == max(event.at for event in log)
    assert list(state.steps) == ended
    assert set(state.latest.values()) <= set(ended) or not ended
    forgotten = {task for event in log if event.kind == "tasks_retried" for task in event.tasks}
    done = [step for step in ended if step.handoff.done]
    assert {step.key for step in done} >= set(state.finished_steps)
    assert {step.key for step in done if step.handoff.task_id not in forgotten} <= set(state.finished_steps)
    assert set(state.concerns) == {event.record.id for event in log if event.kind == "concern_raised"}


def test_nothing_folds_to_nothing() -> None:
    assert fold([]) == RunState() == RunState().apply()
    assert RunState().plan is None


def test_what_comes_before_the_beginning_of_a_run_is_no_record_of_it() -> None:
    state = fold([run_ended(), run_reopened()])

    assert state.record is None
    assert fold([run_started()], state).record == run_started().record


def test_the_end_of_a_completed_run_stays_when_it_is_looked_at_again() -> None:
    for before, stays in ((RunStatus.COMPLETED, True), (RunStatus.RUNNING, True), (RunStatus.PARTIAL, False)):
        record = fold([run_started(), run_ended(status=before), run_reopened(before=before)]).record

        assert record is not None
        assert (record.status, record.finished is not None) == (RunStatus.RUNNING, stays)
