"""What each level sees is bounded, whatever the size of a run, and nothing critical is lost (V3, V7, V10)."""

import os
import time

import pytest

from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.plan import ALERTS_AN_HOUR, Plan
from echelon.model.run import StepKind
from echelon.model.status import Status
from echelon.model.views.rollup import MAX_LINES, TaskCounts, Visibility
from echelon.runlog import events as happened
from echelon.runlog.events import RunEvent
from echelon.runlog.exceptions.attention import AttentionBudget, alerts_of, missed_critical
from echelon.runlog.exceptions.visible import visibility_of
from echelon.runlog.state import RunState, StepName, fold
from echelon.runlog.view import view_of
from echelon.testing.noon import NOON
from echelon.testing.run_events import run_started, step_ended, step_started
from tests.unit.runlog.exceptions.runs import at, deviation, random_log, tree_of

#: How many random logs of a thousand agents are looked at; all of them take minutes: ECHELON_TEST_LOGS=1000.
LOGS = int(os.environ.get("ECHELON_TEST_LOGS", "20"))

THOUSAND = tree_of(1_000)


def seen(*events: RunEvent) -> Visibility:
    return view_of(fold(events), lambda _: None).visibility


@pytest.mark.parametrize("seed", range(LOGS))
def test_of_a_thousand_agents_the_root_reads_eight_lines_a_level_and_misses_nothing_critical(seed: int) -> None:
    log = random_log(THOUSAND, seed)
    state = fold(log)
    asked = [StepName(StepKind.TASK, "inspect", task.id) for task in THOUSAND.tasks]
    found = visibility_of(state, asked)
    alerts, pushed = found.alerts, state.exceptions
    critical = [one for one in pushed if one.level is Level.CRITICAL]

    assert [level.level for level in found.levels] == ["job", "domain 1", "domain 2", "team"]
    assert all(len(level.lines) <= MAX_LINES for level in found.levels)
    assert all(TaskCounts.sum_of(line.counts for line in level.lines).total == 1_000 for level in found.levels)
    assert critical
    assert (alerts.missed_critical, [one for one in alerts.shown if one.level is Level.CRITICAL]) == (0, critical)
    assert all(one.path[0] == "primary" and len(one.path) == 5 for one in critical)
    assert alerts.lines <= len(pushed) + len(found.levels)
    assert len(alerts.shown) + sum(one.alerts for one in alerts.grouped) == len(pushed)


def test_looking_at_a_thousand_agents_takes_little_time() -> None:
    log = random_log(THOUSAND, 0)
    state = fold(log)
    asked = [StepName(StepKind.TASK, "inspect", task.id) for task in THOUSAND.tasks]
    began = time.process_time()
    for _ in range(5):
        visibility_of(state, asked)

    assert (time.process_time() - began) / 5 < 0.25  # seconds; measured: about 0.01


def test_a_line_says_how_many_tasks_of_a_part_stand_where() -> None:
    plan = tree_of(20)
    failed = [step_ended(f"t{n}", Status.FAILED) for n in (8, 9)]
    done = [step_ended(f"t{n}") for n in range(8, 16) if n > 9]
    late = deviation(plan, "t16", "a16", Trigger.LATE, Level.WARNING, 5)
    blocked = happened.BlockedReported(run_id="r1", at=NOON, key="k", task_id="t17", on="x", reason="y")
    log = [run_started(plan=plan), *failed, *done, step_started("t16"), step_started("t17"), blocked, late]

    assert [level.said for level in seen(*log).levels] == [
        ("job: 6 of 20 done, 1 active, 1 blocked, 2 failed, 1 late",),
        (
            "team 1.1: 6 of 8 done, 2 failed",
            "team 1.2: 0 of 4 done, 1 active, 1 blocked, 1 late",
            "team 1.0: 0 of 8 done",
        ),
    ]


def test_parts_beyond_the_eighth_line_are_one_line_with_all_their_counts() -> None:
    log = [run_started(plan=THOUSAND), step_ended("t999", Status.FAILED)]
    teams = seen(*log).levels[-1]

    assert (teams.nodes, len(teams.lines), teams.lines[-1].nodes) == (125, MAX_LINES, 118)
    assert teams.said[0] == "team 1.124: 0 of 8 done, 1 failed"
    assert teams.said[-1] == "and 118 more: 0 of 944 done"


