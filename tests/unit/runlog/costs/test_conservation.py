"""M1: nothing is lost and nothing counted twice, whatever a log says: work + coordination + unknown = total."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.model.costs.account import Cost, CostKind, CostRow, CostSide
from echelon.model.handoff import ErrorReport, Passed
from echelon.model.redundancy.replicas import UsedReplicas
from echelon.model.run import StepKind, StepRecord
from echelon.model.session import seconds_without
from echelon.model.status import Status
from echelon.model.usage import Usage
from echelon.runlog import events as happened
from echelon.runlog.costs.account import account_of
from echelon.runlog.costs.attempts import StepCost, divided
from echelon.runlog.costs.entries import RUN
from echelon.runlog.events import RunEvent
from echelon.runlog.state import RunState, fold
from echelon.testing.run_events import gate, gate_answer, run_record
from tests.unit.runlog.costs.three_levels import TASKS, at, base, ended, plan, step

few = settings(max_examples=60, deadline=None)

tasks = st.sampled_from(sorted(TASKS))
kinds = st.sampled_from(StepKind)
moments = st.integers(0, 100)
amounts = st.none() | st.integers(0, 5_000)
costs = st.none() | st.floats(0, 10, allow_nan=False)
usages = st.builds(
    Usage, tokens_in=amounts, tokens_out=amounts, calls=st.integers(0, 2), seconds=st.floats(0, 50), cost=costs
)
replicas = st.none() | st.sampled_from(((1,), (2,), ())).map(
    lambda counted: UsedReplicas(replicas=2, agree=1, counted=counted)
)
ERROR = ErrorReport(kind="NotAccepted", message="no", can_pass=True)
LOST: dict[str, Any] = {"status": Status.FAILED, "output_location": None, "error": ERROR}


@st.composite
def records(draw: st.DrawFn) -> StepRecord:
    """Draw a step of any kind that ended somehow, and took anything or nothing."""
    task, began = draw(tasks), draw(moments)
    changes: dict[str, Any] = {
        "usage": draw(usages),
        "received": Passed(bytes_by_value=draw(st.integers(0, 9_000))),
        "replicas": draw(replicas),
        **(LOST if draw(st.booleans()) else {}),
    }
    used = draw(st.lists(tasks, max_size=2))
    record = step(task, TASKS[task], began, began + draw(st.integers(0, 30)), *used, kind=draw(kinds), **changes)
    round_, replica = draw(st.integers(1, 2)), draw(st.integers(0, 2))
    return record.model_copy(update={"round": round_, "replica": replica, "interim": draw(st.booleans())})


def _opened(task: str, began: int, lasted: int) -> list[RunEvent]:
    raised = gate(f"g-{task}-{began}", task=task, key=task, node=TASKS[task], at=at(began))
    closing = gate_answer(at=at(began + lasted))
    return [
        happened.GateRaised(**base(began), record=raised),
        happened.GateAnswered(**base(began + lasted), gate_id=raised.id, answer=closing),
    ]


units: st.SearchStrategy[list[RunEvent]] = st.one_of(
    records().map(lambda record: [ended(record)]),
    st.builds(
        lambda task, when, seconds: [
            happened.Waited(**base(when, task), limiter="slots", seconds=seconds, queue_length=0)
        ],
        tasks,
        moments,
        st.floats(0, 20),
    ),
    st.builds(
        lambda task, when, seconds, usage: [
            happened.AttemptFailed(**base(when, task), attempt=1, error=ERROR, seconds=seconds, usage=usage)
        ],
        tasks,
        moments,
        st.floats(0, 20),
        st.none() | usages,
    ),
    st.builds(
        lambda task, when: [
            happened.StepStarted(**base(when, task), phase="look", node=TASKS[task], step=StepKind.TASK)
        ],
        tasks,
        moments,
    ),
    st.builds(
        lambda when, idle: [
            happened.RunTaken(**base(when), token=1, host="h", pid=1, idle_since=None if idle is None else at(idle))
        ],
        moments,
        st.none() | moments,
    ),
    st.builds(lambda when: [happened.PhaseStarted(**base(when), phase="look", expected=2)], moments),
    st.builds(lambda when: [happened.PhaseEnded(**base(when), phase="look")], moments),
    st.builds(_opened, tasks, moments, st.integers(0, 20)),
)


@st.composite
def logs(draw: st.DrawFn) -> list[RunEvent]:
    """Draw a log with anything in any order."""
    start = happened.RunStarted(**base(0), record=run_record("r1", plan=plan()))
    return [start, *(event for unit in draw(st.lists(units, max_size=25)) for event in unit)]


def in_log(state: RunState) -> Usage:
    """Return what all steps used, straight from their records."""
    return sum((record.handoff.usage for record in state.steps), Usage())


@few
@given(logs())
def test_no_token_and_no_money_is_lost_or_counted_twice(log: list[RunEvent]) -> None:
    state = fold(log)

    found = account_of(state)

    assert (found.total.tokens or 0) == (in_log(state).tokens or 0)
    assert (found.total.cost or 0.0) == pytest.approx(in_log(state).cost or 0.0)


@few
@given(logs())
def test_the_three_sides_are_the_total(log: list[RunEvent]) -> None:
    found = account_of(fold(log))

    sides = Cost.total(found.side(side) for side in CostSide)

    assert sides.seconds == pytest.approx(found.total.seconds)
    assert (sides.tokens, sides.unreported) == (found.total.tokens, found.total.unreported)
    for dimension in ("level", "phase", "domain", "worker", "model"):
        grouped = Cost.total(group.total for group in found.by(dimension))
        assert grouped.seconds == pytest.approx(found.total.seconds)
        assert grouped.tokens == found.total.tokens


@few
@given(logs())
def test_no_second_of_a_step_a_limit_or_a_gate_is_lost_or_counted_twice(log: list[RunEvent]) -> None:
    """Beside them are only waits for whoever begins a step, sync points, and work without an end on record."""
    state = fold(log)
    found = account_of(state)

    def lasted(began: datetime, until: datetime) -> float:
        return seconds_without(began, max(began, until), state.pauses)

    last = state.last_at or at(0)
    opened = [(one.at, one.decision.at if one.decision else last) for one in state.gates.values()]
    # A wait behind an attempt that a person or a limit held up is theirs, too; behind one that failed, nobody's.
    behind = sum(row.used.seconds for row in found.rows if _is_beside_steps(row))
    expected = (
        in_log(state).seconds
        + sum(wait.seconds for wait in state.waits)
        + sum(lasted(began, until) for began, until in opened)
        + sum(lasted(lost.began, lost.until) for lost in state.cut_off)
        + sum(lasted(begun.at, last) for begun in state.at_work.values())
        + behind
    )

    assert found.total.seconds == pytest.approx(expected)
    assert all(row.used.seconds >= 0 for row in found.rows)


def _is_beside_steps(row: CostRow) -> bool:
    sync_point = row.kind is CostKind.ORCHESTRATION and not row.worker  # finding out what to do is a step
    return sync_point or row.kind in (CostKind.COORDINATOR, CostKind.UNKNOWN)


@few
@given(logs(), st.data())
def test_folded_in_pieces_it_is_the_same(log: list[RunEvent], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(log)))

    assert account_of(fold(log)) == account_of(fold(log[cut:], fold(log[:cut])))


@given(usages, usages, st.integers(0, 9_000), st.sampled_from(CostKind))
def test_what_a_step_used_is_divided_without_a_rest(usage: Usage, failed: Usage, read: int, kind: CostKind) -> None:
    entries = list(divided(kind, RUN, StepCost(usage, failed, read)))

    assert sum(entry.seconds for entry in entries) == pytest.approx(usage.seconds)
    assert sum(entry.tokens or 0 for entry in entries) == (usage.tokens or 0)
    assert sum(entry.cost or 0 for entry in entries) == pytest.approx(usage.cost or 0)
    assert sum(entry.unreported for entry in entries) == (usage.tokens is None)
    assert all(entry.tokens is None or entry.tokens >= 0 for entry in entries)
    assert all((entry.cost is None) == (usage.cost is None) for entry in entries if entry.tokens)
