"""What became of the breakers of a run, from what is on record of it (F1). Pure."""

from collections.abc import Iterable

from echelon.journal.event import EventRecord
from echelon.model.base import Value
from echelon.model.breaker_news import BreakerNews, Turn

#: Kind of the events that say what a breaker did.
BREAKER_EVENT = "breaker"


class BreakerStory(Value):
    """One breaker that a run used."""

    name: str
    """The dependency."""
    opened: int
    """How often it opened while the run used it."""
    isolated: int
    """How often a person opened it meanwhile."""
    state: str
    """How the run left it, or knows it now: `closed`, `open` or `half-open`."""
    reason: str
    """Why it is not closed; empty when it is."""
    shared: str
    """Who knew of it: all processes with the same `redis`, or the `process` of the run only."""

    @property
    def said(self) -> str:
        """Say it in one line."""
        times = [_times("opened", self.opened), _times("was isolated", self.isolated)]
        parts = [part for part in times if part] or ["never opened"]
        now = f"{self.state} ({self.reason})" if self.reason else self.state
        where = "shared through redis" if self.shared == "redis" else "in its process only"
        return f"{self.name} {', '.join([*parts, now])}; {where}"


def breakers_of(events: Iterable[EventRecord]) -> tuple[BreakerStory, ...]:
    """Return the breakers that a run used, in the order in which they were first heard of."""
    told: dict[str, list[BreakerNews]] = {}
    for event in events:
        if event.kind == BREAKER_EVENT:
            told.setdefault(event.subject, []).append(BreakerNews.model_validate(event.payload))
    return tuple(_story(news) for news in told.values())


def _story(told: list[BreakerNews]) -> BreakerStory:
    last = told[-1]
    return BreakerStory(
        name=last.name,
        opened=sum(news.turn is Turn.OPENED and not news.found for news in told),
        isolated=sum(news.turn is Turn.ISOLATED and not news.found for news in told),
        state=last.state,
        reason="" if last.state == "closed" else last.reason,
        shared=last.shared,
    )


def _times(what: str, number: int) -> str:
    return f"{what} {number} time{'' if number == 1 else 's'}" if number else ""
