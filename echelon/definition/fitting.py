"""What fits into a phase: something that is an agent, and consumers made for what producers make (C7)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast, get_args, get_origin

from echelon.agents.agent import Agent, BecomesAgent
from echelon.agents.binding import hints_of
from echelon.agents.call import CallShape
from echelon.agents.checks.criterion import refuse_success
from echelon.agents.decorators import Integrator, PhaseIntegrator, integrator
from echelon.agents.fallback import Fallbacks, fallbacks_of
from echelon.agents.function import FunctionAgent
from echelon.agents.handoffs import Handoffs
from echelon.agents.model import is_model, model_agent
from echelon.contract.fit import unfit
from echelon.contract.version import UNSTATED, type_name, version_of
from echelon.definition.phase import PhaseDefinition
from echelon.model.errors import InvalidJob


def agents_of(phase: str, *, agent: object, agents: Sequence[object], each: object) -> tuple[Agent, ...]:
    """Return the agents of a phase from the one way in which they must be given; `InvalidJob` says what is wrong."""
    ways = [given for given in ((agent,) if agent else (), tuple(agents), (each,) if each else ()) if given]
    if len(ways) != 1:
        raise InvalidJob(f"phase {phase!r} needs exactly one of `agent`, `agents` or `each`; it has {len(ways)}")
    who = tuple(as_agent(f"phase {phase!r}", one) for one in ways[0])
    names = [one.name for one in who]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidJob(f"phase {phase!r} has two agents called {twice[0]!r}; give one of them a name of its own")
    return who


def fitted(phase: str, given: object, who: Sequence[Agent], shape: CallShape) -> PhaseIntegrator:
    """Return what integrates in a phase, bound to it; `InvalidJob` when it is made for something else.

    An agent alone is the merger: the primary lets it merge everything at once.
    """
    found = _integrator_of(phase, given)
    for one in (found.merger, found.combiner):
        if one is not None:
            _check_may_integrate(phase, one)
    bound = found.bind(CallShape(inputs_type=shape.inputs_type, upstream=(phase,), integrates=True))
    merger, combiner = bound.merger, bound.combiner
    for one in who:
        _check_fits(phase, one, merger)
    if combiner is not None:
        _check_fits(phase, merger, combiner)
        _check_fits(phase, combiner, combiner)
        _check_one_contract(phase, merger, combiner)
    return bound


def _integrator_of(phase: str, given: Any) -> PhaseIntegrator:
    if isinstance(given, Integrator):
        return cast("PhaseIntegrator", given)
    if is_model(given) or isinstance(given, Agent):
        return integrator(given)
    raise InvalidJob(
        f"phase {phase!r}: `integrate` takes an agent, or a function under @integrator, and got a "
        f"{type(given).__name__}; put @integrator on the function"
    )


def _check_may_integrate(phase: str, one: Agent) -> None:
    if one.effect == "irreversible":
        raise InvalidJob(
            f"phase {phase!r}: {one.name!r} cannot integrate, since what it does cannot be undone, and what integrates "
            "is called again when what it is given changes; let it work in a phase of its own that needs this one"
        )
    function = _as_function(one)
    if function is not None and not any(received_types(function)):
        raise InvalidJob(
            f"phase {phase!r}: {one.name!r} would integrate nothing: give it a parameter of type Handoffs[...], which "
            "holds what was delivered"
        )
    own: Fallbacks | None = getattr(one, "fallback", None)
    if fallbacks_of(own):
        raise InvalidJob(
            f"phase {phase!r}: the fallback of {one.name!r} would not be tried: when an integration fails, its parts "
            "are passed on; take it away, or state a fallback on the `Need` of the phase that reads the result"
        )
    refuse_success(f"phase {phase!r}", one, "integrates; what a phase hands on is checked with constraints= of the job")


def _check_one_contract(phase: str, merger: Agent, combiner: Agent) -> None:
    """Refuse a combiner that makes something else, where it does not say itself what it takes.

    Which of the two makes the result depends on the number of agents: who reads it must not have to know.
    """
    if _as_function(combiner) is None and unfit(combiner.output_type, merger.output_type):
        raise InvalidJob(
            f"phase {phase!r}: {merger.name!r} makes {_described(merger.output_type)} and {combiner.name!r}, which "
            f"combines, makes {_described(combiner.output_type)}; which of them hands on the result depends on the "
            "number of agents, so let both make the same"
        )


def as_agent(where: str, given: Any) -> Agent:
    """Return what was given as an agent; `InvalidJob` says where it is none."""
    if is_model(given):
        return model_agent(given)
    if isinstance(given, BecomesAgent):
        return given.as_agent()
    if not isinstance(given, Agent):
        raise InvalidJob(f"{where}: {given!r} is not an agent; put @agent on the function")
    return given


def check_received(phase: str, consumers: Iterable[Agent], upstream: Mapping[str, PhaseDefinition]) -> None:
    """Refuse a consumer that is built for something else than the phases it needs hand on, before anything runs (C7).

    `InvalidJob` names both contracts: another type, or another major version. Another minor version is taken.
    """
    for consumer in consumers:
        function = _as_function(consumer)
        if function is None:
            continue
        for parameter, wanted in received_types(function):
            for name in [parameter] if parameter in upstream else upstream:
                _check_takes(phase, function, wanted, upstream[name])


def check_takes_some(where: str, consumer: Agent, of: str, producer: Agent) -> None:
    """Refuse a consumer that takes handoffs, and none of the kind that one of its producers makes (C7).

    `InvalidJob` names both contracts. A consumer that takes no handoffs, or is no function, takes what there is.
    """
    function = _as_function(consumer)
    if function is None:
        return
    found = [unfit(producer.output_type, wanted) for _, wanted in received_types(function)]
    if found and all(found):
        raise InvalidJob(f"{where}: {function.name!r} receives from {of}, where {producer.name!r} makes {found[0]}")


def _check_takes(phase: str, consumer: FunctionAgent[..., object], wanted: object, needed: PhaseDefinition) -> None:
    for producer in handing_on(needed):
        why = unfit(producer.output_type, wanted)
        if why:
            raise InvalidJob(
                f"phase {phase!r}: {consumer.name!r} receives from phase {needed.name!r}, where {producer.name!r} "
                f"makes {why}"
            )


def handing_on(phase: PhaseDefinition) -> tuple[Agent, ...]:
    """Return whose outputs a phase hands on: its integrator's, or else its agents'."""
    if phase.integrator is None:
        return phase.agents
    return tuple(one for one in (phase.integrator.merger, phase.integrator.combiner) if one is not None)


def _check_fits(phase: str, producer: Agent, consumer: Agent) -> None:
    """Refuse a function that integrates something else; what is no function takes anything."""
    function = _as_function(consumer)
    if function is None:
        return
    wanted = next((wanted for _, wanted in received_types(function)), Any)
    if unfit(producer.output_type, wanted):
        raise InvalidJob(
            f"phase {phase!r}: {producer.name!r} makes {_described(producer.output_type)}, "
            f"but {consumer.name!r} integrates {_described(wanted)}"
        )


def _as_function(agent: Agent) -> FunctionAgent[..., object] | None:
    """Return an agent that says what it takes; None for others, such as models and commands, which read any JSON."""
    return cast("FunctionAgent[..., object]", agent) if isinstance(agent, FunctionAgent) else None


def received_types(function: FunctionAgent[..., object]) -> Iterator[tuple[str, Any]]:
    """Yield the parameters of a function that take handoffs, with the contract it is built for."""
    for parameter, annotation in hints_of(function.function, function.name).items():
        if annotation is Handoffs or get_origin(annotation) is Handoffs:
            yield parameter, (get_args(annotation) or (Any,))[0]


def _described(contract: object) -> str:
    version = version_of(contract)
    return type_name(contract) if version == UNSTATED else f"{type_name(contract)} {version}"
