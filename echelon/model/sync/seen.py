"""What is on record of drift and of light sync points, and is shown of them (X3, X4)."""

from typing import Literal, Self, TypeAlias

from pydantic import Field

from echelon.model.base import Value

#: Results for an older assignment that are named; how many there are is on record, too.
MOST_OUTDATED = 50

EndedBy: TypeAlias = Literal["interval", "milestone", "event", "last"]
"""Why a wave ended: so many tasks were done, a milestone was reached, something happened, or no task is left."""


class ToldVersions(Value):
    """Versions of what whoever did a step was told, so that work on an older one can be recognised (X4)."""

    assignment: str
    """Of the goals, the success and the constraints."""
    brief: str
    """Of what was known of the job by then."""
    parts: dict[str, str] = Field(default_factory=dict[str, str])
    """Of each part of what is asked, by what it is called; empty in logs of before."""


class Outdated(Value):
    """A result that was made for an older assignment than that of today (D8)."""

    task_id: str
    """The task."""
    changed: tuple[str, ...]
    """What is asked otherwise now: instruction, success criteria, constraints, vocabulary, contract."""

    @property
    def said(self) -> str:
        """Say it in a few words."""
        return f"{self.task_id} ({', '.join(self.changed)})"


class DriftShare(Value):
    """How much of what was looked at has drifted."""

    found: int = Field(ge=0)
    """What has drifted."""
    of: int = Field(ge=0)
    """What was looked at."""
    share: float | None = Field(default=None, ge=0, le=1)
    """The one by the other; None where nothing was looked at, so that nobody knows."""

    @classmethod
    def counted(cls, found: int, of: int) -> Self:
        """Return what was found, of all that was looked at."""
        return cls(found=found, of=of, share=found / of if of else None)


class Drift(Value):
    """How far the work of a phase had drifted apart when its sync point was reached (X4)."""

    phase: str
    """The phase."""
    state: DriftShare
    """Inputs that were used in another version than the newest on record."""
    goal: DriftShare
    """Results that were made for another assignment than that of today."""
    context: DriftShare
    """Results that were made from another brief than that of today."""
    output: DriftShare
    """Results that were judged and do not stand: rejected, or nobody could tell."""
    outdated: tuple[Outdated, ...] = ()
    """The first of the results that were made for another assignment, with what has changed of it."""

    def outdated_said(self, most: int) -> str:
        """Name the first results that were made for another assignment, and say how many more there are."""
        named = ", ".join(one.said for one in self.outdated[:most])
        more = self.goal.found - min(len(self.outdated), most)
        return f"{named} and {more:,} more" if named and more > 0 else named

    @property
    def kinds(self) -> dict[str, DriftShare]:
        """Each kind by its name."""
        return {"state": self.state, "goal": self.goal, "context": self.context, "output": self.output}


class Wave(Value):
    """A part of a phase that was done, with the light sync point behind it (X3)."""

    phase: str
    """The phase."""
    number: int = Field(ge=1)
    """Which wave of the phase, or of the domain in it, from 1."""
    domain: str = ""
    """The domain that synchronises in a rhythm of its own; empty where the whole phase has one (X14)."""
    round: int = Field(default=1, ge=1)
    """Which round of a phase that is repeated (X12)."""
    tasks: tuple[str, ...]
    """The tasks that were done in it."""
    planned: int = Field(ge=1)
    """How many it was to have; it has fewer where an event ended it, or no more were left."""
    ended_by: EndedBy
    """Why it ended."""
    revealed: int = Field(default=0, ge=0)
    """How many of its tasks the sync point revealed something of that others should know."""
    findings: tuple[str, ...] = ()
    """What that was, in short; agents of the waves behind it are told."""

    @property
    def changed(self) -> bool:
        """Did it reveal anything? One that changed nothing is a ritual (X14)."""
        return bool(self.findings)


class SyncSeen(Value):
    """What a run shows of drift, of its waves, and of what they made needless."""

    drift: tuple[Drift, ...] = ()
    """What was measured at the sync point of each phase, the last of each (X4)."""
    waves: tuple[Wave, ...] = ()
    """Waves that ended, in that order (X3)."""
    stopped: dict[str, str] = Field(default_factory=dict[str, str])
    """Tasks that were not begun since what was there was enough, with the reason."""

    @property
    def rituals(self) -> int:
        """Light sync points that changed nothing; behind the last wave there is none."""
        return sum(not wave.changed for wave in self.waves if wave.ended_by != "last")
