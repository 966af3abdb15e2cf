"""Where single steps and phases of a run stand, as its state says it. Values only."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from echelon.model.run import StepKind
from echelon.model.views.items import ComparedItems


class StepName(NamedTuple):
    """What makes two attempts attempts at the same step, whatever they were given."""

    kind: StepKind
    """Task or integration."""
    phase: str
    """The phase."""
    task_id: str
    """The task; for an integration what it is recorded as."""


class CutOff(NamedTuple):
    """Work on a step that ended with the process that did it, without an end on record (F8)."""

    name: StepName
    """The step."""
    node: str
    """The agent or coordinator."""
    began: datetime
    """When it was begun, in UTC."""
    until: datetime
    """When its process was last known to be alive, in UTC."""


class RetryMark(NamedTuple):
    """From where on the attempts at a step count that was to be done again."""

    times: int
    """How often it was to be done again."""
    steps: int
    """How many attempts at steps had ended when it was to be done again for the last time."""


class SampleState(NamedTuple):
    """What is to be done of a run of which only a sample was asked for."""

    items: int
    """How many tasks of each wide phase."""
    held: Mapping[str, str]
    """Phases that are not begun at all, with the reason."""


class PhaseState(NamedTuple):
    """Where a phase stands."""

    expected: int
    """Tasks it has."""
    started: datetime
    """When it began for the first time, in UTC."""
    taken_up: datetime
    """When the process that works on it now began with it."""
    ended: datetime | None = None
    """When its sync point was passed; None while it is at work."""
    skipped: str = ""
    """Why nothing of it is done; empty for a phase that is wanted."""
    compared: ComparedItems | None = None
    """How its items differ from those of an earlier run; None where nothing of that is kept."""
    flat: tuple[str, ...] | None = None
    """Open concerns that everybody who decides next was given at its sync point; None: it was no flat moment (O6)."""
