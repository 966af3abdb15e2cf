"""A change of how a job is organised that a diagnosis proposes, and that the next run may go by. Values only."""

from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from pydantic import Field

from echelon.model.base import Value
from echelon.model.diagnosis.mode import FailureMode


class Lever(StrEnum):
    """What of a job can be changed from outside: how it is organised, never what its agents do."""

    SPAN = "span"  #: the most direct reports anybody has
    STRUCTURE = "structure"  #: the structure that was asked for; none: the planner chooses
    MAX_CONCURRENCY = "max_concurrency"  #: agents at work at one time; none: each kind has its own limit
    MERGE = "merge"  #: may one agent go through several phases with its item?
    ADAPT = "adapt"  #: does the structure follow what the run measures?
    SYNC = "sync"  #: tasks of a phase from one light sync point to the next; none: at its end only
    NEEDS = "needs"  #: phases that a phase comes behind
    DOMAINS = "domains"  #: where items of a phase belong: task → domain
    TIMEOUT = "timeout_seconds"  #: seconds that an attempt may take

    @property
    def said(self) -> str:
        """Say what it is."""
        return _SAID[self]


_SAID = {
    Lever.SPAN: "most direct reports",
    Lever.STRUCTURE: "structure",
    Lever.MAX_CONCURRENCY: "agents at work at one time",
    Lever.MERGE: "merging of phases",
    Lever.ADAPT: "following what the run measures",
    Lever.SYNC: "tasks between light sync points",
    Lever.NEEDS: "phases that are waited for",
    Lever.DOMAINS: "domains of items",
    Lever.TIMEOUT: "seconds that an attempt may take",
}

#: What a lever is set to; None: what the job is without it.
Setting: TypeAlias = int | float | str | tuple[str, ...] | dict[str, str] | None


class Adjustment(Value):
    """One change of a job."""

    lever: Lever
    """What is changed."""
    phase: str = ""
    """In which phase; empty for all of the job."""
    before: Setting = None
    """What it was in the run that was diagnosed."""
    after: Setting = None
    """What it is to be."""
    mode: FailureMode
    """The failure mode that it is a remedy for."""
    reason: str = Field(min_length=1)
    """What was measured, and why this helps."""

    @property
    def said(self) -> str:
        """Say it in one line, as a difference."""
        where = f" of phase {self.phase}" if self.phase else ""
        return f"{self.lever.said}{where}: {_shown(self.before)} → {_shown(self.after)}"


class AppliedAdjustments(Value):
    """Changes that somebody applied behind a diagnosis: runs of the job go by them until they are taken back."""

    run_id: str
    """The run that was diagnosed."""
    adjustments: tuple[Adjustment, ...]
    """The changes."""
    by: str
    """Who applied them."""
    at: datetime
    """When, in UTC."""


def _shown(setting: Setting) -> str:
    if setting is None:
        return "not stated"
    if isinstance(setting, dict):
        return f"{len(set(setting.values()))} for {len(setting)} items"
    if isinstance(setting, tuple):
        return ", ".join(setting) or "none"
    return f"{setting:g}" if isinstance(setting, float) else str(setting)
