"""A job as an agent of another job: what it is given, what it hands on, and which jobs may contain which."""

from collections.abc import Awaitable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeGuard, Union, cast

from pydantic import BaseModel
from pydantic_core import to_json

from echelon.agents.agent import Agent, Effect, cannot_be_undone
from echelon.agents.call import Call, CallShape
from echelon.agents.fingerprint.agent import fingerprint_of_all
from echelon.agents.outcome import Outcome
from echelon.definition.fallbacks import stand_ins_of
from echelon.definition.inputs import read_inputs
from echelon.definition.phase import PhaseDefinition, integrators_of
from echelon.model.adapter import adapter_of, read_json
from echelon.model.edges import is_mapping
from echelon.model.errors import InvalidJob
from echelon.model.graph import WorkerKind
from echelon.model.policy import Resilience

if TYPE_CHECKING:
    from echelon.definition.definition import JobDefinition

#: A run as a task has no time limit, no retries and no slots but what its own agents have. Its budget is inherited.
ITS_AGENTS_ARE_GUARDED = Resilience(
    timeout_seconds=False,
    idle_seconds=False,
    attempts=1,
    breaker=False,
    provider=False,
    bulkhead=False,
    rate_limit=False,
    domain_bulkhead=False,
    retry_budget=False,
)


