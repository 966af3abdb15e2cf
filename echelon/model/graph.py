"""A task graph: what must be done and what depends on what. The input of planning, before any structure (D)."""

from collections import Counter
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from echelon.model.base import Value
from echelon.model.organisation import Organisation
from echelon.model.oversight.terms import Gate, gate_of
from echelon.model.phrasing import listed
from echelon.model.priors import Priors
from echelon.model.redundancy.replicas import why_not_agreed
from echelon.model.usage import Budget, Price

#: Replicas of one task at most.
MAX_REPLICAS = 9

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


class TaskCriterion(Value):
    """What must be true of the result of a task: one of these (D11)."""

    text: str = ""
    """In words."""
    check: str = ""
    """A function or an agent that checks it: `module:check` or `file.py:check`."""
    command: tuple[str, ...] = ()
    """A command that checks it, the program first, by its exit code; what it writes is what is missing."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(map(bool, (self.text.strip(), self.check, self.command))) != 1:
            raise ValueError("a criterion is a text, a check or a command: give one of these")
        return self


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
    """Shared things it changes; tasks that touch the same are never at work at one time (D4)."""
    priority: int = 0
    """Higher first when agents wait for slots (F5)."""
    irreversible: bool = False
    """Can its effect not be undone?"""
    gate: Annotated[Gate | None, BeforeValidator(gate_of)] = None
    """The terms on which a person is asked before it begins; None: what cannot be undone has the usual ones (O5)."""
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
    replicas: int = Field(default=1, ge=1, le=MAX_REPLICAS)
    """How many do it at the same time (F9)."""
    agree: int = Field(default=1, ge=1)
    """How many of them must deliver the same; with 1 the first handoff wins."""
    replica_models: tuple[str | None, ...] = ()
    """Models of the replicas behind the first, where they are other agents; empty: all are the same one."""
    success: tuple[TaskCriterion, ...] = ()
    """What must be true of its result (D11)."""
    standby: str | None = None
    """The agent that takes over when it is late or fails; None: there is none (F9)."""
    standby_model: str | None = None
    """The model of that one."""

    @model_validator(mode="after")
    def _can_be_done_twice(self) -> Self:
        wrong = why_not_agreed(self.replicas, self.agree)
        if wrong:
            raise ValueError(wrong)
        if self.irreversible and (self.replicas > 1 or self.standby):
            raise ValueError("what cannot be undone has no replicas and no standby: it would be done twice")
        return self

    @property
    def at_gate(self) -> Gate | None:
        """The gate that it waits at; None where nobody is asked (O5)."""
        return self.gate or (Gate() if self.irreversible else None)

    @property
    def models(self) -> tuple[str | None, ...]:
        """The model of each replica."""
        return (self.model, *self.replica_models) if self.replica_models else (self.model,) * self.replicas

    @property
    def works_as(self) -> WorkerKind:
        """What does it; where no agent is known, a model does what names one."""
        return self.kind or (WorkerKind.MODEL if self.model else WorkerKind.FUNCTION)


class CapacityLimit(Value):
    """What bounds how many agents are at work, or begin in a minute: of all, a kind, a provider or a shared thing (F5).

    It bounds all agents when it names none of these. Those who touch a shared thing take turns: one is at work (D4).
    """

    kind: WorkerKind | None = None
    """Only agents of this kind."""
    provider: str | None = None
    """Only agents that call this dependency."""
    thing: str | None = None
    """Only agents whose tasks touch this shared thing."""
    at_once: int | None = Field(default=None, ge=1)
    """At work at one time; None: no bound."""
    requests_per_minute: float | None = Field(default=None, gt=0)
    """Calls in a minute; None: no bound."""
    tokens_per_minute: float | None = Field(default=None, gt=0)
    """Tokens in a minute; None: no bound."""

    @property
    def name(self) -> str:
        """What it bounds, in the plural."""
        if self.thing is not None:
            return f"agents that change {self.thing!r}"
        return _PLURALS[self.kind] if self.kind else f"calls to {self.provider}" if self.provider else "agents"

    @property
    def for_all(self) -> bool:
        """Does it bound all agents together?"""
        return self.kind is None and self.provider is None and self.thing is None

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
        if self.thing is not None:
            return self.thing in task.touches
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
    """The most that a run of the job may consume (F4); None: nobody said."""
    standing: tuple[Budget, ...] = ()
    """The most that all runs of the job may consume in a day or a month; each states `per` (F10)."""
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
