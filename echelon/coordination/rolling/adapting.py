"""The structure follows the run: at a sync point signals are measured, and a change of the plan is proposed (R6, R10).

What is proposed is on record, and so is whether it was applied: a resumed run does not decide anew. Each change is
proposed once a run for each signal, so that a structure does not swing to and fro.
"""

from collections.abc import Sequence
from functools import partial

from echelon.coordination.rolling.growth import Growth
from echelon.definition.definition import JobDefinition
from echelon.model.organisation import PlanChange, StructureChange, StructureSignal
from echelon.model.phrasing import percent
from echelon.planning.adaptation import Load, Remedy, remedy_for, span_for
from echelon.runlog.signals import signals_at

#: What each signal says, given the share that was measured.
_SAID = {
    StructureSignal.COORDINATION: "{share} of what {node} and those below it used in phase {phase} was coordination, "
    "and it was most of it at an earlier sync point",
    StructureSignal.WAITING: "in phase {phase} work waited for coordinators for {share} of the time of its tasks, "
    "the longest for {node}",
    StructureSignal.QUALITY: "{share} of the integrations of phase {phase} needed rework, more than before, "
    "while its tasks were delivered",
}

#: Changes that help only where leads integrate, too.
_DIVIDING = frozenset({StructureChange.ADD_LEVEL, StructureChange.SPLIT_DOMAINS})


async def adapt(growth: Growth, phase: str) -> None:
    """Measure the signals at the sync point of a phase that was passed, and propose or make the changes that help."""
    run = growth.context()
    if run.spec.job.adapt == "off" or run.log.state.sample is not None:  # a sample is not what the structure is for
        return
    for load in signals_at(run.log.state, run.spec.plan, phase):
        remedy = remedy_for(load)
        if remedy is not None:
            await growth.change(partial(_proposal, growth, phase, load, remedy))


def _proposal(growth: Growth, phase: str, load: Load, remedy: Remedy) -> PlanChange | None:
    """Return what is proposed now; None where the run has proposed that already."""
    run = growth.context()
    job, state = run.spec.job, run.log.state
    if any((one.signal, one.change) == (load.signal, remedy.change) for one in state.plan_changes):
        return None
    coming = growth.coming(state)
    can_change = _can_change(job, coming, remedy.change)
    span = span_for(remedy.change, load, run.spec.plan.span)
    applied = job.adapt == "apply" and span is not None and bool(can_change)
    said = _SAID[load.signal].format(share=percent(load.measured), node=load.coordinator, phase=phase)
    return PlanChange(
        signal=load.signal,
        measured=load.measured,
        coordinator=load.coordinator,
        after=phase,
        change=remedy.change,
        reason=f"{said}; {remedy.why}{_lacks(job, coming, remedy.change)}",
        phases=can_change if applied else coming,
        span=span,
        applied=applied,
    )


def _can_change(job: JobDefinition, coming: Sequence[str], change: StructureChange) -> tuple[str, ...]:
    """Return the phases that have a part of the tree of their own, in which the change has an effect."""
    needing = (name for name in coming if job.phases[name].needs)
    return tuple(name for name in needing if change not in _DIVIDING or _integrates_in_stages(job, name))


def _lacks(job: JobDefinition, coming: Sequence[str], change: StructureChange) -> str:
    """Say what keeps leads from integrating, where they would integrate nothing; empty where they do."""
    if change not in _DIVIDING or not coming or any(_integrates_in_stages(job, name) for name in coming):
        return ""
    return ", once their integrator has a `combine`"


def _integrates_in_stages(job: JobDefinition, phase: str) -> bool:
    integrator = job.phases[phase].integrator
    return integrator is not None and integrator.combiner is not None
