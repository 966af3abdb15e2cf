"""Where a run stands, rolled up from what happened (V3, V6)."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.plan import NodeKind, Plan
from echelon.model.run import StepKind, StepRecord
from echelon.model.status import ENDED, Status
from echelon.runlog.events import PhaseEnded, PhaseStarted, RunEvent, RunTaken, StepEnded, StepReused, StepStarted
from echelon.runlog.state import RunState, fold
from echelon.visibility.progress import remaining_seconds, tallies_by_domain, tally_of
from tests.unit.visibility.building import AT, handoff, plan_of


def at(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def phase_started(phase: str = "p", *, expected: int = 0, seconds: float = 0.0) -> RunEvent:
    return PhaseStarted(run_id="r", at=at(seconds), phase=phase, expected=expected)


def phase_ended(phase: str = "p") -> RunEvent:
    return PhaseEnded(run_id="r", at=AT, phase=phase)


def started(task: str, *, phase: str = "p", kind: StepKind = StepKind.TASK) -> RunEvent:
    return StepStarted(run_id="r", at=AT, key=task, task_id=task, phase=phase, node=task, step=kind)


def ended(
    task: str,
    status: Status = Status.COMPLETED,
    *,
    phase: str = "p",
    kind: StepKind = StepKind.TASK,
    seconds: float = 0.0,
) -> RunEvent:
    made = handoff(task, failed=status is not Status.COMPLETED)
    record = StepRecord(
        run_id="r",
        key=task,
        phase=phase,
        node=task,
        kind=kind,
        started=AT,
        finished=at(seconds),
        handoff=made.model_copy(update={"status": status}),
    )
    return StepEnded(run_id="r", at=record.finished, record=record)


def taken(token: int) -> RunEvent:
    return RunTaken(run_id="r", at=AT, token=token, host="here", pid=1)


def reused(task: str) -> RunEvent:
    return StepReused(run_id="r", at=AT, key=task, task_id=task, phase="p", step=StepKind.TASK)


#: A plan that has two domains.
PLAN = plan_of(20)


def domain_of(plan: Plan) -> tuple[str, list[str]]:
    """Return the first part below the primary, with its tasks."""
    part = next(node.id for node in plan.tree if node.parent == plan.primary.id and node.kind is not NodeKind.AGENT)
    return part, [task for task, node in plan.agent_of.items() if plan.part_of(node) == part]


def test_what_begins_runs_and_what_ends_is_counted_by_how() -> None:
    domain, (a, b, c, *_) = domain_of(PLAN)
    made = fold([
        phase_started(expected=3),
        *[started(task) for task in (a, b, c)],
        ended(a),
        ended(b, Status.FAILED),
    ])  # fmt: skip

    for tally in (tally_of(made, "p"), tallies_by_domain(made, "p", PLAN)[domain]):
        assert (tally.at_work, tally.done, tally.failed) == (1, 1, 1)
    assert tally_of(made, "p").expected == 3
    assert [name.task_id for name in made.at_work] == [c]


def test_what_is_taken_from_the_journal_was_never_running() -> None:
    made = fold([taken(1), started("a"), ended("a"), taken(2), phase_started(expected=1), reused("a")])
    tally = tally_of(made, "p")

    assert (tally.at_work, tally.done) == (0, 1)


@pytest.mark.parametrize(
    ("done", "now", "remaining"),
    [
        (0, 5.0, None),  # no pace yet
        (1, 4.0, 12.0),  # 2 s since the phase began at 2: 2 s a task, 6 of 7 left
        (4, 10.0, 6.0),  # 8 s for four: 3 left at 2 s
        (7, 9.0, 0.0),
    ],
)
def test_the_end_of_a_phase_is_foreseen_from_its_pace(done: int, now: float, remaining: float | None) -> None:
    made = fold([phase_started(expected=7, seconds=2.0), *[ended(f"t{n}", seconds=now) for n in range(done)]])

    assert remaining_seconds(made, "p", at(now)) == (None if remaining is None else pytest.approx(remaining))


def test_what_an_earlier_process_did_says_nothing_about_the_pace() -> None:
    before = [taken(1), phase_started(expected=3), ended("t0", seconds=1.0), taken(2)]
    made = fold([*before, phase_started(expected=3, seconds=100.0), reused("t0"), ended("t1", seconds=104.0)])

    assert remaining_seconds(made, "p", at(104.0)) == pytest.approx(4.0)


def test_a_new_phase_has_its_own_domains_and_keeps_the_counts_of_the_one_before() -> None:
    _, (a, *_) = domain_of(PLAN)
    made = fold([
        phase_started(expected=1),
        ended(a),
        started("p/merge/d", kind=StepKind.INTEGRATION),
        ended("p/merge/d", kind=StepKind.INTEGRATION),
        phase_ended(),
        phase_started("q", expected=2, seconds=9.0),
    ])  # fmt: skip

    assert list(made.phases)[-1] == "q"
    assert (tallies_by_domain(made, "q", PLAN), tally_of(made, "p").done, made.last_at) == ({}, 1, at(9.0))
    assert remaining_seconds(made, "q", at(9.0)) is None


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(sorted(ENDED)), st.booleans()), unique_by=lambda t: t[0]))
def test_at_the_end_nothing_runs_and_every_task_has_one_end(ends: list[tuple[int, Status, bool]]) -> None:
    began = [started(f"t{n}") for n, _, fresh in ends if fresh]
    made: RunState = fold([
        phase_started(expected=len(ends)),
        *began,
        *[ended(f"t{n}", status) for n, status, _ in ends],
    ])  # fmt: skip
    tally, done = tally_of(made, "p"), sum(status is Status.COMPLETED for _, status, _ in ends)

    assert (tally.at_work, tally.ended) == (0, len(ends))
    assert (tally.done, tally.failed) == (done, len(ends) - done)