class RunInside(Protocol):
    """Carries out a job as a task of the run that calls."""

    def __call__(self, agent: "JobAgent", inputs: BaseModel, call: Call) -> Awaitable[Outcome[object]]:
        """Return what the run of the job delivered; raises what says why it delivered nothing."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class JobAgent:
    """A job that does a task: it has a plan and a run of its own."""

    job: "JobDefinition"
    name: str
    goal: str
    output_type: object
    """What the phase at the end of the job hands on."""
    run: RunInside
    """Carries it out."""
    resilience: Resilience = ITS_AGENTS_ARE_GUARDED
    #: Whatever its agents do to the world, its run knows what was done: it may be gone on with at any time (F8).
    effect: Effect = "read"
    kind: WorkerKind = WorkerKind.JOB
    pays_by_part: bool = True
    shape: CallShape | None = None

    @property
    def fingerprint(self) -> str:
        """What changes with the code of any of its agents: the run is gone on with, and does those again (F8)."""
        return fingerprint_of_all(agents_in(self.job))

    @property
    def holds_irreversible(self) -> bool:
        """Is something done in the job that cannot be undone?"""
        return any(map(cannot_be_undone, agents_in(self.job)))

    def bind(self, shape: CallShape) -> Self:
        """Check that the inputs of the job have a source; what items give only the first call can tell."""
        if shape.integrates:
            raise InvalidJob(
                f"job {self.job.name!r} cannot integrate: its inputs are no handoffs; let a function put them "
                "together, or give the job a phase of its own"
            )
        wanted, given = self.job.inputs_type, shape.inputs_type
        if not shape.takes_item and not issubclass(given, wanted):
            lacking = [name for name in _required(wanted) if name not in given.model_fields]
            if lacking:
                known = ", ".join(given.model_fields) or "none"
                raise InvalidJob(
                    f"job {self.job.name!r} as an agent: nothing gives its input {lacking[0]!r} a value; name an input "
                    f"of the outer job so (inputs: {known}), or give the phase items with `each` and `over`"
                )
        return replace(self, shape=shape)

    async def perform(self, call: Call) -> Outcome[object]:
        """Carry the job out, or go on with the run that was begun for this task."""
        return await self.run(self, self.inputs_of(call), call)

    def inputs_of(self, call: Call) -> BaseModel:
        """Return the inputs of the job: the item, or what is named like its fields in the item and the outer inputs.

        An item that has no such fields is the first input that nothing else gives. `InvalidInput` says what is wrong.
        """
        wanted = self.job.inputs_type
        takes_item = self.shape is not None and self.shape.takes_item
        for whole in (call.item, call.inputs) if takes_item else (call.inputs,):
            if isinstance(whole, wanted):
                return whole
        names = wanted.model_fields
        outer = {name: getattr(call.inputs, name) for name in names if name in type(call.inputs).model_fields}
        if not takes_item:
            return read_inputs(wanted, outer)
        own = _fields_of(call.item, names)
        if not own:
            free = next((name for name in (*_required(wanted), *names) if name not in outer), None)
            own = {free: call.item} if free is not None else {}
        return read_inputs(wanted, outer | own)


def agents_of_phase(phase: PhaseDefinition) -> Iterator[Agent]:
    """Yield everybody who may work in a phase: agents and those beside them, integrators and checks."""
    yield from phase.agents
    yield from phase.redundancy.agents
    yield from stand_ins_of(phase.fallbacks)
    yield from integrators_of(phase)
    yield from phase.success.verifiers
    yield from phase.judges.everybody
    if phase.repetition is not None:
        yield phase.repetition.check
    if phase.settler is not None:
        yield phase.settler


def agents_in(job: "JobDefinition") -> Iterator[Agent]:
    """Yield everybody who may work in a job."""
    for phase in job.phases.values():
        yield from agents_of_phase(phase)


def is_nested(agent: Agent) -> TypeGuard[JobAgent]:
    """Say whether an agent is a job."""
    return isinstance(agent, JobAgent)


def check_nesting(job: "JobDefinition", phase: PhaseDefinition) -> None:
    """Refuse a phase by which a job would contain itself, or change what it hands on where it is an agent already.

    `InvalidJob` shows the way round, since a run of it would never end.
    """
    inner = [agent.job for agent in filter(is_nested, agents_of_phase(phase))]
    for one in inner:
        if way := _way_to(job, one):
            said = " → ".join((job.name, *way))
            raise InvalidJob(f"job {job.name!r} would be an agent of itself: {said}; take one of them out")
    if job.is_inner:
        raise InvalidJob(
            f"job {job.name!r} is an agent of another job, which knows what it hands on; define phase {phase.name!r} "
            "before that"
        )
    for one in inner:
        one.is_inner = True


def _way_to(job: "JobDefinition", start: "JobDefinition") -> tuple[str, ...]:
    if start is job:
        return (start.name,)
    for agent in filter(is_nested, agents_in(start)):
        if way := _way_to(job, agent.job):
            return (start.name, *way)
    return ()


def output_of_job(job: "JobDefinition") -> object:
    """Return the type of what a run of a job delivers: that of its phase at the end; of several, by their names (X12).

    `InvalidJob` when it has none.
    """
    job.check_complete()
    if not job.phases:
        what = "is a task graph, and has no agents" if job.graph else "has no phases yet; define them before"
        raise InvalidJob(f"job {job.name!r} cannot be an agent of another job: it {what}")
    ends = [_output_of_phase(phase) for phase in _ends(job)]
    return ends[0] if len(ends) == 1 else cast("Any", dict)[str, _one_of(ends)]


def read_output(agent: JobAgent, written: object) -> object:
    """Return what a run delivered, from JSON, as the contract of its job has it; `ValueError` when it does not fit."""
    ends = _ends(agent.job)
    if len(ends) == 1:
        return _read(agent, _made_by(ends[0], written))
    made = {phase.name: _made_by(phase, written.get(phase.name) if is_mapping(written) else None) for phase in ends}
    return _read(agent, {name: one for name, one in made.items() if one is not None})


def _read(agent: JobAgent, written: object) -> object:
    return read_json(adapter_of(agent.output_type), to_json(written))


def _made_by(phase: PhaseDefinition, written: object) -> object:
    """Return what a phase at the end made; where there was no item that is nothing for each of them."""
    return {} if written is None and _is_mapping(phase) else written


def _ends(job: "JobDefinition") -> list[PhaseDefinition]:
    needed = {need for phase in job.phases.values() for need in phase.needs}
    return [phase for phase in job.phases.values() if phase.name not in needed]


def _output_of_phase(phase: PhaseDefinition) -> object:
    made = _one_of(agent.output_type for agent in integrators_of(phase) or phase.agents)
    return cast("Any", dict)[str, made] if _is_mapping(phase) else made


def _is_mapping(phase: PhaseDefinition) -> bool:
    """Say whether a phase hands on what its tasks made, by their names."""
    return not phase.single and phase.integrator is None


def _one_of(types: Iterable[object]) -> object:
    distinct = list[object]()
    for one in types:
        if one not in distinct:
            distinct.append(one)
    return distinct[0] if len(distinct) == 1 else cast("Any", Union)[tuple(distinct)]


def _required(inputs_type: type[BaseModel]) -> list[str]:
    return [name for name, field in inputs_type.model_fields.items() if field.is_required()]


def _fields_of(item: object, names: Iterable[str]) -> dict[str, object]:
    """Return what an item has under these names: fields of a model or an object, entries of a mapping."""
    if is_mapping(item):
        return {name: item[name] for name in names if name in item}
    if isinstance(item, BaseModel) or hasattr(item, "__dataclass_fields__"):
        return {name: getattr(item, name) for name in names if hasattr(item, name)}
    return {}
