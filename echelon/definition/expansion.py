"""What a job becomes for given inputs: one task a call, as a graph that planning understands."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import BaseModel, ValidationError

from echelon.agents.agent import Agent, cannot_be_undone
from echelon.agents.prices import published_prices
from echelon.contract.complaint import said_of
from echelon.contract.declared import vocabularies_in
from echelon.definition.definition import JobDefinition
from echelon.definition.facts import AgentFacts, facts_of
from echelon.definition.graphs.graph_agents import ALL_OTHERS
from echelon.definition.items import check_most, too_few
from echelon.definition.names import recordable_name
from echelon.definition.phase import PhaseDefinition, integrators_of
from echelon.definition.touched import touched_by
from echelon.journal.digest import canonical_json
from echelon.model.errors import EchelonError, InvalidInput, InvalidJob
from echelon.model.graph import TaskGraph, TaskSpec
from echelon.model.phrasing import listed


@dataclass(frozen=True, kw_only=True)
class PlannedCall:
    """One task: the agent that does it, and the item it does it on."""

    task_id: str
    phase: str
    agent: Agent
    item: object = None


@dataclass(frozen=True, kw_only=True)
class Expansion:
    """All tasks of a job for given inputs."""

    graph: TaskGraph
    calls: dict[str, PlannedCall]


#: Items that were found on the way, by phase.
Found = Mapping[str, Sequence[object]]


def expand(job: JobDefinition, inputs: BaseModel, found: Found = MappingProxyType({})) -> Expansion:
    """Find the items of every phase and make one task of each call; `InvalidJob` when two have one key.

    Phases whose items are found on the way have tasks as far as those are in `found`.
    """
    check_runnable(job)
    calls: dict[str, PlannedCall] = {}
    tasks: list[TaskSpec] = []
    waits_for: dict[str, tuple[str, ...]] = {}
    models: list[str | None] = []
    for phase in job.phases.values():
        later = _known_later(phase, found)
        facts = {one.name: _facts(job, phase, one) for one in phase.agents}
        models += [one.model for one in facts.values()]
        models += [_facts(job, phase, one).model for one in phase.redundancy.agents]
        before = tuple(dict.fromkeys(name for needed in phase.needs for name in waits_for[needed]))
        began = len(tasks)
        items = _items(phase, inputs, found)
        for call, domain in () if later else _calls(phase, items, _default_domain(job, phase)):
            if call.task_id in calls:
                raise InvalidJob(
                    f"phase {phase.name!r}: two items have the key {call.task_id!r}; give `key=` a function"
                )
            calls[call.task_id] = call
            known = facts.get(call.agent.name) or facts_of(call.agent, call.agent.resilience)
            tasks.append(_spec(job, phase, call, domain, known, before))
        # Whoever comes behind a phase without tasks comes behind what that waits for.
        waits_for[phase.name] = (*([phase.name] if len(tasks) > began else before), *later)
    graph = TaskGraph(
        name=job.name,
        goal=job.goal,
        tasks=tuple(tasks),
        constraints=job.constraints,
        organisation=job.organisation,
        priors=job.priors,
        budget=job.budget,
        standing=job.standing,
        prices=published_prices((*models, *_integrating_models(job))) | job.prices,
        vocabularies=declared_words(job),
    )
    return Expansion(graph=graph, calls=calls)


def expected_task(job: JobDefinition, phase: PhaseDefinition) -> TaskSpec:
    """Return the task that an item of a phase would be, where none was found."""
    agent = phase.agents[0]
    call = PlannedCall(task_id=f"{phase.name}/expected", phase=phase.name, agent=agent)
    return _spec(job, phase, call, _default_domain(job, phase), _facts(job, phase, agent), phase.needs)


def _facts(job: JobDefinition, phase: PhaseDefinition, agent: Agent) -> AgentFacts:
    return facts_of(agent, agent.resilience.over(phase.resilience).over(job.defaults))


def _integrating_models(job: JobDefinition) -> list[str | None]:
    """Return the models that integrate, whose tokens have a price too; `InvalidJob` for a contract without a schema."""
    return [_facts(job, phase, one).model for phase in job.phases.values() for one in integrators_of(phase)]


def _default_domain(job: JobDefinition, phase: PhaseDefinition) -> str | None:
    """Return the domain of what has none: beside phases with domains, the agents of one without belong together."""
    return phase.name if any(one.domain for one in job.phases.values()) else None


def declared_words(job: JobDefinition) -> dict[str, tuple[str, ...]]:
    """Return the words that the contracts of agents and integrators declare (C3)."""
    makers = [agent for phase in job.phases.values() for agent in (*phase.agents, *integrators_of(phase))]
    return {name: words for maker in makers for name, words in vocabularies_in(maker.output_type).items()}


def check_runnable(job: JobDefinition) -> None:
    """Raise `InvalidInput` for a job that was made from a task graph and has tasks that no agent is known to do."""
    lacking = job.graph_agents.lacking() if job.graph_agents is not None else ()
    if lacking:
        alone = listed([f"for {one!r}" if one != ALL_OTHERS else "for tasks that ask for none" for one in lacking], 5)
        raise InvalidInput(
            f"{job.source or job.name} cannot be run, it is not known which agent has the capability: {alone}; "
            'write "agents": {"*": "module:agent"} into the task graph, or give --agent \'*=module:agent\' (instead of '
            "*, the name of a capability); without agents it can be rehearsed with --rehearse"
        )
    job.check_complete()


def _known_later(phase: PhaseDefinition, found: Found) -> tuple[str, ...]:
    return (phase.name,) if phase.is_open and phase.name not in found else ()


def _items(phase: PhaseDefinition, inputs: BaseModel, found: Found) -> Sequence[object] | None:
    """Return the items of a phase; None for one that has none."""
    if phase.discovery is None:
        return None
    if phase.discovery.before is None:
        return found.get(phase.name, ())
    with _explained(phase.name, "finding its items"):
        return phase.discovery.before(inputs)


def _calls(
    phase: PhaseDefinition, items: Sequence[object] | None, default_domain: str | None
) -> Iterator[tuple[PlannedCall, str | None]]:
    if items is None:
        for agent in phase.agents:
            yield PlannedCall(task_id=f"{phase.name}/{agent.name}", phase=phase.name, agent=agent), default_domain
        return
    if phase.items is not None:
        check_most(phase.name, len(items), phase.items)
        if len(items) < phase.items[0]:
            agent = too_few(phase.name, len(items), phase.items)
            yield PlannedCall(task_id=f"{phase.name}/{agent.name}", phase=phase.name, agent=agent), default_domain
            return
    for item in items:
        with _explained(phase.name, f"the key of {item!r}"):
            key = recordable_name(str(phase.key(item)))
        with _explained(phase.name, f"the domain of {key!r}"):
            domain = phase.domain(item) if phase.domain else default_domain
            domain = recordable_name(domain) if isinstance(domain, str) else domain
        _check_recordable(phase.name, key, item)
        if phase.sync is not None:
            with _explained(phase.name, f"the milestone of {key!r}"):
                phase.sync.check_item(item)
        if phase.reuse is not None:
            phase.reuse.check_item(phase.name, key, item)
        yield PlannedCall(task_id=f"{phase.name}/{key}", phase=phase.name, agent=phase.agents[0], item=item), domain


@contextmanager
def _explained(phase: str, what: str) -> Generator[None]:
    """Say which part of a phase went wrong, unless the error explains itself."""
    try:
        yield
    except EchelonError:
        raise
    except Exception as error:
        raise InvalidJob(f"phase {phase!r}: {what} failed: {type(error).__name__}: {said_of(error)}") from error


def _check_recordable(phase: str, key: object, item: object) -> None:
    """Refuse an item that has no JSON form: without one a task has no identity, and cannot be resumed (F8)."""
    try:
        canonical_json(item)
    except InvalidInput as error:
        raise InvalidJob(f"phase {phase!r}: item {key!r}: {error}") from error


def _spec(
    job: JobDefinition,
    phase: PhaseDefinition,
    call: PlannedCall,
    domain: str | None,
    facts: AgentFacts,
    needs: tuple[str, ...],
) -> TaskSpec:
    planned = any(call.agent is one for one in phase.agents)  # and not in the place of items that were not found
    with _explained(phase.name, f"what {call.task_id!r} touches"):
        expected = callable(phase.touches) and call.item is None
        touches = () if expected or not planned else touched_by(phase.name, phase.touches, call.item)
    redundancy = phase.redundancy
    standby = redundancy.standby
    try:
        return TaskSpec(
            id=call.task_id,
            goal=call.agent.goal,
            phase=phase.name,
            needs=needs,
            domain=domain,
            capability=phase.capability if planned and phase.capability else call.agent.name,
            tokens=phase.tokens,
            seconds=phase.seconds,
            irreversible=cannot_be_undone(call.agent),
            gate=phase.gate if planned else None,
            error_consequence=phase.error_consequence,
            priority=phase.priority,
            touches=touches,
            contract=facts.contract,
            kind=facts.kind,
            provider=facts.provider,
            model=facts.model,
            attempts=facts.attempts,
            replicas=redundancy.replicas,
            agree=redundancy.agree,
            replica_models=tuple(_facts(job, phase, one).model for one in redundancy.others),
            standby=standby.name if standby else None,
            standby_model=_facts(job, phase, standby).model if standby else None,
        )
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise InvalidJob(f"task {call.task_id!r} cannot be planned: {said}") from error
