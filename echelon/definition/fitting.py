"""What fits into a phase: something that is an agent, and an integrator made for what the agents make."""

from collections.abc import Sequence
from typing import Any, get_args, get_type_hints

from echelon.agents.agent import Agent
from echelon.agents.call import CallShape
from echelon.agents.decorators import Integrator
from echelon.agents.function import FunctionAgent
from echelon.agents.handoffs import Handoffs
from echelon.agents.model import is_model, model_agent
from echelon.model.errors import InvalidJob


def agents_of(phase: str, *, agent: Any, agents: Sequence[Any], each: Any) -> tuple[Agent, ...]:
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


def fitted(phase: str, integrator: Integrator, who: Sequence[Agent], shape: CallShape) -> Integrator:
    """Return an integrator that is bound to its phase; `InvalidJob` when it is made for something else."""
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
    if not isinstance(given, Agent):
        raise InvalidJob(f"phase {phase!r}: {given!r} is not an agent; put @agent on the function")
    return given


def _check_fits(phase: str, producer: Agent, consumer: FunctionAgent) -> None:
    made, wanted = producer.output_type, _received_type(consumer)
    if Any not in (made, wanted) and made != wanted:
        raise InvalidJob(
            f"phase {phase!r}: {producer.name!r} makes {_named(made)}, "
            f"but {consumer.name!r} integrates {_named(wanted)}"
        )


def _received_type(function: FunctionAgent) -> Any:
    for annotation in get_type_hints(function.function).values():
        if getattr(annotation, "__origin__", None) is Handoffs:
            return (get_args(annotation) or (Any,))[0]
    return Any


def _named(annotation: Any) -> str:
    return getattr(annotation, "__name__", str(annotation))
