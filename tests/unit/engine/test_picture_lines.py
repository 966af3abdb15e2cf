"""Prefect shows the first lines of each step and where the rest is: a run cannot flood its database (V2)."""

import logging

from echelon.engine.picture.lines import (
    ERRORS_OF_A_STEP,
    LINES_OF_A_RUN,
    LINES_OF_A_STEP,
    RAISED_BY_A_STEP,
    LineBound,
    asked_line,
    raised_line,
)
from echelon.engine.picture.strokes import JOB
from echelon.runlog.events import BlockedReported, Logged
from echelon.testing.run_events import NOON, concern_raised, key_of, model_asked


def lines(step: str, count: int, level: int = logging.INFO) -> list[Logged]:
    return [
        Logged(run_id="r1", at=NOON, key=step, task_id=step, source="stdout", level=level, message=f"line {n}")
        for n in range(count)
    ]


def written(bound: LineBound, events: list[Logged]) -> list[str]:
    return [line.message for event in events for line in bound.lines_of("r1", event, JOB, None)]


def test_the_first_lines_of_a_step_and_where_the_rest_is() -> None:
    shown = written(LineBound(), lines("a", 1_000))

    assert len(shown) == LINES_OF_A_STEP + 1
    assert shown[-2:] == ["line 99", "further lines are not shown here: echelon show r1 a --log"]


def test_errors_are_shown_whatever_was_written_before() -> None:
    bound = LineBound()
    written(bound, lines("a", 1_000))

    assert len(written(bound, lines("a", 50, logging.ERROR))) == ERRORS_OF_A_STEP + 1


def test_many_agents_that_go_wild_write_so_many_lines_in_all() -> None:
    bound = LineBound()
    shown = [message for n in range(200) for message in written(bound, lines(f"a{n}", 200))]

    assert len(shown) == LINES_OF_A_RUN
    assert shown[-1].startswith("further lines are not shown here")


def test_a_model_that_was_asked_is_a_line_with_the_command_that_shows_it() -> None:
    (answered,) = written(LineBound(), [asked_line(model_asked("a"))])
    (refused,) = written(LineBound(), [asked_line(model_asked("a", error="it is away"))])

    assert answered == "asked gpt-5, 1 answer: echelon show r1 a --messages"
    assert "no answer: it is away" in refused


def test_what_an_agent_raises_or_waits_for_is_a_line_whatever_it_wrote_before_and_bounded() -> None:
    bound = LineBound()
    key = key_of("inspect")
    written(bound, lines(key, 1_000))
    blocked = BlockedReported(run_id="r1", at=NOON, key=key, task_id="inspect", on="mia", reason="she knows")
    raised = [raised_line(event, "inspect") for event in (blocked, *(concern_raised(f"c{n}") for n in range(20)))]

    shown = [(line.message, line.level) for one in raised for line in bound.lines_of("r1", one, JOB, None, raised=True)]

    assert shown[0] == ("inspect is blocked on mia: she knows", logging.WARNING)
    assert shown[1][0] == "concern c0 of inspect, human review: locks.py: two files claim the same lock"
    assert len(shown) == RAISED_BY_A_STEP + 1
    assert shown[-1][0] == "further lines are not shown here: echelon show r1 inspect"
