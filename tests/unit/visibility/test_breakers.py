"""What became of the breakers of a run, from its events."""

import pytest

from echelon.model.breaker_news import BreakerNews, Turn
from echelon.runlog.breakers import breakers_of
from echelon.runlog.events import BreakerChanged, PhaseStarted
from echelon.runlog.state import fold
from tests.unit.visibility.building import AT

STATES = {Turn.CLOSED: "closed", Turn.RELIEVED: "closed", Turn.PANIC: "closed", Turn.TRYING: "half-open"}


def news(turn: Turn, name: str = "openai", **given: object) -> BreakerNews:
    return BreakerNews.model_validate({"name": name, "turn": turn, "state": STATES.get(turn, "open")} | given)


LEFT_CLOSED = news(Turn.LEFT, state="closed", shared="redis")


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([LEFT_CLOSED], "openai never opened, closed; shared through redis"),
        ([news(Turn.OPENED, reason="down")], "openai opened 1 time, open (down); in its process only"),
        (
            [news(Turn.OPENED), news(Turn.TRYING), news(Turn.OPENED), news(Turn.TRYING), news(Turn.CLOSED)],
            "openai opened 2 times, closed; in its process only",
        ),
        (
            [news(Turn.ISOLATED, reason="isolated by ann: it moves")],
            "openai was isolated 1 time, open (isolated by ann: it moves); in its process only",
        ),
        # found open and left open: nothing that this run saw happen
        ([news(Turn.OPENED, reason="down", found=True)], "openai never opened, open (down); in its process only"),
        ([news(Turn.OPENED), LEFT_CLOSED], "openai opened 1 time, closed; shared through redis"),
        ([news(Turn.PANIC, reason="too many")], "openai never opened, closed; in its process only"),
    ],
)
def test_a_breaker_is_told_in_one_line(events: list[BreakerNews], said: str) -> None:
    (story,) = breakers_of(events)

    assert story.said == said


def test_each_breaker_has_a_story_of_its_own_and_other_events_none() -> None:
    turns = [news(Turn.OPENED, "b"), news(Turn.OPENED, "a"), news(Turn.CLOSED, "b")]
    events = [BreakerChanged(run_id="r1", at=AT, news=one) for one in turns]
    state = fold([*events, PhaseStarted(run_id="r1", at=AT, phase="p", expected=1)])

    assert [(story.name, story.state) for story in breakers_of(state.breakers)] == [("b", "closed"), ("a", "open")]


def test_without_breakers_there_is_nothing_to_tell() -> None:
    assert breakers_of([]) == ()
