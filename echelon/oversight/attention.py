"""What of many concerns a person is shown: all that is critical, and a few lines of each other level (V7, O11). Pure.

What is not shown is counted, with the command that lists it. Nothing is left out on record.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from echelon.model.concern import CRITICAL, URGENCY, ConcernRecord, Route
from echelon.oversight.ledger import Sense, sense_of

#: Lines of one level shown at most, where it is not critical.
LINES_A_LEVEL = 8

#: Sources of what is not shown that are named.
SOURCES_NAMED = 2


class Group(NamedTuple):
    """What says the same on one level."""

    first: ConcernRecord
    """The first of them."""
    times: int
    """How many say it."""


class ShownLevel(NamedTuple):
    """What is shown of one route."""

    route: Route
    """The route."""
    groups: tuple[Group, ...]
    """What is shown, each once."""
    more: str
    """How much more there is, and of whom; empty where all of it is shown."""

    @property
    def lines(self) -> Iterator[str]:
        """Say it."""
        for group in self.groups:
            yield group_line(group)
        if self.more:
            yield self.more


def group_line(group: Group) -> str:
    """Return what was raised and how often."""
    record, concern = group.first, group.first.concern
    often = f" ({group.times:,} times)" if group.times > 1 else ""
    return f"{record.id}  {record.route.words}: {concern.line}{often}"


def levels_of(records: Iterable[ConcernRecord]) -> list[ShownLevel]:
    """Return what is shown of concerns, the most urgent level first."""
    by_route: dict[Route, dict[Sense, list[ConcernRecord]]] = {}
    for record in records:
        by_route.setdefault(record.route, {}).setdefault(sense_of(record), []).append(record)
    return [_level(route, list(by_route[route].values())) for route in URGENCY if route in by_route]


def _level(route: Route, groups: list[list[ConcernRecord]]) -> ShownLevel:
    fits = route in CRITICAL or len(groups) <= LINES_A_LEVEL
    shown = groups if fits else groups[: LINES_A_LEVEL - 1]
    rest = [record for group in groups[len(shown) :] for record in group]
    return ShownLevel(route, tuple(Group(group[0], len(group)) for group in shown), more_of(rest))


def more_of(rest: Sequence[ConcernRecord]) -> str:
    """Return how many concerns are not shown, of whom, and the command that lists them; empty for none."""
    if not rest:
        return ""
    sources = Counter(record.source for record in rest).most_common()
    named = ", ".join(f"{number:,} more of {source}" for source, number in sources[:SOURCES_NAMED])
    others = sum(number for _, number in sources[SOURCES_NAMED:])
    of_others = f", {others:,} more of others" if others else ""
    runs = {record.run_id for record in rest}
    of_run = f" --run {runs.pop()}" if len(runs) == 1 else ""
    return f"and {named}{of_others}: echelon concerns{of_run} --all"
