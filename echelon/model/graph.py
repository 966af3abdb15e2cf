"""A task graph: what must be done and what depends on what. The input of planning, before any structure (D)."""

from collections import Counter
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from echelon.model.base import Value
from echelon.model.organisation import Organisation
from echelon.model.phrasing import listed
from echelon.model.priors import Priors
from echelon.model.usage import Budget, Price

NAMED_AT_FAULT = 5  # task ids; more are counted in the message


#: How bad a wrong output is, the least first: easy to mend, dear to do again, damage that stays.
ErrorConsequence = Literal["minor", "significant", "catastrophic"]


class Coupling(StrEnum):
    """How much a consumer needs its producer (D3)."""

    TIGHT = "tight"  #: cannot run without it
    MEDIUM = "medium"  #: has a fallback
    LOOSE = "loose"  #: benefits from it, goes on without
    NONE = "none"  #: no dependency


class WorkerKind(StrEnum):
    """What an agent is, as far as it decides how many of them are at work at one time (F5)."""

    FUNCTION = "function"  #: a function, or an agent of somebody's own kind
    MODEL = "model"  #: a language model
    COMMAND = "command"  #: a coding agent or another command-line tool
    PROCESS = "process"  #: a CPU-bound function, which has a process of its own
    JOB = "job"  #: a job, which has a run of its own and waits for its agents


class Dependency(Value):
    """A task that another task uses."""

    task: str
    """Id of the task used."""
    coupling: Coupling = Coupling.LOOSE
    """How much it is needed (D3)."""
    reason: str = ""
    """Why the coupling is tight; asked for by the linter."""


