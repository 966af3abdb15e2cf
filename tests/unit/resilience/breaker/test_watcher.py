"""What one breaker does, as values, for as long as somebody watches (F1)."""

from collections.abc import Callable
from typing import Any

import pytest
from pybreaker import CircuitBreakerListener

from echelon.model.breaker_news import BreakerNews, Turn
from echelon.model.policy import BreakerPolicy
from echelon.resilience.breaker.breaker import Breaker
from echelon.resilience.breaker.used import BreakersUsed
from echelon.resilience.breaker.watcher import BreakerWatcher
from echelon.resilience.registry import BreakerRegistry

DOWN = ConnectionError("connection refused")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def made(clock: Clock, **policy: object) -> Breaker:
    given = {"consecutive_failures": 1, "open_seconds": 30, "open_jitter": 0, "half_open_calls": 1} | policy
    return Breaker("provider", BreakerPolicy.model_validate(given), clock=clock)


def watched(breaker: Breaker) -> list[BreakerNews]:
    told: list[BreakerNews] = []
    BreakerWatcher(breaker, told.append).begin()
    return told


def opened(breaker: Breaker, clock: Clock) -> None:
    breaker.admit().end(DOWN)


def tried(breaker: Breaker, clock: Clock) -> None:
    opened(breaker, clock)
    clock.now += 30
    breaker.admit()


def recovered(breaker: Breaker, clock: Clock) -> None:
    opened(breaker, clock)
    clock.now += 30
    breaker.admit().end(None)


def failed_again(breaker: Breaker, clock: Clock) -> None:
    opened(breaker, clock)
    clock.now += 30
    breaker.admit().end(DOWN)


def isolated(breaker: Breaker, clock: Clock) -> None:
    breaker.isolate("it moves", "ann")


def isolated_when_open(breaker: Breaker, clock: Clock) -> None:
    opened(breaker, clock)
    breaker.isolate("it moves")


def isolated_twice(breaker: Breaker, clock: Clock) -> None:
    breaker.isolate("it moves")
    breaker.isolate("it moves")


def isolated_and_reset(breaker: Breaker, clock: Clock) -> None:
    breaker.isolate("it moves")
    breaker.reset()


@pytest.mark.parametrize(
    ("story", "turns"),
    [
        (opened, [Turn.OPENED]),
        (tried, [Turn.OPENED, Turn.TRYING]),
        (recovered, [Turn.OPENED, Turn.TRYING, Turn.CLOSED]),
        (failed_again, [Turn.OPENED, Turn.TRYING, Turn.OPENED]),
        (isolated, [Turn.ISOLATED]),
        (isolated_when_open, [Turn.OPENED, Turn.ISOLATED]),
        (isolated_twice, [Turn.ISOLATED]),
        (isolated_and_reset, [Turn.ISOLATED, Turn.CLOSED]),
    ],
)
def test_each_turn_is_told_once(clock: Clock, story: Callable[[Breaker, Clock], None], turns: list[Turn]) -> None:
    breaker = made(clock)
    told = watched(breaker)

    story(breaker, clock)

    assert [news.turn for news in told] == turns
    assert not any(news.found for news in told)


def test_an_opening_says_why_and_when_it_is_tried_again(clock: Clock) -> None:
    told = watched(breaker := made(clock))
    opened(breaker, clock)

    assert told == [
        BreakerNews(
            name="provider",
            turn=Turn.OPENED,
            state="open",
            reason="1 failures in a row, the last with ConnectionError: connection refused",
            trips=1,
            trial_in_seconds=30.0,
        )
    ]


def test_an_isolation_says_who_and_why(clock: Clock) -> None:
    told = watched(breaker := made(clock))
    isolated(breaker, clock)

    assert told[0].reason == "isolated by ann: it moves"


@pytest.mark.parametrize(
    ("story", "turns"),
    [
        (lambda breaker, clock: None, []),
        (opened, [Turn.OPENED]),
        (tried, [Turn.TRYING]),
        (recovered, []),
        (isolated, [Turn.ISOLATED]),
        (isolated_when_open, [Turn.ISOLATED]),
    ],
)
def test_how_it_stands_is_told_first_unless_all_is_well(
    clock: Clock, story: Callable[[Breaker, Clock], None], turns: list[Turn]
) -> None:
    breaker = made(clock)
    story(breaker, clock)

    told = watched(breaker)

    assert [(news.turn, news.found) for news in told] == [(turn, True) for turn in turns]


def test_a_breaker_that_only_counts_says_what_it_would_have_done(clock: Clock) -> None:
    breaker = made(clock, metrics_only=True, window_calls=2, minimum_calls=2, failure_rate=1.0)
    told = watched(breaker)
    breaker.admit().end(DOWN)
    found = watched(breaker)
    breaker.admit().end(None)

    assert [news.turn for news in told] == [Turn.MEASURED, Turn.RELIEVED]
    assert [(news.turn, news.found) for news in found] == [(Turn.MEASURED, True), (Turn.RELIEVED, False)]


def test_a_breaker_that_must_not_refuse_calls_tells_of_the_panic(clock: Clock) -> None:
    registry = BreakerRegistry(clock=clock)
    policy = BreakerPolicy(consecutive_failures=1, min_fleet=1)
    first, second = registry.get("first", policy), registry.get("second", policy)
    told = watched(second)
    first.admit().end(DOWN)
    second.admit().end(DOWN)

    assert [(news.turn, news.state) for news in told] == [(Turn.PANIC, "closed")]
    assert "1 of 2 breakers refuse calls already" in told[0].message


def test_after_its_end_a_watcher_is_told_nothing(clock: Clock) -> None:
    breaker, told = made(clock), list[BreakerNews]()
    watcher = BreakerWatcher(breaker, told.append)
    watcher.begin()
    watcher.end()
    opened(breaker, clock)

    assert [(news.turn, news.state, news.reason) for news in told] == [(Turn.LEFT, "closed", "")]


def test_what_is_left_open_says_why(clock: Clock) -> None:
    breaker, told = made(clock), list[BreakerNews]()
    watcher = BreakerWatcher(breaker, told.append)
    watcher.begin()
    isolated(breaker, clock)
    watcher.end()

    assert (told[-1].turn, told[-1].reason) == (Turn.LEFT, "isolated by ann: it moves")


def test_a_breaker_is_listened_to_once_however_often_it_is_used(clock: Clock) -> None:
    used, told, breaker = BreakersUsed(), list[BreakerNews](), made(clock)
    used.watch(told.append)
    for _ in range(3):
        assert used.note(breaker) is breaker
    opened(breaker, clock)
    used.stop()
    breaker.reset()

    assert [news.turn for news in told] == [Turn.OPENED, Turn.LEFT]


def test_who_does_not_watch_is_told_nothing(clock: Clock) -> None:
    used, told, breaker = BreakersUsed(), list[BreakerNews](), made(clock)
    used.note(breaker)
    opened(breaker, clock)
    used.watch(told.append)
    used.stop()

    assert told == []


class Plain(CircuitBreakerListener):
    """A listener of pybreaker's own kind, which knows nothing of isolations."""

    def __init__(self) -> None:
        self.states: list[str] = []

    def state_change(self, cb: object, old_state: object, new_state: Any) -> None:
        self.states.append(new_state.name)


def test_a_listener_that_knows_less_hears_what_it_knows(clock: Clock) -> None:
    breaker, plain = made(clock), Plain()
    breaker.attach(plain)
    isolated(breaker, clock)
    breaker.detach(plain)
    breaker.reset()

    assert plain.states == ["open"]
