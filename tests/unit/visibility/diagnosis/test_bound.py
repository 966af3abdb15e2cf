"""What bound a run is found by walking back from its last step: what it waited for, and what that waited for (G)."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.diagnosis.bound import BoundBy
from echelon.model.handoff import ErrorReport, UsedDependency
from echelon.model.plan import PhasePlan, SyncPoint
from echelon.model.run import StepKind, StepRecord
from echelon.runlog import events as happened
from echelon.runlog.events import RunEvent
from echelon.runlog.state import RunState, fold
from echelon.testing.run_events import NOON, gate, gate_answer, run_started, small_plan, step_record
from echelon.visibility.diagnosis.bound import bound_of

TOO_LATE = ErrorReport(kind="AgentTimeout", message="too late", can_pass=True)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def step(
    task: str,
    began: float,
    ended: float,
    *,
    phase: str = "inspect",
    kind: StepKind = StepKind.TASK,
    uses: tuple[str, ...] = (),
) -> StepRecord:
    record = step_record(task, phase=phase, kind=kind)
    used = tuple(UsedDependency(task_id=one, version="v") for one in uses)
    handoff = record.handoff.model_copy(update={"dependencies": used})
    return record.model_copy(update={"key": task, "started": at(began), "finished": at(ended), "handoff": handoff})


def ended(*records: StepRecord) -> list[RunEvent]:
    return [happened.StepEnded(run_id="r1", at=one.finished, record=one) for one in records]


def waited(task: str, until: float, seconds: float, limiter: str = "slots") -> RunEvent:
    return happened.Waited(
        run_id="r1", at=at(until), key=task, task_id=task, limiter=limiter, seconds=seconds, queue_length=1
    )


def state_of(*told: RunEvent, needs: dict[str, tuple[str, ...]] | None = None) -> RunState:
    phases = tuple(
        PhasePlan(name=name, tasks=(), sync=SyncPoint(owner="primary"), needs=behind)
        for name, behind in (needs or {"inspect": ()}).items()
    )
    plan = small_plan().model_copy(update={"phases": phases})
    return fold([run_started(plan=plan), *told])


def chain(state: RunState) -> list[tuple[str, str, float]]:
    return [(link.bound.value, link.name, round(link.seconds, 3)) for link in bound_of(state).links]


def test_a_run_in_which_nothing_was_done_is_bound_by_nothing() -> None:
    found = bound_of(RunState())
    assert (found.links, found.said, found.total_seconds) == ((), "", 0.0)


def test_the_slowest_agent_bounds_what_is_integrated_behind_it_and_the_others_do_not() -> None:
    state = state_of(
        *ended(step("a", 0, 1), step("b", 0, 8), step("inspect/merge/primary", 8, 10, kind=StepKind.INTEGRATION))
    )
    assert chain(state) == [("work", "b", 8.0), ("coordinator", "inspect/merge/primary", 2.0)]
    assert bound_of(state).said == "the work itself: 80 % of 10 s, most of it for b (8.0 s)"


def test_a_limit_bounds_agents_that_waited_for_a_slot() -> None:
    # One at a time: b came at 0 with a, c too, and both waited.
    state = state_of(
        *ended(step("a", 0, 1), step("b", 1, 2)), waited("b", 1, 1), waited("c", 2, 2), *ended(step("c", 2, 3))
    )
    assert chain(state) == [("limit", "slots", 2.0), ("work", "c", 1.0)]


def test_what_was_attempted_in_vain_is_told_apart_from_the_work() -> None:
    failed = happened.AttemptFailed(run_id="r1", at=at(5), key="a", task_id="a", attempt=1, error=TOO_LATE, seconds=4.0)
    state = state_of(failed, *ended(step("a", 0, 7)))
    assert chain(state) == [("retries", "a", 5.0), ("work", "a", 2.0)]


def test_an_answer_that_came_late_bounds_what_waited_for_it() -> None:
    asked = gate("g1").model_copy(update={"at": at(1)})
    asked = asked.model_copy(update={"action": asked.action.model_copy(update={"task_id": "publish"})})
    raised = happened.GateRaised(run_id="r1", at=at(1), record=asked)
    answered = happened.GateAnswered(
        run_id="r1", at=at(9), gate_id=asked.id, answer=gate_answer().model_copy(update={"at": at(9)})
    )
    state = state_of(*ended(step("a", 0, 1)), raised, answered, *ended(step("publish", 9, 10)))
    assert chain(state) == [("work", "a", 1.0), ("person", "publish", 8.0), ("work", "publish", 1.0)]


def test_a_phase_is_bound_by_the_one_it_needs_and_not_by_one_beside_it() -> None:
    state = state_of(
        *ended(step("a", 0, 4, phase="one"), step("b", 0, 4.9, phase="two"), step("c", 5, 6, phase="three")),
        needs={"one": (), "two": (), "three": ("one",)},
    )
    assert chain(state) == [("work", "a", 4.0), ("engine", "c", 1.0), ("work", "c", 1.0)]


def test_what_was_used_counts_before_what_only_ended_last() -> None:
    state = state_of(*ended(step("a", 0, 3), step("b", 0, 3.5), step("c", 4, 5, uses=("a",))))
    assert [name for _, name, _ in chain(state)] == ["a", "c", "c"]


def test_times_in_which_nobody_worked_on_the_run_are_left_out() -> None:
    state = state_of(*ended(step("a", 0, 1), step("b", 11, 12)))
    paused = RunState(**{**vars(state), "pauses": ((at(2), at(10)),)})
    assert bound_of(paused).seconds == {BoundBy.WORK: 2.0, BoundBy.ENGINE: 2.0}


@pytest.mark.parametrize("name", ["a\x1b[31m", "a\nb", "x" * 500])
def test_a_hostile_name_stays_one_short_line(name: str) -> None:
    said = bound_of(state_of(*ended(step(name, 0, 1)))).said
    assert "\n" not in said
    assert len(said) < 200


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.integers(0, 50), st.integers(0, 50), st.sampled_from(("", *"abcd"))),
        max_size=12,
    )
)
def test_the_chain_ends_whatever_the_log_says_and_is_as_long_as_the_run(
    several: list[tuple[str, int, int, str]],
) -> None:
    records = [
        step(task, min(began, end), max(began, end), uses=(used,) if used else ()) for task, began, end, used in several
    ]
    found = bound_of(state_of(*ended(*records)))
    if not records:
        assert found.links == ()
        return
    span = max(one.finished for one in records) - min(one.started for one in records)
    assert found.total_seconds <= span.total_seconds() + 1e-6
    assert all(link.seconds > 0 for link in found.links)