def report(level: Level, seconds: float, path: tuple[str, ...] = ("primary",)) -> ExceptionReport:
    said = f"late {WORDS[int(seconds) % len(WORDS)]}"
    return ExceptionReport(trigger=Trigger.LATE, level=level, path=path, message=said, at=at(seconds))


#: What makes messages different: numbers and names do not.
WORDS = "abcdefghijklmnopqrstuvwxyz"


def test_above_the_budget_of_an_hour_alerts_are_counted_and_critical_ones_are_not() -> None:
    many = [report(Level.WARNING, second) for second in range(ALERTS_AN_HOUR + 4)]
    critical = [report(Level.CRITICAL, 100 + second) for second in range(9)]
    next_hour = report(Level.WARNING, 3601)
    alerts = alerts_of(tree_of(3), NOON, [*many, report(Level.INFO, 5), *critical, next_hour])

    assert alerts.shown == (*many[:ALERTS_AN_HOUR], *critical, next_hour)
    assert [line.said for line in alerts.grouped] == ["job: 4 more alerts in hour 1 (4 late)"]
    (job, _team) = alerts.levels
    assert (job.pushed, job.shown, job.grouped, job.critical) == (ALERTS_AN_HOUR + 14, ALERTS_AN_HOUR + 10, 4, 9)
    assert alerts.missed_critical == 0


def test_what_says_the_same_of_another_place_is_counted() -> None:
    same = [
        ExceptionReport(
            trigger=Trigger.FAILED, level=Level.WARNING, path=("primary", f"a{n}"), message=f"a{n}: no glass", at=at(n)
        )
        for n in range(5)
    ]
    alerts = alerts_of(tree_of(9), NOON, [*same, report(Level.WARNING, 9)])

    assert [one.at for one in alerts.shown] == [at(0), at(9)]
    assert [line.said for line in alerts.grouped] == ["job: 4 more alerts in hour 1 (4 failed)"]


def test_each_level_has_a_budget_of_its_own_and_the_nearest_coordinator_gets_the_alert() -> None:
    plan = tree_of(20)
    paths = [("primary",), plan.path("team:1.0"), plan.path("a0"), ("gone", "agent")]
    alerts = alerts_of(plan, NOON, [report(Level.WARNING, n, path) for n, path in enumerate(paths)])

    assert [(one.level, one.pushed) for one in alerts.levels] == [("job", 2), ("team", 2)]


def test_what_was_missed_is_found_by_comparing_what_was_shown_with_what_is_on_record() -> None:
    twice = report(Level.CRITICAL, 1)
    on_record = [twice, twice, report(Level.CRITICAL, 2), report(Level.WARNING, 3)]

    assert missed_critical(on_record, on_record) == ()
    assert missed_critical(on_record, [twice]) == (twice, on_record[2])


def test_a_job_states_its_own_budget_of_alerts() -> None:
    plan: Plan = tree_of(3).model_copy(update={"alerts_an_hour": 1})
    budget = AttentionBudget(plan, NOON)

    assert [budget.admit(report(Level.WARNING, second)) for second in range(3)] == [True, False, False]
    assert budget.is_first_grouped(report(Level.WARNING, 2)) is False
    assert budget.level_of(report(Level.WARNING, 2)) == "job"


def test_the_age_of_what_a_level_knows_is_as_many_hops_as_lie_below_it() -> None:
    measured = happened.WatchMeasured(
        run_id="r1", at=NOON, seen=9, delay_seconds=0.01, delay_seconds_p90=0.02, processor_seconds=0.5
    )
    found = seen(run_started(plan=tree_of(100)), measured)

    assert [(one.level, one.hops, one.seconds, one.seconds_p90) for one in found.ages] == [
        ("job", 3, pytest.approx(0.03), pytest.approx(0.06)),
        ("domain", 2, pytest.approx(0.02), pytest.approx(0.04)),
        ("team", 1, pytest.approx(0.01), pytest.approx(0.02)),
    ]
    assert found.watching_seconds == 0.5
    assert [one.seconds for one in seen(run_started(plan=tree_of(9))).ages] == [None, None]  # unknown is not zero


def test_of_a_run_without_a_plan_nothing_is_seen() -> None:
    assert visibility_of(RunState().apply(run_started()), ()) == Visibility()
