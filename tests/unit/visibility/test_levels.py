"""What the levels of a run see, in lines; and a run of many agents as statistics (V3, V5, V7, V10)."""

from datetime import timedelta

import pytest

from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.run import RunView
from echelon.model.status import Status
from echelon.model.usage import Usage
from echelon.runlog import events as happened
from echelon.runlog.events import RunEvent
from echelon.runlog.state import fold
from echelon.runlog.view import view_of
from echelon.testing.noon import NOON
from echelon.testing.run_events import run_started, step_record
from echelon.visibility.levels import age_lines, alert_line, alert_lines, attention_lines, level_lines, short_time
from echelon.visibility.report import default_report
from echelon.visibility.statistics import FROM_AGENTS, statistics_lines, statistics_of
from tests.unit.runlog.exceptions.runs import deviation, tree_of

MANY = FROM_AGENTS


def view(*events: RunEvent, agents: int = 20) -> RunView:
    return view_of(fold([run_started(plan=tree_of(agents)), *events]), lambda _: None)


def ended(number: int, seconds: float, *, tokens: int | None = None, failed: bool = False, tries: int = 1) -> RunEvent:
    made = step_record(f"t{number}", Status.FAILED if failed else Status.COMPLETED)
    handoff = made.handoff.model_copy(update={"usage": Usage(tokens_in=tokens), "attempts": tries})
    record = made.model_copy(update={"finished": NOON + timedelta(seconds=seconds), "handoff": handoff})
    return happened.StepEnded(run_id="r1", at=record.finished, record=record)


def late(number: int, level: Level = Level.WARNING, trigger: Trigger = Trigger.LATE) -> RunEvent:
    return deviation(tree_of(20), f"t{number}", f"a{number}", trigger, level, number)


def test_a_run_without_levels_has_no_lines_of_them() -> None:
    assert level_lines(view(agents=3).visibility) == ["job: 0 of 3 done", "team 1.0: 0 of 3 done"]
    assert level_lines(view_of(fold([run_started()]), lambda _: None).visibility) == []


def test_alerts_are_said_once_where_a_whole_run_is_shown() -> None:
    found = view(late(1), late(2), late(3, Level.CRITICAL), late(4, trigger=Trigger.FAILED)).visibility.alerts

    assert alert_lines(found) == [
        "late: t1 deviates",
        "late: primary › team:1.0 › a3: t3 deviates",
        "team: 1 more alert in hour 1 (1 late)",
    ]
    assert attention_lines(found) == ["team: 4 alerts, 3 shown, 1 counted, 1 critical"]


@pytest.mark.parametrize(
    ("path", "message", "line"),
    [
        (("primary",), "too late", "late: too late"),
        (("primary", "a1"), "too late", "late: a1: too late"),
        (("primary", "a1"), "a1 is late", "late: a1 is late"),
        (("primary", "a\x1b[2J"), "x\ny", "late: a\\x1b[2J: x y"),
    ],
)
def test_a_line_says_of_whom_and_is_only_text(path: tuple[str, ...], message: str, line: str) -> None:
    report = ExceptionReport(trigger=Trigger.LATE, level=Level.WARNING, path=path, message=message, at=NOON)

    assert alert_line(report) == line


def test_the_age_of_news_is_said_where_it_was_measured() -> None:
    measured = happened.WatchMeasured(
        run_id="r1", at=NOON, seen=9, delay_seconds=0.01, delay_seconds_p90=2.0, processor_seconds=0.5
    )

    assert age_lines(view(measured).visibility) == [
        "job: 20 ms (4.0 s at most in 9 of 10), 2 hops",
        "team: 10 ms (2.0 s at most in 9 of 10), 1 hop",
    ]
    assert age_lines(view().visibility) == []
    assert (short_time(0.0004), short_time(61)) == ("0 ms", "1 min 1 s")


def test_few_agents_are_no_statistics() -> None:
    assert statistics_of(view(agents=MANY - 1)) is None


def test_many_agents_are_rates_distributions_a_sample_and_outliers() -> None:
    done = [ended(n, 1.0 + n, tokens=100 * (n + 1)) for n in range(90)]
    failed = [ended(n, 1.0, failed=True, tries=2) for n in range(90, 100)]
    found = statistics_of(view(*done, *failed, late(7), agents=MANY))
    again = statistics_of(view(*failed, *done, late(7), agents=MANY))

    assert found is not None
    assert again is not None
    (phase,) = found.phases
    assert (phase.tasks, phase.done, phase.failed, phase.retried) == (100, 0.9, 0.1, 0.1)
    assert phase.seconds is not None
    assert phase.tokens is not None
    assert (phase.seconds.p50, phase.seconds.p90, phase.seconds.most) == (45.0, 81.0, 90.0)  # of 1 to 90
    assert (phase.tokens.tasks, phase.tokens.p50) == (90, 4500)
    assert (found.outliers, len(found.sample)) == (("t7",), 5)
    assert found.sample == again.sample  # drawn by name, not by who ended first
    assert statistics_lines(found) == [
        "inspect: 100 tasks, 90 % done, 10 % failed, 10 % tried again",
        "  seconds: 45 s in the middle, 1 min 21 s at most in 9 of 10, 1 min 30 s at most",
        "  tokens: 4,500 in the middle, 8,100 at most in 9 of 10, 9,000 at most",
        "far from the others: t7",
        f"a sample to look at: {', '.join(found.sample)}",
    ]


def test_what_nobody_measured_is_not_made_up() -> None:
    found = statistics_of(view(ended(1, 1.0, failed=True), agents=MANY))

    assert found is not None
    assert (found.phases[0].seconds, found.phases[0].tokens, found.outliers) == (None, None, ())


def test_a_report_has_levels_statistics_and_alerts() -> None:
    shown = view(ended(1, 1.0), late(7), agents=MANY)
    report = default_report(shown)

    for text in (report["report.md"], report["report.html"]):
        assert "team 1.0: 1 of 8 done" in text.replace("\\", "")
        assert "a sample to look at: t1" in text.replace("\\", "")
        assert "1 shown" in text
