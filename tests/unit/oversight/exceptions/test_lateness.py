"""Late is what takes a fifth longer than earlier runs, the plan, or others of the phase make one expect (V1)."""

from datetime import timedelta

import pytest

from echelon.model.exception_report import Trigger
from echelon.model.learning.learnt import Learnt
from echelon.model.plan import Makespan, PhasePlan, SyncPoint
from echelon.model.quota.window import QuotaWindow
from echelon.oversight.exceptions.expecting import Siblings
from echelon.runlog import events as happened
from echelon.runlog.state import RunState
from echelon.testing.run_events import gate, gate_answer, run_started
from tests.unit.oversight.exceptions.runs import (
    at,
    begun,
    ended,
    in_domains,
    learnt,
    plan_of,
    pushed,
    said,
    spread,
    started,
    watching,
)

NAMES = [f"t{number}" for number in range(10)]


@pytest.mark.parametrize(
    ("stated", "known", "late_at", "basis"),
    [
        (10.0, None, 12.0, "stated"),  # a fifth of 10 s more
        (0.1, None, 0.85, "stated"),  # nobody is told of less than three quarters of a second
        (10.0, learnt(task=spread(20.0)), 24.0, "90 % of 10 tasks of earlier runs took no longer"),
        (10.0, learnt(task=spread(20.0, count=4)), 12.0, "stated"),  # too few to go by
        (None, None, None, ""),
    ],
)
def test_a_task_is_late_by_earlier_runs_or_else_by_what_is_stated(
    stated: float | None, known: Learnt | None, late_at: float | None, basis: str
) -> None:
    watch = watching(plan_of(["a"], stated), started("a"), known=known)
    due = watch.next_due

    assert due == (None if late_at is None else at(late_at))
    assert said(watch, (late_at or 1e6) - 0.01) == []
    if late_at is not None:
        (line,) = said(watch, late_at)
        assert line.startswith("late: a is late: at work for ")
        assert line.endswith(f"({basis})")
        assert (said(watch, late_at + 99), watch.next_due) == ([], None)  # once


def test_without_either_five_others_that_were_done_say_it() -> None:
    watch = watching(plan_of(NAMES), *map(started, NAMES), *[ended(name, 1.0) for name in NAMES[:4]])

    assert watch.next_due is None
    watch.see(ended(NAMES[4], 2.0))

    assert watch.next_due == at(2.75)  # 90 % of 1, 1, 1, 1, 2 is 2; less than 0.75 s more is no news
    (line,) = said(watch, 2.75)
    assert line.startswith("late: 5 tasks of phase 'inspect' are late: at work for 2.8 s, expected 2.0 s")
    assert line.endswith("t5, t6, t7 and 2 more")


def test_those_that_are_late_together_are_one_exception_with_all_their_names() -> None:
    plan = in_domains(plan_of(NAMES, 1.0), 2)
    watch = watching(plan, *map(started, NAMES[::2]))
    (report,) = watch.due(at(9))

    assert (report.tasks, report.path) == (tuple(NAMES[::2]), ("primary", "domain:0"))


def test_who_has_ended_late_before_anybody_looked_was_late() -> None:
    watch = watching(plan_of(["a"], 1.0), started("a"), ended("a", 9.0))

    assert said(watch, 9.1) == ["late: a is late: at work for 9.0 s, expected 1.0 s (stated)"]
    assert said(watch, 99) == []


def test_who_has_ended_or_has_a_standby_is_not_late() -> None:
    assert said(watching(plan_of(["a"], 1.0), started("a"), ended("a", 1.0)), 99) == []
    assert said(watching(plan_of(["a"], 1.0, standby="b"), started("a")), 99) == []  # who takes over says so (F9)


def test_of_replicas_the_first_counts() -> None:
    watch = watching(plan_of(["a"], 10.0), started("a", replica=1), started("a", 9.0, replica=2))

    assert watch.next_due == at(12)


def test_who_waits_for_a_quota_is_not_late() -> None:
    closed = happened.QuotaClosed(run_id="r1", at=at(1), window=QuotaWindow(dependency="llm", until=at(101)))
    watch = watching(plan_of(["a"], 10.0, provider="llm"), started("a"), closed)

    assert said(watch, 12) == []
    assert watch.next_due == at(12 + 11)  # so far it has waited for 11 s
    assert said(watch, 111) == []
    assert len(said(watch, 112)) == 1


def test_nothing_is_said_again_by_the_process_that_resumes_a_run() -> None:
    plan = plan_of(NAMES, 1.0)
    first = watching(plan, begun(10), *map(started, NAMES)).due(at(9))
    again = watching(plan, begun(10), *map(started, NAMES), before=RunState().apply(*pushed(first)))

    assert {one.trigger for one in first} == {Trigger.LATE}
    assert len(first) == 2  # the tasks, and the phase
    assert said(again, 9) == []


# Phases, domains, the job ----------------------------------------------------------------------------------------


