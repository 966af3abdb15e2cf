"""What became of the breakers of a run, from what is on record of it (F1). Pure."""

from collections.abc import Iterable

from echelon.model.breaker_news import BreakerNews, BreakerStory, Turn


def breakers_of(news: Iterable[BreakerNews]) -> tuple[BreakerStory, ...]:
    """Return the breakers that a run used, in the order in which they were first heard of."""
    heard: dict[str, list[BreakerNews]] = {}
    for one in news:
        heard.setdefault(one.name, []).append(one)
    return tuple(_story(turns) for turns in heard.values())


def _story(turns: list[BreakerNews]) -> BreakerStory:
    last = turns[-1]
    return BreakerStory(
        name=last.name,
        opened=sum(one.turn is Turn.OPENED and not one.found for one in turns),
        isolated=sum(one.turn is Turn.ISOLATED and not one.found for one in turns),
        state=last.state,
        reason="" if last.state == "closed" else last.reason,
        shared=last.shared,
    )
