"""What became of the breakers of a run, from its events."""

from datetime import UTC, datetime

import pytest
from echelon.journal.event import EventRecord

from echelon.model.breaker_news import BreakerNews, Turn
from echelon.runlog.breakers import BREAKER_EVENT, breakers_of

AT = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
STATES = {Turn.CLOSED: "closed", Turn.RELIEVED: "closed", Turn.PANIC: "closed", Turn.TRYING: "half-open"}


def event(turn: Turn, name: str = "openai", **given: object) -> EventRecord:
    news = BreakerNews.model_validate({"name": name, "turn": turn, "state": STATES.get(turn, "open")} | given)
    payload = news.model_dump(mode="json")
    return EventRecord(number=1, run_id="r1", kind=BREAKER_EVENT, subject=name, payload=payload, at=AT)


LEFT_CLOSED = event(Turn.LEFT, state="closed", shared="redis")


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([LEFT_CLOSED], "openai never opened, closed; shared through redis"),
        ([event(Turn.OPENED, reason="down")], "openai opened 1 time, open (down); in its process only"),
        (
            [event(Turn.OPENED), event(Turn.TRYING), event(Turn.OPENED), event(Turn.TRYING), event(Turn.CLOSED)],
            "openai opened 2 times, closed; in its process only",
        ),
        (
            [event(Turn.ISOLATED, reason="isolated by ann: it moves")],
            "openai was isolated 1 time, open (isolated by ann: it moves); in its process only",
        ),
        # found open and left open: nothing that this run saw happen
        ([event(Turn.OPENED, reason="down", found=True)], "openai never opened, open (down); in its process only"),
        ([event(Turn.OPENED), LEFT_CLOSED], "openai opened 1 time, closed; shared through redis"),
        ([event(Turn.PANIC, reason="too many")], "openai never opened, closed; in its process only"),
    ],
)
def test_a_breaker_is_told_in_one_line(events: list[EventRecord], said: str) -> None:
    (story,) = breakers_of(events)

    assert story.said == said


def test_each_breaker_has_a_story_of_its_own_and_other_events_none() -> None:
    other = event(Turn.OPENED).model_copy(update={"kind": "run.reopened"})
    events = [event(Turn.OPENED, "b"), other, event(Turn.OPENED, "a"), event(Turn.CLOSED, "b")]

    assert [(story.name, story.state) for story in breakers_of(events)] == [("b", "closed"), ("a", "open")]


def test_without_breakers_there_is_nothing_to_tell() -> None:
    assert breakers_of([]) == ()
