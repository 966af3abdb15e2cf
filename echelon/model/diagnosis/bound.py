"""What a run was bound by: where the time of its longest chain went. Values only."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field

from echelon.model.base import Value
from echelon.model.phrasing import duration, one_line, truncate

#: Characters of a name that are said.
NAME_CHARACTERS = 60


class BoundBy(StrEnum):
    """What the longest chain of a run spent its time on."""

    WORK = "work"  #: an agent did a task
    RETRIES = "retries"  #: attempts that failed, and the pauses between them
    COORDINATOR = "coordinator"  #: somebody integrated, planned, verified or settled
    LIMIT = "limit"  #: waited for a slot, a rate or a breaker
    PERSON = "person"  #: waited for an answer at a gate
    ENGINE = "engine"  #: between two steps: starting agents, sync points

    @property
    def said(self) -> str:
        """Say it in a sentence that begins with a share of the time."""
        return _SAID[self]


_SAID = {
    BoundBy.WORK: "the work itself",
    BoundBy.RETRIES: "attempts that failed",
    BoundBy.COORDINATOR: "coordination",
    BoundBy.LIMIT: "waiting for a limit",
    BoundBy.PERSON: "waiting for a person",
    BoundBy.ENGINE: "starting agents and passing sync points",
}


class ChainLink(Value):
    """A part of the longest chain of a run."""

    bound: BoundBy
    """What the time was spent on."""
    name: str
    """The task, integration, limit or gate."""
    phase: str = ""
    """The phase; empty where it belongs to none."""
    seconds: float = Field(ge=0)
    """How long, without times in which nobody worked on the run."""


class RunBound(Value):
    """Where the time of a run went along its longest chain: nothing else would have made it shorter."""

    links: tuple[ChainLink, ...] = ()
    """The chain, in the order of time; its seconds add up to the time from the first step to the last."""

    @property
    def seconds(self) -> Mapping[BoundBy, float]:
        """Return how long the chain spent on each, what it spent most on first."""
        found: dict[BoundBy, float] = {}
        for link in self.links:
            found[link.bound] = found.get(link.bound, 0.0) + link.seconds
        return dict(sorted(found.items(), key=lambda one: -one[1]))

    @property
    def total_seconds(self) -> float:
        """Return how long the chain is."""
        return sum(link.seconds for link in self.links)

    @property
    def said(self) -> str:
        """Say in one line what bound the run; empty where nothing was done."""
        seconds, total = self.seconds, self.total_seconds
        if not total:
            return ""
        main = next(iter(seconds))
        names: dict[str, float] = {}
        for link in self.links:
            if link.bound is main:
                names[link.name] = names.get(link.name, 0.0) + link.seconds
        longest = max(names, key=lambda name: names[name])
        name = truncate(one_line(longest), NAME_CHARACTERS)
        of = f", most of it for {name} ({duration(names[longest])})" if main is not BoundBy.ENGINE else ""
        return f"{main.said}: {seconds[main] / total:.0%} of {duration(total)}{of}".replace("%", " %")
