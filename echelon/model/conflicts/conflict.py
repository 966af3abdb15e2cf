"""A conflict: outputs that say different things about one subject, and what was decided (X9)."""

from datetime import datetime
from itertools import combinations
from typing import Any

from pydantic import Field

from echelon.model.base import Value
from echelon.model.concern import Escaped

#: How much is kept of one value that a side says, in characters of JSON; what is longer is cut, as a text.
MAX_SAID = 2_000


class Side(Value):
    """What one output says in a conflict."""

    task_id: str
    """The task, or what an integration is recorded as."""
    round: int = 0
    """Which of its rounds, where versions of one piece of work are the sides (X5); 0: it is what it hands on."""
    producer: str
    """The agent or node that made it."""
    version: str
    """Digest of the output."""
    confidence: float = Field(default=1.0, ge=0, le=1)
    """How sure the producer said it is: weak evidence."""
    says: dict[str, Any]
    """What it says where the sides differ: field → value, as JSON."""
    agrees: tuple[str, ...] = ()
    """Other tasks that say the same."""

    @property
    def name(self) -> str:
        """What whoever settles the conflict calls it: the task, or `task@round`."""
        return f"{self.task_id}@{self.round}" if self.round else self.task_id

    @property
    def tasks(self) -> tuple[str, ...]:
        """Everybody on this side."""
        return (self.task_id, *self.agrees)

    def contradicts(self, other: "Side") -> bool:
        """Say whether two sides differ in what both speak of; versions of one piece of work always do.

        Of what was cut nobody knows how it goes on.
        """
        both = self.says.keys() & other.says.keys()
        differ = (self.says[name] != other.says[name] or _is_cut(self.says[name]) for name in both)
        return bool(self.round or other.round) or any(differ)


def _is_cut(said: object) -> bool:
    return isinstance(said, str) and len(said) >= MAX_SAID


class Conflict(Value):
    """Outputs that say different things about one subject. Whoever settles conflicts gets it by its type."""

    phase: str
    """The phase in which it was found."""
    subject: str
    """What they are about: the type of the object, and its keys."""
    sides: tuple[Side, ...] = Field(min_length=2)
    """What is said, each once, in the order of the plan."""

    def side(self, name: str) -> Side | None:
        """Return the side of that name, or that a task is on; None where there is none."""
        named = next((side for side in self.sides if side.name == name), None)
        return named or next((side for side in self.sides if not side.round and name in side.tasks), None)


class Settlement(Value):
    """What decides a conflict. Whoever settles one may also return the task whose side counts, as a text."""

    chosen: str
    """The name of the side that counts, or a task on it; empty where it cannot be told."""
    reason: Escaped = ""
    """Why."""

    @classmethod
    def undecided(cls, reason: str) -> "Settlement":
        """Say that it cannot be told, and why."""
        return cls(chosen="", reason=reason)


class SettledConflict(Value):
    """How a conflict was settled."""

    chosen: str
    """The name of the side that counts; empty where nobody could tell: a person is asked then."""
    by: str = Field(min_length=1)
    """What decided: the rule or the agent."""
    reason: str
    """Why."""
    at: datetime
    """When, in UTC."""

    @property
    def is_decided(self) -> bool:
        """Does one of the sides count?"""
        return bool(self.chosen)


class ConflictRecord(Value):
    """A conflict on record: whose it is to decide, and what was decided."""

    id: str
    """Unique within the run."""
    conflict: Conflict
    """What was found."""
    owner: str
    """The nearest coordinator that all sides report to (X9)."""
    level: str
    """What that is: primary, domain or team."""
    at: datetime
    """When it was found, in UTC."""
    settled: SettledConflict | None = None
    """What was decided; None: nothing decides, so that it is a concern."""
    versions: dict[str, str] = Field(default_factory=dict[str, str])
    """Digest of the output of each task that only agrees with a side; empty where none does, and in logs of before."""

    @property
    def is_decided(self) -> bool:
        """Does one of the sides count?"""
        return self.settled is not None and self.settled.is_decided

    @property
    def lost(self) -> tuple[Side, ...]:
        """The sides that do not count: those that contradict the one that does; none where nothing is decided.

        Who says nothing of what was in question stands. Where those who stand contradict each other still, none of
        them does.
        """
        chosen = self.conflict.side(self.settled.chosen) if self.settled and self.settled.is_decided else None
        if chosen is None:
            return ()
        others = [side for side in self.conflict.sides if side.name != chosen.name]
        standing = [side for side in others if not side.contradicts(chosen)]
        if any(one.contradicts(other) for one, other in combinations(standing, 2)):
            standing = []
        return tuple(side for side in others if side not in standing)

    def results(self, side: Side) -> dict[str, str]:
        """Return the tasks on a side, each with the digest of its output; a log of before has the first of them."""
        agreeing = {task: self.versions[task] for task in side.agrees if task in self.versions}
        return {side.task_id: side.version, **agreeing}

    @property
    def said(self) -> str:
        """Say it in one line."""
        sides = " and ".join(side.name for side in self.conflict.sides)
        about = f"{sides} contradict each other about {self.conflict.subject}"
        if self.settled is None or not self.settled.is_decided:
            why = f": {self.settled.reason}" if self.settled else ""
            return f"{about}; nobody has decided which counts{why}"
        return f"{about}; {self.settled.chosen} counts, decided by {self.settled.by} for {self.owner}"
