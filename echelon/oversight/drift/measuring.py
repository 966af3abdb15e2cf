"""Measures drift of a phase: state, goal, context and output, each as a share of what was looked at (X4). Pure."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from echelon.model.handoff import Handoff, UsedDependency
from echelon.model.run import StepKind, StepRecord
from echelon.model.sync.seen import Drift, DriftShare
from echelon.runlog.state import RunState


class Today(NamedTuple):
    """What the results of a phase are compared with."""

    assignments: Mapping[str, str]
    """Version of the assignment of each task that the phase has now."""
    briefs: Mapping[str, str]
    """Version of what whoever does each of them is told now."""


def drift_of(state: RunState, phase: str, today: Today) -> Drift:
    """Return the drift of a phase at its sync point, from what is on record.

    A result of which it is not on record what it was made for, or with, is not looked at: unknown is not zero.
    """
    steps = [step for step in state.latest.values() if step.phase == phase and step.kind is StepKind.TASK]
    done = [step for step in steps if step.handoff.done]
    told = {step.handoff.task_id: step.told for step in done if step.told is not None}
    return Drift(
        phase=phase,
        state=_state(state, done),
        # A task that nobody asks for any more has no version today: what was made for it has drifted.
        goal=_told({task: one.assignment for task, one in told.items()}, today.assignments),
        context=_told({task: one.brief for task, one in told.items()}, today.briefs),
        output=_output(step.handoff for step in steps),
    )


def _state(state: RunState, done: Iterable[StepRecord]) -> DriftShare:
    """Compare the version of each input with the newest that is on record."""
    newest = {name.task_id: version for name, step in state.latest.items() if (version := step.handoff.version)}
    keys = {step.key for step in done}
    read = ((one.key, one.read) for one in state.reads if one.key in keys)
    stated = ((step.key, one) for step in done for one in step.handoff.dependencies)
    used: dict[tuple[str, str], UsedDependency] = {(key, one.task_id): one for key, one in (*stated, *read)}
    known = [one for one in used.values() if one.task_id in newest]
    return DriftShare.counted(sum(one.version != newest[one.task_id] for one in known), len(known))


def _told(then: Mapping[str, str], now: Mapping[str, str]) -> DriftShare:
    """Compare what was told to who made each result with what is told now."""
    return DriftShare.counted(sum(now.get(task) != version for task, version in then.items()), len(then))


def _output(handoffs: Iterable[Handoff]) -> DriftShare:
    """Count the results that somebody judged and that do not stand."""
    judged = [one.verification for one in handoffs if one.verification is not None]
    return DriftShare.counted(sum(one.result != "accepted" for one in judged), len(judged))
