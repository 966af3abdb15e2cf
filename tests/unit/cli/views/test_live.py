import io

import pytest
from rich.console import Console

from echelon.cli.views.live import DOMAINS_SHOWN, Moving, Pace, Plain, showing
from echelon.model.status import Status
from echelon.visibility.progress import Happening, Progress, ProgressEvent


def event(happening: Happening, node: str, at: float, **more) -> ProgressEvent:
    return ProgressEvent(happening=happening, phase="look", node=node, at=at, **more)


STARTED, ENDED = Happening.TASK_STARTED, Happening.TASK_ENDED
BEGIN = event(Happening.PHASE_STARTED, "look", 1.0, expected=4)
FINISH = event(Happening.PHASE_ENDED, "look", 5.5)


def console(*, terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), width=100, force_terminal=terminal, color_system=None, _environ={})


def picture(moving: Moving) -> str:
    screen = console()
    screen.print(moving)
    return screen.file.getvalue()


def test_elsewhere_than_in_a_terminal_a_phase_is_two_lines():
    screen = console()
    plain = Plain(screen)
    for one in (
        BEGIN,
        event(ENDED, "a", 2, status=Status.COMPLETED),
        event(ENDED, "b", 3, status=Status.FAILED),
        FINISH,
    ):
        plain.observe(one)

    assert screen.file.getvalue() == "phase look: 4 agents\nphase look: 1 done, 1 failed, 2 not begun in 4.5 s\n"


@pytest.mark.parametrize(("terminal", "kind"), [(True, Moving), (False, Plain)])
def test_the_display_fits_the_console(terminal, kind):
    with showing(console(terminal=terminal)) as display:
        assert isinstance(display, kind)


def test_before_the_first_phase_the_picture_says_what_is_being_done():
    assert "preparing" in picture(Moving())


def test_the_picture_has_counts_and_an_estimated_end():
    moving = Moving()
    for one in (
        BEGIN,
        event(STARTED, "a", 1, domain="d"),
        event(STARTED, "b", 1, domain="d"),
        event(ENDED, "a", 3, domain="d", status=Status.COMPLETED),
    ):
        moving.observe(one)

    # one of four ended after 2 s: three more take 6 s
    assert "1/4 done  1 at work  about 6.0 s left" in picture(moving)


def test_only_the_busiest_domains_are_drawn():
    moving = Moving()
    moving.observe(BEGIN)
    for number in range(DOMAINS_SHOWN + 3):
        moving.observe(event(STARTED, f"t{number}", 1, domain=f"domain-{number}"))

    drawn = picture(moving)
    assert drawn.count("domain-") == DOMAINS_SHOWN
    assert "and 3 more" in drawn


def test_an_ended_phase_says_how_long_it_took():
    moving = Moving()
    moving.observe(BEGIN)
    moving.observe(FINISH)

    assert "4.5 s" in picture(moving)


def test_what_comes_from_the_journal_is_counted_as_reused():
    moving = Moving()
    moving.observe(BEGIN)
    moving.observe(event(ENDED, "a", 2, status=Status.COMPLETED, reused=True))

    assert "1 reused" in picture(moving)


@pytest.mark.parametrize(
    ("now", "late"),
    [
        (3.0, []),  # the average took 1 s: late after 3 s, so at 1 + 3 s
        (4.5, ["slow"]),
    ],
)
def test_an_agent_is_late_when_it_takes_far_longer_than_the_others(now, late):
    pace, progress = Pace(), Progress()
    for one in (
        event(STARTED, "quick", 1),
        event(STARTED, "slow", 1),
        event(ENDED, "quick", 2, status=Status.COMPLETED),
        event(Happening.INTEGRATION_STARTED, "x", now),
    ):
        pace.apply(one, progress.started.get(one.node))
        progress.apply(one)

    assert pace.late(progress) == late


def test_nobody_is_late_before_the_first_one_ended():
    pace, progress = Pace(), Progress()
    progress.apply(event(STARTED, "slow", 1))
    progress.apply(event(Happening.INTEGRATION_STARTED, "x", 100))

    assert pace.late(progress) == []


OPEN = event(Happening.BREAKER_TURNED, "openai", 2.0, note="breaker 'openai' is open, calls are refused: down")
CLOSED = event(Happening.BREAKER_TURNED, "openai", 3.0)


def test_a_breaker_that_opens_or_closes_is_a_line_elsewhere_than_in_a_terminal():
    screen = console()
    plain = Plain(screen)
    plain.observe(OPEN)
    plain.observe(CLOSED)

    assert screen.file.getvalue().splitlines() == [OPEN.note, "breaker 'openai' lets calls through again"]


def test_the_picture_names_a_breaker_for_as_long_as_it_is_not_closed():
    moving = Moving()
    moving.observe(BEGIN)
    moving.observe(OPEN)
    during = picture(moving)
    moving.observe(CLOSED)

    assert OPEN.note in during
    assert "openai" not in picture(moving)
