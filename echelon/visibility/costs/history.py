"""A run beside earlier runs of its job: how it scales, and against one agent alone (M7, M10). Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from echelon.model.costs.baseline import Baseline
from echelon.model.costs.graded import GradedMeasure
from echelon.model.costs.measures import Measures
from echelon.model.run import RunView
from echelon.runlog.costs.bands import graded
from echelon.runlog.costs.measures import against
from echelon.runlog.costs.trend import next_to_others, points_of
from echelon.scaling.history import MeasuredScaling, measured_scaling


class ComparedRun(NamedTuple):
    """What a run is beside others of its job."""

    graded: tuple[GradedMeasure, ...]
    """How its measures stand, with what only others can tell."""
    baseline: Baseline | None
    """What one agent takes alone: measured, else stated, else not known."""
    scaling: MeasuredScaling
    """What all of them tell of how the job scales."""


def compared(run: RunView, earlier: Sequence[RunView]) -> ComparedRun:
    """Return a run beside earlier ones, the newest first."""
    baseline = baseline_of((run, *earlier)) or _stated(run)
    own, *others = (_beside(figures(one), None if one.single else baseline) for one in (run, *earlier))
    scaling = measured_scaling(points_of((own, *others)))
    trend = next_to_others(own, others, scaling.ceiling)
    return ComparedRun(graded(own, run.record.plan, trend), baseline, scaling)


def baseline_of(runs: Iterable[RunView]) -> Baseline | None:
    """Return what the newest run with one agent at a time measured; None where none completed anything."""
    for run in runs:
        found = run.measures
        if run.single and found.completed and found.makespan_seconds:
            return Baseline(
                tasks=found.completed,
                seconds=found.makespan_seconds,
                tokens=found.tokens,
                cost=found.cost,
                run_id=run.record.run_id,
            )
    return None


def figures(run: RunView) -> Measures:
    """Return the measures of a run, with the agents that were at work at one time in one that had a single one."""
    return run.measures.model_copy(update={"agents": 1}) if run.single else run.measures


def _beside(found: Measures, baseline: Baseline | None) -> Measures:
    return found.model_copy(update={"against_single": against(baseline, found) if baseline else None})


def _stated(run: RunView) -> Baseline | None:
    return run.record.plan.organisation.baseline if run.record.plan else None
