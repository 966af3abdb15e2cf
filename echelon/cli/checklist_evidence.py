"""What the checklist rests on, gathered: facts of a job's definition, and its newest runs from the journal."""

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import BaseModel

from echelon.agents.agent import Agent
from echelon.agents.command import CommandAgent
from echelon.agents.function import FunctionAgent
from echelon.agents.model import ModelAgent
from echelon.cli.recorded import lacking, latest_of
from echelon.definition.graph_job import rehearsal_name
from echelon.definition.phase import PhaseDefinition
from echelon.definition.rehearsal import REHEARSAL_SOURCE
from echelon.definition.terms import called
from echelon.job import Job
from echelon.journal.journal import Journal
from echelon.model.policy import Resilience
from echelon.model.run import RunView
from echelon.model.session import pauses, seconds_without
from echelon.planning.regime import Priority
from echelon.runlog.measures import measure
from echelon.visibility.checklist.evidence import CallFacts, Evidence, Kind, PhaseFacts

#: Runs of the job that are looked at, the newest; and runs of all jobs among which they are found.
RUNS_READ = 10
RUNS_SEARCHED = 1000

_KINDS: tuple[tuple[type, Kind], ...] = (
    (FunctionAgent, Kind.FUNCTION),
    (CommandAgent, Kind.COMMAND),
    (ModelAgent, Kind.MODEL),
)


class Recorded(NamedTuple):
    """What the journal knows of a job."""

    runs: tuple[RunView, ...]
    rehearsals: tuple[RunView, ...]


def evidence_of(job: Job, inputs: BaseModel, recorded: Recorded, priority: Priority | None = None) -> Evidence:
    """Return what is known about a job: its plan for these inputs and priority, its definition, its runs."""
    return Evidence(
        plan=job.plan_for(inputs, priority),
        phases=tuple(_phase(phase, job.defaults) for phase in job.phases.values()),
        constraints=job.constraints,
        runs=recorded.runs,
        rehearsals=recorded.rehearsals,
    )


async def recorded_of(journal: Journal, job: str) -> Recorded:
    """Return the newest runs and rehearsals of a job by its name, newest first, without their outputs."""
    records, rehearsal = await journal.runs(RUNS_SEARCHED), rehearsal_name(job)
    runs = [one.run_id for one in records if one.job == job and one.source != REHEARSAL_SOURCE]
    rehearsals = [one.run_id for one in records if one.source == REHEARSAL_SOURCE and one.job == rehearsal]
    return Recorded(
        runs=tuple([await _viewed(journal, run_id) for run_id in runs[:RUNS_READ]]),
        rehearsals=tuple([await _viewed(journal, run_id) for run_id in rehearsals[:RUNS_READ]]),
    )


async def _viewed(journal: Journal, run_id: str) -> RunView:
    record = await journal.run(run_id)
    steps = await journal.steps(run_id)
    ended = record.finished or max((step.finished for step in steps), default=record.started)
    idle = pauses(await journal.sessions(run_id), [step.finished for step in steps])
    return RunView(
        record=record,
        steps=steps,
        missing=lacking(latest_of(steps), record.plan),
        concerns=await journal.concerns(run_id),
        exceptions=await journal.exceptions(run_id),
        measures=measure(steps, seconds_without(record.started, ended, idle), idle),
    )


def _phase(phase: PhaseDefinition, defaults: Resilience) -> PhaseFacts:
    policy = phase.resilience.over(defaults)
    integrator = phase.integrator
    return PhaseFacts(
        name=phase.name,
        agents=tuple(_call(agent, policy) for agent in phase.agents),
        needs=phase.needs,
        fallbacks=tuple(_stand_ins(phase)),
        merger=_call(integrator.merger, policy) if integrator else None,
        combiner=_call(integrator.combiner, policy) if integrator and integrator.combiner else None,
    )


def _stand_ins(phase: PhaseDefinition) -> Iterator[str]:
    for name in phase.needs:
        yield from (f"{name} → {called(fallback)}" for fallback in phase.need(name).fallbacks)
    for name, fallbacks in phase.fallbacks.items():
        yield from (f"{name} → {called(fallback)}" for fallback in fallbacks)


def _call(agent: Agent, inherited: Resilience) -> CallFacts:
    return CallFacts(
        name=agent.name,
        kind=next((kind for known, kind in _KINDS if isinstance(agent, known)), Kind.OTHER),
        contract=_contract(agent.output_type),
        policy=agent.resilience.over(inherited),
    )


def _contract(output_type: object) -> str | None:
    """Name a contract; None for the types that let everything pass."""
    name = getattr(output_type, "__name__", None) or str(output_type)
    return None if name in {"Any", "object"} else name
