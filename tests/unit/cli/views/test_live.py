import io
from datetime import UTC, datetime, timedelta
from itertools import count as numbers

import pytest
from rich.console import Console

from echelon.cli.views.live import DOMAINS_SHOWN, Moving, Plain, picture_of, showing
from echelon.model.breaker_news import BreakerNews, Turn
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.handoff import ErrorReport, Handoff, OutputReference
from echelon.model.plan import ALERTS_AN_HOUR, Plan
from echelon.model.run import RunRecord, RunStatus, StepKind, StepRecord
from echelon.model.status import Status
from echelon.runlog.events import (
    BreakerChanged,
    ExceptionPushed,
    LoggedEvent,
    PhaseEnded,
    PhaseStarted,
    RunEvent,
    RunStarted,
    StepEnded,
    StepReused,
    StepStarted,
)
from echelon.runlog.state import fold
from echelon.visibility.progress import late_tasks
from tests.unit.visibility.building import plan_of

BEGIN_OF_TIME = datetime(2026, 1, 1, tzinfo=UTC)
OUTPUT = OutputReference(location="run/x.json", sha256="ab", size_bytes=1, contract="str@1")
ERROR = ErrorReport(kind="AgentFailed", message="no", can_pass=False)

seq = numbers(1)


def at(seconds: float) -> datetime:
    return BEGIN_OF_TIME + timedelta(seconds=seconds)


def run_started(plan: Plan | None = None) -> RunEvent:
    record = RunRecord(run_id="r", job="j", source="", inputs={}, status=RunStatus.RUNNING, started=at(0), plan=plan)
    return RunStarted(run_id="r", at=at(0), record=record)


def started(task: str, seconds: float) -> RunEvent:
    when = at(seconds)
    return StepStarted(run_id="r", at=when, key=task, task_id=task, phase="look", node=task, step=StepKind.TASK)


def ended(task: str, seconds: float, *, failed: bool = False, began: float = 1.0) -> RunEvent:
    handoff = Handoff(
        task_id=task,
        status=Status.FAILED if failed else Status.COMPLETED,
        summary="",
        output_location=None if failed else OUTPUT,
        error=ERROR if failed else None,
        producer=task,
        assignment_id="",
    )
    record = StepRecord(
        run_id="r",
        key=task,
        phase="look",
        node=task,
        kind=StepKind.TASK,
        started=at(began),
        finished=at(seconds),
        handoff=handoff,
    )
    return StepEnded(run_id="r", at=at(seconds), record=record)


def reused(task: str, seconds: float) -> RunEvent:
    return StepReused(run_id="r", at=at(seconds), key=task, task_id=task, phase="look", step=StepKind.TASK)


def breaker(turn: Turn, state: str, seconds: float, reason: str = "") -> BreakerChanged:
    return BreakerChanged(
        run_id="r", at=at(seconds), news=BreakerNews(name="openai", turn=turn, state=state, reason=reason)
    )


BEGIN = PhaseStarted(run_id="r", at=at(1.0), phase="look", expected=4)
FINISH = PhaseEnded(run_id="r", at=at(5.5), phase="look")


def watched(display: Plain | Moving, *events: RunEvent) -> None:
    """Let a display see what happens, one after the other."""
    for event in events:
        display.watch([LoggedEvent(seq=next(seq), event=event)])


def console(*, terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), width=100, force_terminal=terminal, color_system=None, _environ={})


def drawn(picture: object) -> str:
    screen = console()
    screen.print(picture)
    return screen.file.getvalue()


def picture(*events: RunEvent, now: float) -> str:
    """Return the picture of a run at a moment."""
    return drawn(picture_of(fold([run_started(), *events]), at(now)))


def test_elsewhere_than_in_a_terminal_a_phase_is_two_lines():
    screen = console()
    watched(Plain(screen), run_started(), BEGIN, ended("a", 2), ended("b", 3, failed=True), FINISH)

    assert screen.file.getvalue() == "phase look: 4 agents\nphase look: 1 done, 1 failed, 2 not begun in 4.5 s\n"


def test_what_happened_before_a_run_was_resumed_is_not_told_again():
    screen, before = console(), [run_started(), BEGIN, ended("a", 2), FINISH]
    plain = Plain(screen)
    plain.watch([LoggedEvent(seq=next(seq), event=event) for event in before])
    watched(plain, BEGIN, reused("a", 6))

    assert screen.file.getvalue() == "phase look: 4 agents\n"


