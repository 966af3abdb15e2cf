"""A run of many agents as statistics: rates, distributions, a sample, and those far from the others (V5). Pure.

From 200 agents on nobody reads a list. Whoever is named can be looked at: `echelon show RUN AGENT`.
"""

import hashlib
from collections.abc import Sequence

from pydantic import Field

from echelon.model.base import Value
from echelon.model.exception_report import Trigger
from echelon.model.handoff import Handoff
from echelon.model.phrasing import count, listed, percent
from echelon.model.run import RunView, StepKind, StepRecord
from echelon.oversight.exceptions.expecting import quantile
from echelon.visibility.levels import short_time

#: From so many agents on a run is shown as statistics.
FROM_AGENTS = 200

#: Agents that are drawn to be looked at, and those far from the others that are named.
SAMPLED, OUTLIERS_NAMED = 5, 8


class Distribution(Value):
    """How a quantity is distributed over tasks."""

    tasks: int = Field(ge=1)
    """Of how many it is known."""
    p50: float
    """Half of them are at most this."""
    p90: float
    """Nine of ten are."""
    most: float
    """The largest."""


class PhaseStatistics(Value):
    """The tasks of one phase that have ended."""

    phase: str
    """Its name."""
    tasks: int
    """How many they are."""
    done: float
    """Share that delivered."""
    failed: float
    """Share that ended without output, for good."""
    retried: float
    """Share that needed more than one attempt."""
    seconds: Distribution | None = None
    """Wall time of those that were done."""
    tokens: Distribution | None = None
    """Tokens of those that reported any."""


class RunStatistics(Value):
    """A run of many agents."""

    phases: tuple[PhaseStatistics, ...]
    """By phase, in the order of the plan."""
    sample: tuple[str, ...] = ()
    """Tasks that are drawn to be looked at: the same whenever a run is shown."""
    outliers: tuple[str, ...] = ()
    """Tasks that were reported since they are far from the others, or late."""


def statistics_of(view: RunView) -> RunStatistics | None:
    """Return the statistics of a run; None of one with so few agents that each can be read of."""
    plan = view.record.plan
    if plan is None or plan.n_agents < FROM_AGENTS:
        return None
    latest = {step.handoff.task_id: step for step in view.steps if _counts(step)}
    phases = [_of_phase(phase.name, [s for s in latest.values() if s.phase == phase.name]) for phase in plan.phases]
    far = [one for one in view.exceptions if one.trigger in (Trigger.OUTLIER, Trigger.LATE)]
    return RunStatistics(
        phases=tuple(phase for phase in phases if phase is not None),
        sample=tuple(sorted(latest, key=lambda task: _drawn(view.record.run_id, task))[:SAMPLED]),
        outliers=tuple(dict.fromkeys(task for report in far for task in report.tasks)),
    )


def statistics_lines(found: RunStatistics) -> list[str]:
    """Say the statistics, a few lines a phase."""
    lines = [line for phase in found.phases for line in _phase_lines(phase)]
    far = [f"far from the others: {listed(found.outliers, OUTLIERS_NAMED)}"] if found.outliers else []
    sample = [f"a sample to look at: {', '.join(found.sample)}"] if found.sample else []
    return [*lines, *far, *sample]


def _phase_lines(phase: PhaseStatistics) -> list[str]:
    rates = f"{percent(phase.done)} done, {percent(phase.failed)} failed, {percent(phase.retried)} tried again"
    return [
        f"{phase.phase}: {count(phase.tasks, 'task')}, {rates}",
        *([f"  seconds: {_said(phase.seconds, in_seconds=True)}"] if phase.seconds else []),
        *([f"  tokens: {_said(phase.tokens, in_seconds=False)}"] if phase.tokens else []),
    ]


def _said(found: Distribution, *, in_seconds: bool) -> str:
    half, most_of_them, most = (
        short_time(number) if in_seconds else f"{number:,.0f}" for number in (found.p50, found.p90, found.most)
    )
    return f"{half} in the middle, {most_of_them} at most in 9 of 10, {most} at most"


def _counts(step: StepRecord) -> bool:
    return step.kind is StepKind.TASK and not step.replica and not step.interim


def _of_phase(name: str, tasks: Sequence[StepRecord]) -> PhaseStatistics | None:
    if not tasks:
        return None
    handoffs: list[Handoff] = [step.handoff for step in tasks]
    done = [step for step in tasks if step.handoff.done and not step.handoff.kept_from]
    return PhaseStatistics(
        phase=name,
        tasks=len(tasks),
        done=sum(one.done for one in handoffs) / len(tasks),
        failed=sum(not (one.done or one.waits) for one in handoffs) / len(tasks),
        retried=sum(one.attempts > 1 for one in handoffs) / len(tasks),
        seconds=_distribution([(step.finished - step.started).total_seconds() for step in done]),
        tokens=_distribution([float(step.handoff.usage.tokens) for step in done if step.handoff.usage.tokens]),
    )


def _distribution(numbers: Sequence[float]) -> Distribution | None:
    if not numbers:
        return None
    ordered = sorted(numbers)
    return Distribution(tasks=len(ordered), p50=quantile(ordered, 50), p90=quantile(ordered, 90), most=ordered[-1])


def _drawn(run_id: str, task: str) -> str:
    """Return where a task stands in an order that has nothing to do with its name, nor with when it ended."""
    return hashlib.sha256(f"{run_id} {task}".encode()).hexdigest()
