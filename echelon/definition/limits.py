"""What bounds how many agents of a job are at work at one time: for the plan, the forecast and the run alike (F5)."""

from collections.abc import Iterator, Mapping

from echelon.agents.processes.processors import processors
from echelon.definition.definition import JobDefinition
from echelon.definition.facts import caller_of
from echelon.definition.nested import agents_in, agents_of_phase, is_nested
from echelon.definition.phase import PhaseDefinition
from echelon.model.errors import InvalidInput, InvalidJob
from echelon.model.graph import CapacityLimit, WorkerKind
from echelon.model.policy import Resilience

#: Agents of a kind at work at one time where nobody states a number; of commands and processes as many as processors.
DEFAULT_FUNCTIONS = 256
DEFAULT_MODELS = 16
DEFAULT_JOBS = 8

#: What is stated in one place for each dependency, and holds for everybody who names it.
_SHARED = ("bulkhead", "rate_limit")


def limits_of(job: JobDefinition, max_concurrency: int | None = None) -> tuple[CapacityLimit, ...]:
    """Return the limits of a job: those of its agents, then those of the providers that they call.

    A number that is stated, with `max_concurrency` or else by the job, holds for all its agents together; otherwise
    each kind has its own. CPU-bound functions are never more than processors. Raises `InvalidJob` when two agents
    state different limits for one provider.
    """
    stated = job.max_concurrency if max_concurrency is None else max_concurrency
    if stated is not None and stated < 1:
        raise InvalidInput(f"cannot run {stated} agents at a time: nothing would start; allow 1 or more")
    cores = processors()
    process = CapacityLimit(kind=WorkerKind.PROCESS, at_once=cores)
    agents = (
        (
            CapacityLimit(kind=WorkerKind.FUNCTION, at_once=DEFAULT_FUNCTIONS),
            CapacityLimit(kind=WorkerKind.MODEL, at_once=DEFAULT_MODELS),
            CapacityLimit(kind=WorkerKind.COMMAND, at_once=cores),
        )
        if stated is None
        else (CapacityLimit(at_once=stated),)
    )
    # Runs inside: however many agents are at work in them, each needs a lease and a plan of its own.
    jobs = CapacityLimit(kind=WorkerKind.JOB, at_once=min(DEFAULT_JOBS, stated or DEFAULT_JOBS))
    nested = (jobs,) if any(map(is_nested, agents_in(job))) else ()
    return (*agents, process, *nested, *map(_limit, provider_policies(job).items()))


def provider_policies(job: JobDefinition) -> dict[str, Resilience]:
    """Return what is stated about each provider, by its name; `InvalidJob` names what contradicts itself."""
    found: dict[str, Resilience] = {}
    for phase in _phases(job):
        for agent in agents_of_phase(phase):
            policy = agent.resilience.over(phase.resilience).over(job.defaults)
            name = policy.dependency or caller_of(agent)
            stated = {part: value for part in _SHARED if (value := getattr(policy, part))}
            if stated:
                found[name] = _together(name, found.get(name, Resilience()), Resilience(**stated))
    return found


def with_provider(policy: Resilience, providers: Mapping[str, Resilience]) -> Resilience:
    """Return a policy with what others state about the provider that it names."""
    known = providers.get(policy.dependency) if policy.dependency else None
    return policy if known is None else policy.over(known)


def _together(name: str, known: Resilience, stated: Resilience) -> Resilience:
    for part in _SHARED:
        one, other = getattr(known, part), getattr(stated, part)
        if one and other and one != other:
            raise InvalidJob(
                f"{part} of provider {name!r} is stated twice, as {one!r} and as {other!r}; state it in one place"
            )
    return stated.over(known)


def _phases(job: JobDefinition) -> Iterator[PhaseDefinition]:
    """Yield the phases of a job; those of a task graph are not known yet, but who works in them is."""
    yield from job.phases.values()
    if job.graph_agents is not None:
        yield job.graph_agents.everybody


def _limit(stated: tuple[str, Resilience]) -> CapacityLimit:
    name, policy = stated
    rate = policy.rate_limit or None
    return CapacityLimit(
        provider=name,
        at_once=policy.bulkhead.max_concurrency if policy.bulkhead else None,
        requests_per_minute=rate and rate.requests_per_minute,
        tokens_per_minute=rate and rate.tokens_per_minute,
    )