@pytest.mark.parametrize(("terminal", "kind"), [(True, Moving), (False, Plain)])
def test_the_display_fits_the_console(terminal, kind):
    with showing(console(terminal=terminal)) as display:
        assert isinstance(display, kind)


def test_before_the_first_phase_the_picture_says_what_is_being_done():
    moving = Moving(console(terminal=True))
    watched(moving, run_started())

    assert "preparing" in drawn(moving)


def test_the_picture_has_counts_and_an_estimated_end():
    seen = picture(BEGIN, started("a", 1), started("b", 1), ended("a", 3), now=3)

    # one of four ended after 2 s: three more take 6 s
    assert "1/4 done  1 at work  about 6.0 s left" in seen


def test_only_the_busiest_domains_are_drawn():
    plan, moving = plan_of(10 * (DOMAINS_SHOWN + 3)), Moving(console(terminal=True))
    parts = {part: task for task, node in plan.agent_of.items() if (part := plan.part_of(node))}
    begin = BEGIN.model_copy(update={"phase": "work"})
    work = [started(task, 1).model_copy(update={"phase": "work"}) for task in parts.values()]
    watched(moving, run_started(plan), begin, *work)

    seen = drawn(moving)
    assert sum(f" {part} " in seen for part in parts) == DOMAINS_SHOWN
    assert f"and {len(parts) - DOMAINS_SHOWN} more" in seen


def test_an_ended_phase_says_how_long_it_took():
    moving = Moving(console(terminal=True))
    watched(moving, run_started(), BEGIN, FINISH)

    assert "4.5 s" in drawn(moving)


def test_what_comes_from_the_journal_is_counted_as_reused():
    moving = Moving(console(terminal=True))
    watched(moving, run_started(), ended("a", 0.5, began=0), BEGIN, reused("a", 2))

    assert "1 reused" in drawn(moving)


def pushed(task: str, level: Level = Level.WARNING, seconds: float = 3.0, why: str = "it waits") -> RunEvent:
    message = f"{task} is late, {why}"
    report = ExceptionReport(
        trigger=Trigger.LATE, level=level, path=("primary", task), message=message, at=at(seconds), tasks=(task,)
    )
    return ExceptionPushed(run_id="r", at=at(seconds), report=report)


def test_tasks_at_work_that_were_reported_to_be_late_are_named_the_longest_first():
    log = [BEGIN, *[started(task, 1) for task in ("a", "b", "c")], pushed("b"), pushed("a"), pushed("c"), ended("c", 4)]

    assert late_tasks(fold(log)) == ("a", "b")
    assert "2 late, the longest at work: a" in picture(*log, now=9)


def test_alerts_are_printed_once_and_within_the_attention_of_their_level():
    screen = console(terminal=False)
    plain, many = Plain(screen), ALERTS_AN_HOUR + 3
    watched(plain, run_started(plan_of(3)))
    watched(plain, *[pushed(f"t{number}", why="abcdefghijk"[number]) for number in range(many)])
    watched(plain, pushed("urgent", Level.CRITICAL))
    lines = screen.file.getvalue().splitlines()

    assert lines == [
        *[f"late: t{number} is late, {'abcdefghijk'[number]}" for number in range(ALERTS_AN_HOUR)],
        "more alerts of level job are counted: echelon exceptions r",
        "late: primary › urgent: urgent is late, it waits",
    ]


OPEN = breaker(Turn.OPENED, "open", 2.0, "down")
CLOSED = breaker(Turn.CLOSED, "closed", 3.0)


def test_a_breaker_that_opens_or_closes_is_a_line_elsewhere_than_in_a_terminal():
    screen = console()
    watched(Plain(screen), run_started(), OPEN, CLOSED)

    assert OPEN.news.message.startswith("breaker 'openai' is open, calls are refused: down")
    assert screen.file.getvalue().splitlines() == [OPEN.news.message, "breaker 'openai' lets calls through again"]


@pytest.mark.parametrize("state", ["closed", "open"])
def test_a_breaker_that_is_only_left_is_no_news(state):
    screen = console()
    watched(Plain(screen), run_started(), breaker(Turn.LEFT, state, 4.0))

    assert screen.file.getvalue() == ""


def test_the_picture_names_a_breaker_for_as_long_as_it_is_not_closed():
    moving = Moving(console(terminal=True))
    watched(moving, run_started(), BEGIN, OPEN)
    during = drawn(moving)
    watched(moving, CLOSED)

    assert OPEN.news.message in during
    assert "openai" not in drawn(moving)
