"""What fits into a phase: something that is an agent, and consumers made for what producers make (C7)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast, get_args, get_origin

from echelon.agents.agent import Agent, BecomesAgent
from echelon.agents.binding import hints_of
from echelon.agents.call import CallShape
from echelon.agents.decorators import Integrator, PhaseIntegrator
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
    who = tuple(_as_agent(phase, one) for one in ways[0])
    names = [one.name for one in who]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidJob(f"phase {phase!r} has two agents called {twice[0]!r}; give one of them a name of its own")
    return who


def fitted(phase: str, integrator: PhaseIntegrator, who: Sequence[Agent], shape: CallShape) -> PhaseIntegrator:
    """Return an integrator that is bound to its phase; `InvalidJob` when it is made for something else."""
    if not isinstance(cast("object", integrator), Integrator):
        raise InvalidJob(
            f"phase {phase!r}: `integrate` takes a function under @integrator, and got a {type(integrator).__name__}; "
            "a model may integrate in a phase of its own that needs this one"
        )
    bound = integrator.bind(CallShape(inputs_type=shape.inputs_type, upstream=(phase,)))
    for one in who:
        _check_fits(phase, one, bound.merger)
    if bound.combiner is not None:
        _check_fits(phase, bound.merger, bound.combiner)
        _check_fits(phase, bound.combiner, bound.combiner)
    return bound


def _as_agent(phase: str, given: Any) -> Agent:
    if is_model(given):
        return model_agent(given)
    if isinstance(given, BecomesAgent):
        return given.as_agent()
    if not isinstance(given, Agent):
        raise InvalidJob(f"phase {phase!r}: {given!r} is not an agent; put @agent on the function")
    return given


def check_received(phase: str, consumers: Iterable[Agent], upstream: Mapping[str, PhaseDefinition]) -> None:
    """Refuse a consumer that is built for something else than the phases it needs hand on, before anything runs (C7).

    `InvalidJob` names both contracts: another type, or another major version. Another minor version is taken.
    """
    for consumer in consumers:
        if not isinstance(consumer, FunctionAgent):
            continue
        function = cast("FunctionAgent[..., object]", consumer)
        for parameter, wanted in _received_types(function):
            for name in [parameter] if parameter in upstream else upstream:
                _check_takes(phase, function, wanted, upstream[name])


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


def _check_fits(phase: str, producer: Agent, consumer: FunctionAgent[..., object]) -> None:
    wanted = next((wanted for _, wanted in _received_types(consumer)), Any)
    if unfit(producer.output_type, wanted):
        raise InvalidJob(
            f"phase {phase!r}: {producer.name!r} makes {_described(producer.output_type)}, "
            f"but {consumer.name!r} integrates {_described(wanted)}"
        )


def _received_types(function: FunctionAgent[..., object]) -> Iterator[tuple[str, Any]]:
    """Yield the parameters of a function that take handoffs, with the contract it is built for."""
    for parameter, annotation in hints_of(function.function, function.name).items():
        if annotation is Handoffs or get_origin(annotation) is Handoffs:
            yield parameter, (get_args(annotation) or (Any,))[0]


def _described(contract: object) -> str:
    version = version_of(contract)
    return type_name(contract) if version == UNSTATED else f"{type_name(contract)} {version}"
