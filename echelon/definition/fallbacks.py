"""Fallbacks checked where a job is written: they fit the contract, and each of them can be reached (F2)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import ValidationError

from echelon.agents.agent import Agent
from echelon.agents.call import CallShape
from echelon.agents.fallback import Fallback, Fallbacks, fallbacks_of, never_tried
from echelon.contract.fit import unfit
from echelon.contract.json import recordable
from echelon.contract.repair import validate_strict
from echelon.definition.fitting import agents_of, handing_on
from echelon.definition.need import Need
from echelon.definition.phase import PhaseDefinition
from echelon.model.adapter import adapter_of
from echelon.model.errors import InvalidJob
from echelon.model.fallback import FallbackKind


def fallbacks_for(phase: str, agent: Agent, given: Fallbacks | None, shape: CallShape) -> tuple[Fallback, ...]:
    """Return the fallbacks of an agent, its own before those of the phase, bound to what calls carry.

    Raises `InvalidJob` for one that does not keep the agent's contract, or that would never be tried.
    """
    where = f"phase {phase!r}: the fallback of {agent.name!r}"
    own: Fallbacks | None = getattr(agent, "fallback", None)
    found = fallbacks_of(own) or fallbacks_of(given)
    _check_order(where, found)
    return tuple(_checked(phase, where, agent, fallback, shape) for fallback in found)


def stand_ins_of(fallbacks: Mapping[str, Sequence[Fallback]]) -> tuple[Agent, ...]:
    """Return the other agents that stand in."""
    chains = (fallback for chain in fallbacks.values() for fallback in chain)
    return tuple(fallback.stand_in for fallback in chains if fallback.kind is FallbackKind.AGENT)


def check_need(phase: str, need: Need, needed: PhaseDefinition) -> None:
    """Refuse a need whose fallback does not fit what the needed phase hands on; `InvalidJob` says why."""
    where = f"phase {phase!r}: the fallback of need {need.phase!r}"
    _check_order(where, need.fallbacks)
    for fallback in need.fallbacks:
        if fallback.kind is FallbackKind.DEFAULT:
            for producer in handing_on(needed)[-1:] if needed.integrator else handing_on(needed):
                _check_fits(where, fallback.value, producer)


def _check_order(where: str, fallbacks: Sequence[Fallback]) -> None:
    behind = never_tried(fallbacks)
    if behind is not None:
        raise InvalidJob(
            f"{where}: {behind.kind.value!r} would never be tried; put it before the default or the skip, "
            "which always have something to give"
        )
    if any(fallback.kind is FallbackKind.SKIP and not fallback.note.strip() for fallback in fallbacks):
        raise InvalidJob(f"{where}: skip needs a note; say why it can be lived without")


def _checked(phase: str, where: str, agent: Agent, fallback: Fallback, shape: CallShape) -> Fallback:
    if fallback.kind is FallbackKind.DEFAULT:
        _check_fits(where, fallback.value, agent)
    if fallback.kind is not FallbackKind.AGENT:
        return fallback
    other = agents_of(phase, agent=fallback.other, agents=(), each=None)[0]
    if agent.effect == "irreversible":
        raise InvalidJob(
            f"{where}: {other.name!r} might do again what {agent.name!r} has half done and cannot undo; "
            "use another fallback"
        )
    if fallbacks_of(getattr(other, "fallback", None)):
        raise InvalidJob(
            f"{where}: {other.name!r} has a fallback of its own, which would not be tried; list all of them on "
            f"{agent.name!r}, in their order"
        )
    why = unfit(other.output_type, agent.output_type)
    if why:
        raise InvalidJob(f"{where}: {other.name!r} must keep the contract of {agent.name!r}, and makes {why}")
    return replace(fallback, other=other.bind(shape))


def _check_fits(where: str, value: object, producer: Agent) -> None:
    """Refuse a default that the boundary would refuse; nothing is repaired of what was stated in advance (C5)."""
    contract = adapter_of(producer.output_type)
    try:
        recordable(validate_strict(value, contract).value, contract)
    except (ValueError, TypeError, RecursionError) as error:
        said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise InvalidJob(f"{where}: the default {value!r} does not fit what {producer.name!r} makes: {said}") from error