def test_a_phase_is_late_by_the_forecast_of_the_plan_or_earlier_runs() -> None:
    by_plan = watching(plan_of(NAMES, 10.0), begun(10))
    by_history = watching(plan_of(NAMES, 10.0), begun(10), known=learnt(phase=spread(20.0)))

    assert said(by_plan, 11) == []
    assert said(by_plan, 13) == [
        "late: phase 'inspect' is late: at work for 13 s, expected 10 s (by the plan); 0 at work, 10 not begun"
    ]
    assert said(by_history, 23.9) == []
    assert len(said(by_history, 24)) == 1


def test_a_phase_of_one_task_is_late_with_that() -> None:
    watch = watching(plan_of(["a"], 10.0), begun(1), started("a"))

    assert [line.partition(" is ")[0] for line in said(watch, 99)] == ["late: a"]


def test_a_phase_that_was_passed_is_not_late_and_waiting_for_a_person_is_no_lateness() -> None:
    passed = happened.PhaseEnded(run_id="r1", at=at(1), phase="inspect")
    raised = happened.GateRaised(run_id="r1", at=at(5), record=gate())
    answered = happened.GateAnswered(run_id="r1", at=at(105), gate_id="g-1", answer=gate_answer())
    watch = watching(plan_of(NAMES, 10.0), begun(10), raised)

    assert said(watching(plan_of(NAMES, 10.0), begun(10), passed), 99) == []
    assert said(watch, 99) == []
    watch.see(answered)
    assert said(watch, 111) == []  # 11 s without the time of the person
    assert len(said(watch, 112.1)) == 1


def test_at_half_time_it_is_foreseen_that_a_phase_will_be_late() -> None:
    """Ten tasks, one at a time: five took 3 s each, so the others will."""
    plan = plan_of(NAMES)
    one_by_one = [
        event for n in range(5) for event in (started(NAMES[n], 3.0 * n), ended(NAMES[n], 3.0 * n + 3, 3.0 * n))
    ]
    slow = watching(plan, begun(10), *one_by_one, known=learnt(phase=spread(20.0)))
    on_time = watching(plan, begun(10), *one_by_one, known=learnt(phase=spread(40.0)))

    (line,) = said(slow, 15)
    assert line.startswith("at_risk: phase 'inspect' will be late: it is expected to take 20 s")
    assert "about 30 s at the pace it has" in line
    assert said(on_time, 20) == []  # 20 + 5 x 3 s


def test_a_domain_is_late_when_five_others_of_its_phase_took_less() -> None:
    names = [f"t{number}" for number in range(14)]
    watch = watching(in_domains(plan_of(names), 7), begun(14), *map(started, names))
    for name in (name for number, name in enumerate(names) if number % 7 < 5):
        watch.see(ended(name, 10.0))
    late = [line for line in said(watch, 12) if line.startswith("late: domain")]

    assert late == [
        f"late: domain domain:{n} is late in phase 'inspect': at work for 12 s, expected 10 s "
        "(90 % of 5 others took no longer)"
        for n in (5, 6)
    ]


def test_the_job_is_late_by_its_forecast_where_it_has_several_phases() -> None:
    plan = plan_of(NAMES, 10.0)
    second = PhasePlan(name="report", tasks=(), sync=SyncPoint(owner="primary"))
    foreseen = Makespan(predicted=30.0, critical_path=None, work=None)
    two = plan.model_copy(update={"phases": (*plan.phases, second), "makespan": foreseen})
    on_record = RunState().apply(run_started(plan=two))
    watch = watching(two, before=on_record)

    assert watch.next_due == at(36)
    (line,) = said(watch, 36)
    assert line.startswith("late: the job is late: at work for 36 s, expected 30 s (by the plan)")
    assert said(watching(two, known=learnt(job=spread(100.0)), before=on_record), 119) == []


def test_times_in_which_nobody_worked_on_a_run_are_not_its_own() -> None:
    plan = plan_of(NAMES, 10.0)
    second = PhasePlan(name="report", tasks=(), sync=SyncPoint(owner="primary"))
    foreseen = Makespan(predicted=30.0, critical_path=None, work=None)
    two = plan.model_copy(update={"phases": (*plan.phases, second), "makespan": foreseen})
    idle = happened.RunTaken(run_id="r1", at=at(1000), token=2, host="h", pid=1, idle_since=at(10))
    watch = watching(two, before=RunState().apply(run_started(plan=two), idle))

    assert watch.next_due == at(36 + 990)


def test_nine_of_ten_are_counted_by_rank() -> None:
    siblings = Siblings()
    for seconds in (5.0, 1.0, 4.0, 2.0, 3.0, 10.0, 9.0, 8.0, 7.0, 6.0):
        siblings.add(seconds)

    assert siblings.expected is not None
    assert (siblings.expected.seconds, siblings.median) == (9.0, 5.0)


def test_what_is_planned_on_the_way_is_watched_too() -> None:
    plan = plan_of(["a"], 1.0)
    watch = watching(plan_of([], 1.0), happened.PlanExtended(run_id="r1", at=at(0), plan=plan, reason="found"))
    watch.see(started("a"))

    assert watch.next_due == at(0) + timedelta(seconds=1.75)
