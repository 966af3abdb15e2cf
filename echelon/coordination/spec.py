"""What is to be done in one run, and who does it. Frozen; nothing here changes while the run is at work."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel

from echelon.agents.agent import Agent
from echelon.conventions.brief import brief_conventions
from echelon.conventions.facts import BriefReader, Facts, facts_of
from echelon.coordination.step.previous_output import PreviousOutput
from echelon.definition.conventions import job_facts, reader_of
from echelon.definition.definition import JobDefinition
from echelon.definition.expansion import Expansion, Found
from echelon.definition.oversight.judges import criteria_for
from echelon.definition.planned import Planned, planned
from echelon.definition.success.criteria import Criteria
from echelon.journal.digest import digest_of
from echelon.model.graph import TaskSpec
from echelon.model.learning.learnt import Learnt
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
    learnt: Learnt | None = None
    """What earlier runs of the job teach: its forecasts rest on it (X10)."""
    previous: Mapping[str, PreviousOutput] = field(default_factory=dict[str, PreviousOutput])
    """What the last completed run of this job on the same inputs delivered, by task."""
    by_value_tokens: int = DEFAULT_BY_VALUE_TOKENS
    """Tokens of earlier outputs that an agent is given by value, where the job says nothing (C6)."""
    now: Callable[[], datetime] = utc_now
    """The clock."""

    def replan(self, found: Found, spans: Mapping[str, int] | None = None) -> Planned:
        """Plan the job anew, with items found on the way, or with other spans in parts of its tree (X12, R10).

        Raises `InvalidJob` or `InvalidInput` where it cannot be.
        """
        limits, spans = self.plan.limits, self.spans if spans is None else spans
        return planned(self.job, self.inputs, limits=limits, found=found, spans=spans, learnt=self.learnt)

    @cached_property
    def inputs_digest(self) -> str:
        """Identity of the inputs."""
        return digest_of(self.inputs)

    @cached_property
    def tasks(self) -> dict[str, TaskSpec]:
        """Tasks of the plan by id."""
        return {task.id: task for task in self.plan.tasks}

    def criteria_of(self, task: TaskSpec, agent: str, *, instead_of: str = "", phase: str = "") -> Criteria:
        """Return what the result of a task must pass that an agent does; its phase says so, and the plan (D11, O3)."""
        declared = self.job.phases[phase or self.phase_of[task.id]]
        return criteria_for(declared.success, declared.judges, self.plan, task, agent, instead_of)

    @cached_property
    def phase_of(self) -> dict[str, str]:
        """The phase in which each task is done."""
        return {task: phase.name for phase in self.plan.phases for task in phase.tasks}

    @cached_property
    def facts(self) -> Facts:
        """What is switched on in the run, as far as conventions speak of it (K)."""
        return facts_of(self.plan, job_facts(self.job))

    def conventions_for(self, agent: Agent, phase: str, *, receives: bool, does_task: bool) -> tuple[str, ...]:
        """Return what an agent keeps to that works in a phase: what it can act on, and nothing else (K).

        `receives` says whether it is given what others made, `does_task` whether it does a task of the plan. What it
        keeps to is no part of a step's identity, so no work is done again for it (F8).
        """
        known = self._told.get((id(agent), phase, receives, does_task))
        if known is None:
            reader = reader_of(agent, phase, receives=receives, does_task=does_task)
            known = agent, self._told_alike(reader) if reader else ()
            self._told[id(agent), phase, receives, does_task] = known
        return known[1]

    def _told_alike(self, reader: BriefReader) -> tuple[str, ...]:
        """Return what all are told that are told alike; made once, however many they are."""
        if reader not in self._alike:
            self._alike[reader] = brief_conventions(self.facts, reader)
        return self._alike[reader]

    @cached_property
    def _alike(self) -> dict[BriefReader, tuple[str, ...]]:
        return {}

    @cached_property
    def _told(self) -> dict[tuple[int, str, bool, bool], tuple[Agent, tuple[str, ...]]]:
        """What each agent was told so far, with the agent: finding out of what kind one is takes long."""
        return {}
