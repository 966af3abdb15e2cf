"""What each level of a run sees of the one below: counts by part, what was pushed to it, and how old that is (V3)."""

from collections.abc import Iterable
from typing import Self

from pydantic import Field

from echelon.model.base import Value
from echelon.model.exception_report import ExceptionReport
from echelon.model.phrasing import count, one_line

#: What the top level is called, whatever its node is.
TOP = "job"

#: Lines of one level at most, whatever its size: what one look takes in.
MAX_LINES = 8


class TaskCounts(Value):
    """How many tasks stand where. What is neither active nor ended is not begun."""

    total: int = 0
    """All that are asked for."""
    active: int = 0
    """Somebody works on them."""
    done: int = 0
    """They delivered."""
    blocked: int = 0
    """They wait for something outside, whether they were begun or not."""
    failed: int = 0
    """They ended without output."""
    late: int = 0
    """Those of all that were reported to be late, whatever came of them."""

    @classmethod
    def sum_of(cls, counts: Iterable["TaskCounts"]) -> Self:
        """Add counts up."""
        every = tuple(counts)
        return cls(**{name: sum(getattr(one, name) for one in every) for name in cls.model_fields})

    @property
    def trouble(self) -> tuple[int, int, int]:
        """What comes first where not everything can be shown: failed, blocked, late."""
        return self.failed, self.blocked, self.late

    @property
    def said(self) -> str:
        """Say it in words; what is zero is left out."""
        others = ((self.active, "active"), (self.blocked, "blocked"), (self.failed, "failed"), (self.late, "late"))
        return ", ".join([f"{self.done:,} of {self.total:,} done", *(f"{n:,} {what}" for n, what in others if n)])


class RollUpLine(Value):
    """One part of a level, or the rest of them together."""

    node: str
    """Its node in the tree; empty for several together."""
    nodes: int = 1
    """How many parts it stands for."""
    counts: TaskCounts
    """Of all tasks below it."""

    def said_of(self, level: str) -> str:
        """Say it in one line: `team 4: 8 of 10 done, 2 blocked`."""
        kind, _, name = self.node.partition(":")
        named = f"{kind} {name}" if name else level if level == TOP else f"{level} {self.node}"
        return f"{one_line(named) if self.node else f'and {self.nodes:,} more'}: {self.counts.said}"


class LevelRollUp(Value):
    """One level of the tree, as the level above sees it."""

    level: str
    """What stands on it: `job`, `domain` or `team`; numbered where several levels have the same."""
    nodes: int
    """How many parts it has."""
    lines: tuple[RollUpLine, ...]
    """Eight at most: those with most trouble, and the rest together."""

    @property
    def said(self) -> tuple[str, ...]:
        """Say it, a line a part."""
        return tuple(line.said_of(self.level) for line in self.lines)


class LevelAlerts(Value):
    """What was pushed to one level, and how much of it was shown one by one (V7)."""

    level: str
    """The level, as in the roll-up."""
    pushed: int = 0
    """Warnings and critical exceptions."""
    critical: int = 0
    """Those of them that are critical: each is shown, with its whole path, to every level above too."""
    shown: int = 0
    """Those that were shown one by one."""
    grouped: int = 0
    """Those that were counted in a line of their hour, since the attention budget was used up."""


class GroupedAlerts(Value):
    """What one level was not shown one by one in one hour."""

    level: str
    """The level."""
    hour: int = Field(ge=0)
    """Hours since the run began."""
    alerts: int = Field(ge=1)
    """How many."""
    triggers: dict[str, int]
    """The same by trigger."""

    @property
    def said(self) -> str:
        """Say it in one line."""
        kinds = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in self.triggers.items())
        return f"{self.level}: {count(self.alerts, 'more alert')} in hour {self.hour + 1} ({kinds})"


class Alerts(Value):
    """What people are shown of what was pushed, within their attention (V7)."""

    an_hour: int
    """Alerts that each level is shown one by one in an hour."""
    levels: tuple[LevelAlerts, ...] = ()
    """The counts, the top first."""
    shown: tuple[ExceptionReport, ...] = ()
    """Each critical exception, and of the others what the budgets allow; in the order they were pushed."""
    grouped: tuple[GroupedAlerts, ...] = ()
    """The others, a line a level and hour."""
    missed_critical: int = 0
    """Critical exceptions on record that are not among those shown: 0, or the way to people is broken."""

    @property
    def lines(self) -> int:
        """How many lines somebody who reads all of it reads."""
        return len(self.shown) + len(self.grouped)


class InformationAge(Value):
    """How old what a level knows is (V10)."""

    level: str
    """The level."""
    hops: int
    """Levels between it and those who work: 1 for who they report to."""
    seconds: float | None
    """Hops times what one hop took, in the middle; None where nothing was measured."""
    seconds_p90: float | None
    """The same of nine in ten."""


class Visibility(Value):
    """What the levels of a run see of it, and what that costs."""

    levels: tuple[LevelRollUp, ...] = ()
    """Of each level its parts, the top first (V3)."""
    alerts: Alerts = Alerts(an_hour=0)
    """What was pushed, within the attention of people (V7)."""
    ages: tuple[InformationAge, ...] = ()
    """How old what each level knows is (V10)."""
    watching_seconds: float | None = None
    """Processor time that watching the run took so far; None where it was not measured (V9)."""
