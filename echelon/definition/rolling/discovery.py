"""How a phase comes to its items: from the inputs of the job, before it runs, or from handoffs, on the way (X12)."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import GenericAlias
from typing import Any, TypeAlias, cast, get_args, get_origin

from pydantic import BaseModel

from echelon.agents.agent import Agent
from echelon.agents.binding import bind_inputs, hints_of
from echelon.agents.call import CallShape
from echelon.agents.function import FunctionAgent
from echelon.agents.handoffs import Handoffs
from echelon.definition.items import listed_items
from echelon.definition.rolling.proposals import Proposals, finder_of
from echelon.model.errors import InvalidJob

Over: TypeAlias = Callable[..., Iterable[object]] | FunctionAgent[..., Iterable[object]] | Proposals
"""Finds the items of a phase: a function, which may ask for handoffs, or one under `@agent`, which is guarded so; or
what agents propose."""

#: What a function may return that holds items; the items are recorded as a list.
_LISTINGS = (list, tuple, set, frozenset, Sequence, Iterable, Iterator)


@dataclass(frozen=True, kw_only=True)
class Discovery:
    """One of both."""

    before: Callable[[BaseModel], list[object]] | None = None
    """Finds the items when the job is planned, given its inputs."""
    finder: FunctionAgent[..., object] | None = None
    """Finds them at the sync point of the phases that are needed, as a step of the run."""
    proposals: Proposals | None = None
    """Which of the proposed tasks are taken there; None where the finder is asked (D10)."""


def discovery_of(phase: str, over: Over, worker: Agent, shape: CallShape) -> Discovery:
    """Return how a phase finds its items; `InvalidJob` for what cannot be asked.

    What asks for `Handoffs[...]` is asked when they are there.
    """
    if isinstance(over, Proposals):
        if not shape.upstream:
            raise InvalidJob(
                f"phase {phase!r}: it takes proposed tasks, and needs no phase that proposes any; say needs="
            )
        worker.bind(shape)
        return Discovery(finder=finder_of(phase, over), proposals=over)
    function = _function_of(over)
    name = getattr(function, "__name__", "over")
    if asks_for_handoffs(function, name):
        if not shape.upstream:
            raise InvalidJob(
                f"phase {phase!r}: {name!r} asks for handoffs, and the phase needs none; say which: needs=..."
            )
        return Discovery(finder=_finder(phase, over, worker.bind(shape)).bind(replace(shape, takes_item=False)))
    if inspect.iscoroutinefunction(function):
        raise InvalidJob(f"phase {phase!r}: `over` must be a plain function; planning does not wait")
    arguments = bind_inputs(function, name, shape.inputs_type)
    return Discovery(before=lambda inputs: listed_items(phase, function(**arguments(inputs))))


def foreseen_by(
    phase: str,
    foresee: Callable[..., Iterable[object]] | None,
    discovery: Discovery | None,
    inputs_type: type[BaseModel],
) -> Callable[[BaseModel], list[object]] | None:
    """Return what lists the items that a plan is made with before they are found; None where nothing foresees them.

    `InvalidJob` for a phase whose items are known when the job is planned, or that has none.
    """
    if foresee is None:
        return None
    if discovery is None or discovery.finder is None:
        raise InvalidJob(f"phase {phase!r}: `foresee` is for items that are found on the way; leave it out")
    arguments = bind_inputs(foresee, getattr(foresee, "__name__", "foresee"), inputs_type)
    return lambda inputs: listed_items(phase, foresee(**arguments(inputs)))


def _function_of(
    over: Callable[..., Iterable[object]] | FunctionAgent[..., Iterable[object]],
) -> Callable[..., Iterable[object]]:
    return cast("FunctionAgent[..., Iterable[object]]", over).function if isinstance(over, FunctionAgent) else over


def asks_for_handoffs(function: Callable[..., object], name: str) -> bool:
    """Say whether a function has a parameter that takes handoffs."""
    hints = {key: hint for key, hint in hints_of(function, name).items() if key != "return"}
    return any((get_origin(hint) or hint) is Handoffs for hint in hints.values())


def _finder(
    phase: str, over: Callable[..., Iterable[object]] | FunctionAgent[..., Iterable[object]], worker: Agent
) -> FunctionAgent[..., object]:
    if isinstance(over, FunctionAgent):
        made = cast("FunctionAgent[..., object]", over)
        return replace(made, output_type=_listing(made.output_type, worker))
    name = getattr(over, "__name__", "over")
    return FunctionAgent(
        function=cast("Callable[..., object]", over),
        name=name,
        goal=f"Find the items of phase {phase}",
        output_type=_listing(hints_of(over, name).get("return"), worker),
    )


def _listing(stated: object, worker: Agent) -> object:
    """Return the contract of the items: a list of what the function says, or else of what the agent takes."""
    origin, members = get_origin(stated) or stated, get_args(stated)
    member = members[0] if origin in _LISTINGS and members else item_type_of(worker)
    return GenericAlias(list, (member,))


def item_type_of(worker: Agent) -> object:
    """Return what an agent takes as its item; `Any` where it does not say."""
    if not isinstance(worker, FunctionAgent):
        return Any
    function = cast("FunctionAgent[..., object]", worker)
    item = function.binding.item if function.binding else None
    return Any if item is None else hints_of(function.function, function.name).get(item, Any)
