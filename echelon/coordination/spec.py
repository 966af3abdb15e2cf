"""What is to be done in one run, and who does it. Frozen; nothing here changes while the run is at work."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel

from echelon.conventions.brief import brief_conventions
from echelon.definition.definition import JobDefinition
from echelon.definition.expansion import Expansion, Found
from echelon.definition.planned import Planned, planned
from echelon.journal.digest import digest_of
from echelon.model.graph import TaskSpec
from echelon.model.handoff import Handoff
from echelon.model.plan import Plan
from echelon.model.policy import DEFAULT_BY_VALUE_TOKENS


def utc_now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """One run: the job, its inputs, and the plan that is carried out."""

    run_id: str
    """Unique."""
    job: JobDefinition
    """The job."""
    inputs: BaseModel
    """Its inputs."""
    expansion: Expansion
    """Who is called for each task."""
    plan: Plan
    """The plan."""
    folder: Path
    """Where agents get their workspaces."""
    found: Found = field(default_factory=dict[str, Sequence[object]])
    """Items that were found on the way, by phase, as far as the plan has them (X12)."""
    spans: Mapping[str, int] = field(default_factory=dict[str, int])
    """The most direct reports in parts of the tree that the run has changed, by phase (R10)."""
    previous: Mapping[str, Handoff] = field(default_factory=dict[str, Handoff])
    """What the last completed run of this job on the same inputs delivered, by task."""
    by_value_tokens: int = DEFAULT_BY_VALUE_TOKENS
    """Tokens of earlier outputs that an agent is given by value, where the job says nothing (C6)."""
    now: Callable[[], datetime] = utc_now
    """The clock."""

    def replan(self, found: Found, spans: Mapping[str, int] | None = None) -> Planned:
        """Plan the job anew, with items found on the way, or with other spans in parts of its tree (X12, R10).

        Raises `InvalidJob` or `InvalidInput` where it cannot be.
        """
        limits = self.plan.limits
        return planned(self.job, self.inputs, limits=limits, found=found, spans=self.spans if spans is None else spans)

    @cached_property
    def inputs_digest(self) -> str:
        """Identity of the inputs."""
        return digest_of(self.inputs)

    @cached_property
    def tasks(self) -> dict[str, TaskSpec]:
        """Tasks of the plan by id."""
        return {task.id: task for task in self.plan.tasks}

    @cached_property
    def conventions(self) -> tuple[str, ...]:
        """What every agent of the run keeps to; no part of a step's identity, so no work is done again for it (F8)."""
        return brief_conventions(self.plan)
