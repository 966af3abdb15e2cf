"""Measures drift of a phase: state, goal, context and output, each as a share of what was looked at (X4). Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from echelon.model.handoff import Handoff, UsedDependency
from echelon.model.run import StepKind, StepRecord
from echelon.model.sync.seen import MOST_OUTDATED, Drift, DriftShare, Outdated
from echelon.runlog.state import RunState

#: What is said of a task that is not in the plan any more.
WITHDRAWN = "not asked for any more"


class Today(NamedTuple):
    """What the results of a phase are compared with."""

    assignments: Mapping[str, str]
    """Version of the assignment of each task that the phase has now."""
    briefs: Mapping[str, str]
    """Version of what whoever does each of them is told now."""
    parts: Mapping[str, Mapping[str, str]] = {}
    """Versions of the parts of each assignment."""
    contracts: Mapping[str, str] = {}
    """Contract that the output of each task is to keep now."""


def drift_of(state: RunState, phase: str, today: Today) -> Drift:
    """Return the drift of a phase at its sync point, from what is on record.

    A result of which it is not on record what it was made for, or with, is not looked at: unknown is not zero.
    """
    steps = [step for step in state.latest.values() if step.phase == phase and step.kind is StepKind.TASK]
    done = [step for step in steps if step.handoff.done]
    told = {step.handoff.task_id: step.told for step in done if step.told is not None}
    outdated = list(_outdated(done, today))
    return Drift(
        phase=phase,
        state=_state(state, done),
        goal=DriftShare.counted(len(outdated), len(told)),
        outdated=tuple(outdated[:MOST_OUTDATED]),
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


def _outdated(done: Iterable[StepRecord], today: Today) -> Iterator[Outdated]:
    """Yield the results that were made for another assignment, with what has changed of it (D8)."""
    for step in done:
        task, told = step.handoff.task_id, step.told
        if told is None:
            continue
        if task not in today.assignments:  # what was made for a task that nobody asks for any more has drifted
            yield Outdated(task_id=task, changed=(WITHDRAWN,))
            continue
        now = today.parts.get(task, {})
        changed = [name for name, version in told.parts.items() if name in now and now[name] != version]
        location = step.handoff.output_location
        # Who does the same as others, or stands by, may have a contract of its own (F9).
        if (
            location is not None
            and step.handoff.replicas is None
            and today.contracts.get(task, location.contract) != location.contract
        ):
            changed.append("contract")
        if not changed and told.assignment != today.assignments[task]:  # a log of before does not say what it was
            changed.append("assignment")
        if changed:
            yield Outdated(task_id=task, changed=tuple(changed))


def _told(then: Mapping[str, str], now: Mapping[str, str]) -> DriftShare:
    """Compare what was told to who made each result with what is told now."""
    return DriftShare.counted(sum(now.get(task) != version for task, version in then.items()), len(then))


def _output(handoffs: Iterable[Handoff]) -> DriftShare:
    """Count the results that somebody judged and that do not stand."""
    judged = [one.verification for one in handoffs if one.verification is not None]
    return DriftShare.counted(sum(one.result != "accepted" for one in judged), len(judged))
