"""M1: where every second and every token of a run went, worked out by hand for three levels."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from echelon.model.costs.account import CostAccount, CostKind, CostSide
from echelon.model.handoff import ErrorReport, OutputReference, UsedDependency
from echelon.model.redundancy.replicas import UsedReplicas
from echelon.model.run import StepKind, StepRecord
from echelon.model.status import Status
from echelon.model.usage import Usage
from echelon.runlog import events as happened
from echelon.runlog.costs.account import account_of
from echelon.runlog.costs.measures import measures_of
from echelon.runlog.state import RunState, fold
from tests.unit.runlog.costs.three_levels import LEAD, MERGE, base, ended, log, step

Kind = CostKind


def account() -> CostAccount:
    return account_of(fold(log()))


@pytest.mark.parametrize(
    ("kind", "seconds", "tokens", "unreported"),
    [
        # a1: 10 s, of which 4 failed; a2: 8; a3: 5; a4: 3. a1: 1,000 tokens - 300 failed - 100 read; a3 100, a4 50.
        (Kind.WORK, 6 + 8 + 5 + 3, 600 + 100 + 50, 1),  # a2 reports none
        (Kind.LIMIT, 2, None, 0),  # a1, for a slot
        # Before the first phase 1 s, behind look 1 s, behind report 1 s, the report of the run 2 s.
        (Kind.ORCHESTRATION, 1 + 1 + 1 + 2, None, 0),
        (Kind.INTEGRATION, 3 + 1, 400, 1),  # the primary reports none
        (Kind.VERIFICATION, 2, 200, 0),
        (Kind.READING, 0, 100, 0),  # 400 bytes told to a1
        # a2 began 1 s behind its phase; the verifier 1 s behind a1; the lead 4 s; a3 13 s behind the primary, of which
        # 10 at a gate; a4 2 s behind its end in the process before, without the 10 in which nobody worked.
        (Kind.COORDINATOR, 1 + 1 + 4 + 3 + 2, None, 0),
        (Kind.PERSON, 10, None, 0),
        (Kind.REWORK, 4 + 6, 300, 1),  # the first attempt of a1; a4 until its process died, with tokens nobody knows
    ],
)
def test_each_second_and_token_is_for_one_thing(kind: CostKind, seconds: float, tokens: int, unreported: int) -> None:
    used = account().of(kind)

    assert (used.seconds, used.tokens, used.unreported) == (pytest.approx(seconds), tokens, unreported)


def test_the_sides_are_all_of_it() -> None:
    found = account()
    sides = {side: found.side(side) for side in CostSide}

    assert {side: used.seconds for side, used in sides.items()} == {
        CostSide.WORK: pytest.approx(24),
        CostSide.COORDINATION: pytest.approx(42),
        CostSide.UNKNOWN: 0,
    }
    assert (found.total.seconds, found.total.tokens) == (pytest.approx(66), 1750)
    assert found.idle_seconds == 10
    # 2.00 for a1: 0.60 its failed attempt, 0.20 reading; 0.50 for the verifier.
    assert (found.total.cost, found.of(Kind.REWORK).cost, found.of(Kind.READING).cost) == (2.5, 0.6, 0.2)


@pytest.mark.parametrize(
    ("level", "work", "coordination"),
    [
        ("agent", 22 + 2, 10 + 6 + 10),  # rework 10, coordinators 1 + 3 + 2, the gate 10
        ("domain", 0, 3 + 4),  # the lead: merging, and what waited before it
        ("primary", 0, 2 + 1 + 1 + 2),  # verifying and its wait, combining, two sync points
        ("", 0, 3),  # before and behind all phases
    ],
)
def test_it_is_told_by_level(level: str, work: float, coordination: float) -> None:
    [group] = [group for group in account().by("level") if group.name == level]

    assert (group.work.seconds, group.coordination.seconds) == (pytest.approx(work), pytest.approx(coordination))


def test_it_is_told_by_phase_domain_worker_and_model() -> None:
    found = account()

    def seconds(dimension: str) -> dict[str, float]:
        groups = found.by(dimension)  # type: ignore[arg-type]
        return {group.name: round(group.total.seconds, 6) for group in groups}

    # report: a3 5 + 3 waiting + 10 at the gate, a4 3 + 2 waiting + 6 lost, the sync point 1.
    assert seconds("phase") == {"look": 33, "report": 30, "": 3}
    # The verifier of a1 is at the primary; what it checks belongs to no domain of its own, and so do sync points.
    assert seconds("domain") == {"api": 57, "": 9}
    assert sum(seconds("worker").values()) == sum(seconds("model").values()) == pytest.approx(66)
    assert seconds("model")["gpt-5"] == seconds("worker")["model"]


def test_coordination_is_measured_in_tokens_where_both_sides_report_any() -> None:
    state = fold(log())

    measures = measures_of(state, account_of(state))

    assert measures.coordination_ratio == pytest.approx(1000 / 1750)


def test_without_tokens_it_is_measured_in_seconds_and_waits_for_limits_do_not_count() -> None:
    silent = [_silent(event) for event in log()]
    state = fold(silent)

    assert measures_of(state, account_of(state)).coordination_ratio == pytest.approx(42 / (42 + 22))


def _silent(event: happened.RunEvent) -> happened.RunEvent:
    if not isinstance(event, happened.StepEnded):
        return event
    usage = event.record.handoff.usage.model_copy(update={"tokens_in": None, "tokens_out": None})
    handoff = event.record.handoff.model_copy(update={"usage": usage})
    return event.model_copy(update={"record": event.record.model_copy(update={"handoff": handoff})})


def kinds(*steps: StepRecord) -> list[str]:
    """Return what steps of ten seconds each were for, in the order of the kinds."""
    rows = account_of(RunState(steps=steps)).rows
    return [f"{row.kind.value} {row.used.seconds:g}" for row in rows]


FAILED = {
    "status": Status.FAILED,
    "output_location": None,
    "error": ErrorReport(kind="E", message="m", can_pass=False),
}
TWO = UsedReplicas(replicas=2, agree=1, counted=(2,))
CASES: dict[str, tuple[Callable[[], tuple[StepRecord, ...]], list[str]]] = {
    "a task that failed": (lambda: (step("p/a", "a", 0, 10, **FAILED),), ["rework 10"]),
    "a task done again after it failed": (
        lambda: (step("p/a", "a", 0, 10, **FAILED), step("p/a", "a", 10, 20)),
        ["work 10", "rework 10"],
    ),
    "an integration made again": (
        lambda: tuple(step(MERGE, LEAD, n, n + 10, kind=StepKind.INTEGRATION) for n in (0, 10)),
        ["integration 10", "rework 10"],
    ),
    "a second round": (
        lambda: (
            step("p/a", "a", 0, 10).model_copy(update={"interim": True}),
            step("p/a", "a", 10, 20).model_copy(update={"round": 2, "interim": True}),
            step("p/a", "a", 20, 20, usage=Usage()),  # ends all rounds, and counts nothing
        ),
        ["work 10", "rework 10"],
    ),
    "two replicas, of which the second counts": (
        lambda: (
            step("p/a", "a", 0, 10).model_copy(update={"replica": 2}),
            step("p/a", "a", 0, 10).model_copy(update={"replica": 1}),
            step("p/a", "a", 10, 10, usage=Usage(), replicas=TWO),
        ),
        ["work 10", "rework 10"],
    ),
    "what an earlier run did": (lambda: (step("p/a", "a", 0, 10, usage=Usage(), kept_from="r0"),), []),
    "finding out what there is": (
        lambda: (step("p/over/find", "primary", 0, 10, kind=StepKind.PLANNING),),
        ["orchestration 10"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_first_that_delivers_is_work_and_the_others_are_rework(case: str) -> None:
    steps, expected = CASES[case]

    assert kinds(*steps()) == expected


def test_what_is_read_by_reference_is_reading_as_far_as_tokens_were_read() -> None:
    survey = step("look/a2", "a2", 0, 1)
    reader = step("look/a1", "a1", 1, 2, tokens=(100, 50))
    read = happened.OutputRead(**base(1.5, "look/a1"), read=UsedDependency(task_id="look/a2", version="v-look/a2"))
    state = RunState(steps=(survey, reader), reads=(read,))

    assert account_of(state).of(Kind.READING).tokens == 20  # 80 bytes
    large = OutputReference(location="l", sha256="v-look/a2", size_bytes=4_000, contract="c")
    handoff = survey.handoff.model_copy(update={"output_location": large})
    grown = replace(state, steps=(survey.model_copy(update={"handoff": handoff}), reader))
    assert account_of(grown).of(Kind.READING).tokens == 100  # it read no more than that


def test_a_wait_behind_a_failure_that_somebody_had_done_again_is_unknown() -> None:
    failed, again = step("p/a", "a", 0, 10, **FAILED), step("p/a", "a", 15, 20)

    assert account_of(RunState(steps=(failed, again))).of(Kind.UNKNOWN).seconds == 5


def test_somebody_at_work_counts_until_the_last_event() -> None:
    begun = happened.StepStarted(**base(4, "look/a2"), phase="look", node="a2", step=StepKind.TASK)
    state = fold([*log()[:2], begun, ended(step("look/a1", "a1", 3, 10))])

    found = account_of(state)

    assert found.of(Kind.WORK).seconds == 7 + 6
    assert found.of(Kind.WORK).unreported == 2


def test_a_gate_that_nobody_answers_is_a_wait_until_the_last_event() -> None:
    until_asked = log()[:12]
    state = fold([*until_asked, happened.PhaseEnded(**base(30), phase="x")])

    assert account_of(state).of(Kind.PERSON).seconds == 7


def test_accounts_of_runs_add_up() -> None:
    both = CostAccount.together([account(), account()])

    assert both.total.seconds == pytest.approx(132)
    assert len(both.rows) == len(account().rows)


@pytest.mark.parametrize(("in_queue", "limit", "coordinator"), [(4, 5, 0), (3, 5, 0), (2, 2, 3), (0, 0, 5)])
def test_what_comes_before_a_longer_wait_for_a_limit_is_of_the_limit(
    in_queue: int, limit: int, coordinator: int
) -> None:
    """It had all it needed 5 s before it began, and came to the queue when there were so many left."""
    made, behind = step("look/a1", "a1", 0, 10), step("report/a2", "a2", 15, 20, "look/a1")
    queued = happened.Waited(**base(15, "report/a2"), limiter="slots", seconds=in_queue, queue_length=1)

    found = account_of(RunState(steps=(made, behind), waits=(queued,)))

    assert (found.of(Kind.LIMIT).seconds, found.of(Kind.COORDINATOR).seconds) == (limit, coordinator)