class TaskSpec(Value):
    """One thing to be done."""

    id: str = Field(min_length=1)
    """Unique within the graph."""
    goal: str
    """What must be achieved."""
    depends_on: tuple[Dependency, ...] = ()
    """Tasks whose outputs it uses."""
    needs: tuple[str, ...] = ()
    """Phases whose sync point it waits for; their outputs reach it through that point, not task by task."""
    phase: str | None = None
    """The phase it was declared in; None lets the planner decide."""
    domain: str | None = None
    """The domain it belongs to; dots separate a domain from its part."""
    capability: str | None = None
    """What the agent must be able to do."""
    tokens: int | None = Field(default=None, ge=0)
    """Tokens expected to be used."""
    seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Duration expected, in seconds."""
    touches: tuple[str, ...] = ()
    """Shared things it changes; tasks that touch the same never run in one phase."""
    irreversible: bool = False
    """Can its effect not be undone?"""
    error_consequence: ErrorConsequence = "minor"
    """How bad a wrong output is."""
    contract: str | None = None
    """Name and version of the contract that its output keeps, as in `Finding@1` (C7)."""
    verifies: tuple[str, ...] = ()
    """Tasks whose outputs it checks; somebody else must do that (O3)."""
    kind: WorkerKind | None = None
    """What does it; None where no agent is known."""
    provider: str | None = None
    """The dependency that it calls, whose limits hold for it; None when nobody said it (F5)."""
    model: str | None = None
    """The model, or whatever else does it; those who share one share its blind spots (O3)."""
    attempts: tuple[Annotated[int, Field(ge=1)], ...] = ()
    """Attempts of each layer of retries around one call, outermost first; they multiply (F3)."""

    @property
    def works_as(self) -> WorkerKind:
        """What does it; where no agent is known, a model does what names one."""
        return self.kind or (WorkerKind.MODEL if self.model else WorkerKind.FUNCTION)


class CapacityLimit(Value):
    """What bounds how many agents are at work, or begin in a minute: all, those of a kind, or of a provider (F5).

    It bounds all agents when it names neither.
    """

    kind: WorkerKind | None = None
    """Only agents of this kind."""
    provider: str | None = None
    """Only agents that call this dependency."""
    at_once: int | None = Field(default=None, ge=1)
    """At work at one time; None: no bound."""
    requests_per_minute: float | None = Field(default=None, gt=0)
    """Calls in a minute; None: no bound."""
    tokens_per_minute: float | None = Field(default=None, gt=0)
    """Tokens in a minute; None: no bound."""

    @property
    def name(self) -> str:
        """What it bounds, in the plural."""
        return _PLURALS[self.kind] if self.kind else f"calls to {self.provider}" if self.provider else "agents"

    @property
    def for_all(self) -> bool:
        """Does it bound all agents together?"""
        return self.kind is None and self.provider is None

    @property
    def stated(self) -> str:
        """What it allows, in words."""
        numbers = (
            (self.at_once, "at a time"),
            (self.requests_per_minute, "requests a minute"),
            (self.tokens_per_minute, "tokens a minute"),
        )
        return ", ".join(f"{number:,.6g} {what}" for number, what in numbers if number is not None)

    def bounds(self, task: TaskSpec) -> bool:
        """Say whether it holds for a task."""
        if self.provider is not None:
            return task.provider == self.provider
        return self.kind is None or task.works_as is self.kind


_PLURALS = {
    WorkerKind.FUNCTION: "functions",
    WorkerKind.MODEL: "models",
    WorkerKind.COMMAND: "commands",
    WorkerKind.PROCESS: "CPU-bound functions",
    WorkerKind.JOB: "jobs",
}


class TaskGraph(Value):
    """A job as data: its goal and its tasks."""

    name: str
    """Name of the job."""
    goal: str
    """What the job must achieve."""
    tasks: tuple[TaskSpec, ...]
    """What must be done."""
    constraints: tuple[str, ...] = ()
    """What bounds every task (D9)."""
    organisation: Organisation = Organisation()
    """What people ask for, whatever the rules say (L)."""
    priors: Priors = Priors()
    """What is assumed until it is measured."""
    budget: Budget | None = None
    """The most that the job may consume (F4); None: nobody said."""
    prices: dict[str, Price] = Field(default_factory=dict[str, Price])
    """Price of each model."""
    vocabularies: dict[str, tuple[str, ...]] = Field(default_factory=dict[str, tuple[str, ...]])
    """The declared words that outputs are made of: what they say something about → the words allowed (C3)."""
    agents: dict[str, str] = Field(default_factory=dict[str, str])
    """Who does its tasks: capability → `module:agent` or `file.py:agent`; `*` for all capabilities not named."""

    @model_validator(mode="after")
    def _ids_are_unique_and_known(self) -> Self:
        counts = Counter(task.id for task in self.tasks)
        if len(counts) < len(self.tasks):
            twice = [known for known, times in counts.items() if times > 1]
            raise ValueError(f"task ids used twice: {listed(twice, NAMED_AT_FAULT)}")
        used = [(used, task.id) for task in self.tasks for used in (*(d.task for d in task.depends_on), *task.verifies)]
        unknown = {name: f"{name} (of {by})" for name, by in reversed(used) if name not in counts}
        if unknown:
            missing = [unknown[name] for name in sorted(unknown)]
            raise ValueError(f"dependencies on unknown tasks: {listed(missing, NAMED_AT_FAULT)}")
        selfish = [task.id for task in self.tasks if task.id in (*(d.task for d in task.depends_on), *task.verifies)]
        if selfish:
            raise ValueError(f"tasks that depend on themselves: {listed(selfish, NAMED_AT_FAULT)}")
        torn = [f"{task.id} (on {used})" for task in self.tasks for used in _couplings_differ(task)]
        if torn:
            pairs = listed(torn, NAMED_AT_FAULT)
            raise ValueError(f"tasks that depend twice on another, with different couplings: {pairs}")
        return self


def _couplings_differ(task: TaskSpec) -> list[str]:
    """Return the tasks that one depends on in more than one way."""
    if len(task.depends_on) < 2:
        return []
    ways = Counter(used for used, _ in {(d.task, d.coupling) for d in task.depends_on})
    return sorted(used for used, count in ways.items() if count > 1)
