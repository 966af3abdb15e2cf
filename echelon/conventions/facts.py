"""What is switched on in a run, as far as conventions speak of it: what is not true is not said (K). Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal, NamedTuple, Self

from echelon.model.autonomy.terms import AutonomyTerms
from echelon.model.base import Value
from echelon.model.graph import WorkerKind
from echelon.model.organisation import Structure
from echelon.model.plan import PhasePlan, Plan
from echelon.model.terms import OpenPhase
from echelon.planning.regime import Priority, structure_for


class Audience(StrEnum):
    """Who is told a sentence."""

    MODEL = "model"  #: a language model: what it can act on, and nothing else
    COMMAND = "command"  #: a command-line tool, which has a brief and a file to speak up in
    FUNCTION = "function"  #: a function, in whatever process, or an agent of somebody's own kind
    PERSON = "person"  #: whoever reads the page


#: Who does work.
AGENTS = frozenset({Audience.MODEL, Audience.COMMAND, Audience.FUNCTION})

#: What an agent is → who is told. A job has agents and conventions of its own, and is told nothing.
AUDIENCES: dict[WorkerKind, Audience] = {
    WorkerKind.MODEL: Audience.MODEL,
    WorkerKind.COMMAND: Audience.COMMAND,
    WorkerKind.FUNCTION: Audience.FUNCTION,
    WorkerKind.PROCESS: Audience.FUNCTION,
}


class JobFacts(Value):
    """What is switched on in a job that its plan does not say."""

    agents: frozenset[Audience] = frozenset()
    """Kinds of agents that work in it."""
    speaking: frozenset[Audience] = frozenset()
    """Kinds of which some may speak up while they work (X15)."""
    breakers: tuple[str, ...] = ()
    """Dependencies that a breaker guards (F1)."""
    flexible: bool = False
    """Is an output that does not fit repaired, for some of its agents (C5)?"""
    fallbacks: bool = False
    """Does something stand in for an output that is lost, somewhere (F2)?"""
    kept: tuple[str, ...] = ()
    """Phases that keep what an earlier run did of the same."""
    adapt: Literal["off", "propose", "apply"] = "off"
    """What happens when its structure is outgrown (R10)."""
    verifiers: tuple[str, ...] = ()
    """Who judges the results that everything rests on, beside what phases state themselves (O3)."""
    auditors: tuple[str, ...] = ()
    """Who judges integrations, beside what their contracts promise (O4)."""
    audited: bool = False
    """Does it state how integrations are audited?"""
    autonomy: AutonomyTerms | None = None
    """How far results proceed by the record of their agents; None: by what these state of themselves alone (X6)."""
    peers: tuple[str, ...] = ()
    """Who looks at results of which their agents are neither sure nor unsure enough."""
    flat: tuple[str, ...] = ()
    """Phases whose sync points are flat moments (O6)."""
    early: tuple[str, ...] = ()
    """Phases in waves of which teams and domains are put together before the end (X3)."""


class BriefReader(NamedTuple):
    """One who is told: all that decides what that is."""

    audience: Audience
    """What kind of agent it is."""
    speaks: bool
    """Can it speak up while it works (X15)?"""
    phase: str = ""
    """The phase it works in; empty: any."""
    receives: bool = True
    """Is it given what others made?"""
    does_task: bool = True
    """Does it do a task? Else it integrates, checks, or finds out what is to be done."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a run when its conventions are written."""

    agents: int
    """Agents that do tasks."""
    structure: Structure
    """How they are organised (R1)."""
    plan: Plan | None = None
    """The plan; None where only their number is known."""
    job: JobFacts
    """What the job has switched on."""
    reader: BriefReader | None = None
    """Who is told; None: people."""

    def told_to(self, reader: BriefReader) -> Self:
        """Return what is true for one agent: of its kind alone, with a voice or without one, in its phase."""
        kind = frozenset({reader.audience})
        alone = self.job.model_copy(update={"agents": kind, "speaking": kind if reader.speaks else frozenset()})
        return replace(self, job=alone, reader=reader)

    @property
    def are_several(self) -> bool:
        """Is there more than one agent?"""
        return self.agents > 1

    @property
    def phases(self) -> tuple[PhasePlan, ...]:
        """The phases as far as they are planned: that of the one who is told, or all of them."""
        planned = self.plan.phases if self.plan else ()
        return tuple(phase for phase in planned if self._phase in ("", phase.name))

    @property
    def is_integrated(self) -> bool:
        """Does a coordinator put outputs together?"""
        return any(phase.integration in ("primary", "staged") for phase in self.phases)

    @property
    def takers(self) -> tuple[OpenPhase, ...]:
        """Phases that take proposed tasks of the phase of the one who is told, or of any (D10)."""
        proposed = (one for one in self.plan.open if one.proposed) if self.plan else ()
        return tuple(one for one in proposed if not self._phase or self._phase in one.after)

    @property
    def receives_work(self) -> bool:
        """Is the one who is told given what others made?"""
        return self.are_several and (self.reader is None or self.reader.receives)

    @property
    def _phase(self) -> str:
        return self.reader.phase if self.reader else ""


def facts_of(plan: Plan, job: JobFacts | None = None) -> Facts:
    """Return what is known of a plan, and of the job that it is made for.

    Without the job all that is known of its agents is what its tasks say of them, and each may speak up.
    """
    return Facts(
        agents=plan.n_agents, structure=plan.structure, plan=plan, job=job if job and job.agents else _facts_in(plan)
    )


def facts_of_number(agents: int, priority: Priority | None = None) -> Facts:
    """Return what is known of so many agents, of any kind; `InvalidInput` for a negative number (R1)."""
    job = JobFacts(agents=AGENTS, speaking=AGENTS)
    return Facts(agents=agents, structure=structure_for(agents, priority), job=job)


def _facts_in(plan: Plan) -> JobFacts:
    kinds = frozenset(_audiences_in(plan))
    return JobFacts(agents=kinds, speaking=kinds)


def _audiences_in(plan: Plan) -> Iterator[Audience]:
    for kind in {task.works_as for task in plan.tasks}:
        if kind in AUDIENCES:
            yield AUDIENCES[kind]
