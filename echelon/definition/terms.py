"""The terms of a job: timeout, retries and fallback of each dependency, and where each was stated (C4). Pure."""

from typing import Any, NamedTuple

from echelon.agents.agent import Agent
from echelon.agents.fallback import Fallback
from echelon.contract.shape import shape_of
from echelon.contract.version import contract_name
from echelon.definition.definition import JobDefinition
from echelon.definition.fitting import handing_on
from echelon.definition.need import Need
from echelon.definition.phase import PhaseDefinition
from echelon.model.graph import Coupling
from echelon.model.phrasing import age
from echelon.model.policy import DEFAULT_RESILIENCE, Resilience
from echelon.model.terms import Level, Terms

#: What becomes of a consumer when a phase it needs does not deliver, by how much it needs it (D3).
_WHEN_MISSING: dict[Coupling | None, str] = {
    Coupling.TIGHT: "does not start",
    Coupling.MEDIUM: "works with the fallback",
    Coupling.LOOSE: "continues with what is there",
    Coupling.NONE: "continues: it only runs later",
    None: "continues with what is there; does not start when nothing is",
}

_NOTHING_NEEDED = "nothing is needed"


class _Stated(NamedTuple):
    value: Any
    level: Level


def terms_of(job: JobDefinition) -> tuple[Terms, ...]:
    """Return the terms of every agent of a job with every phase it needs, in the order they run (C4)."""
    return tuple(
        _terms(job, phase, consumer, needed)
        for phase in job.phases.values()
        for consumer in phase.agents
        for needed in (phase.needs or (None,))
    )


def shapes_of(job: JobDefinition) -> dict[str, dict[str, str]]:
    """Return the fields of every contract that a phase hands on to another, so that a change can be told (C8)."""
    needed = dict.fromkeys(name for phase in job.phases.values() for name in phase.needs)
    types = [one.output_type for name in needed for one in handing_on(job.phases[name])]
    return {contract_name(one): shape_of(one) for one in types}


def _terms(job: JobDefinition, phase: PhaseDefinition, consumer: Agent, needed: str | None) -> Terms:
    timeout = _stated("timeout_seconds", consumer, phase, job)
    attempts = _stated("attempts", consumer, phase, job)
    strictness = _stated("contract", consumer, phase, job)
    need = phase.need(needed) if needed else None
    makers = handing_on(job.phases[needed]) if needed else ()
    return Terms(
        phase=phase.name,
        consumer=consumer.name,
        needs=needed,
        contracts=tuple(dict.fromkeys(contract_name(one.output_type) for one in makers)),
        delivers=contract_name(consumer.output_type),
        strictness=strictness.value or "strict",
        strictness_stated=strictness.level,
        timeout_seconds=timeout.value or None,
        timeout_stated=timeout.level,
        attempts=attempts.value or 1,
        attempts_stated=attempts.level,
        coupling=need.coupling if need else None,
        reason=need.reason if need else "",
        wait_seconds=need.timeout if need else None,
        when_missing=_when_missing(need) if need else _NOTHING_NEEDED,
        stands_in=tuple(called(fallback) for fallback in phase.fallbacks.get(consumer.name, ())),
    )


def _when_missing(need: Need) -> str:
    instead = ", then ".join(called(fallback) for fallback in need.fallbacks)
    return f"{_WHEN_MISSING[need.coupling]}: {instead}" if instead else _WHEN_MISSING[need.coupling]


def called(fallback: Fallback) -> str:
    """Return what people call a fallback."""
    kind = fallback.kind.value.replace("_", " ")
    oldest = f"up to {age(fallback.max_age)} old" if fallback.max_age else ""
    which = getattr(fallback.other, "name", "") or fallback.note or oldest
    return f"{kind} ({which})" if which else kind


def _stated(name: str, consumer: Agent, phase: PhaseDefinition, job: JobDefinition) -> _Stated:
    """Return what holds for a part of a policy, and the innermost level that states it; False is a statement."""
    usual = getattr(DEFAULT_RESILIENCE, name)
    levels: tuple[tuple[Resilience, Level], ...] = ((consumer.resilience, "agent"), (phase.resilience, "phase"))
    for policy, level in levels:
        value = getattr(policy, name)
        if value is not None:
            return _Stated(value, level)
    # A job's defaults are completed by the usual ones, so that only a difference tells that it states something.
    value = getattr(job.defaults, name)
    return _Stated(value, "usual" if value == usual else "job")
