"""What the tasks of a wave have revealed that others should know, and what ends a wave early (X3, X13). Pure."""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from echelon.model.concern import CRITICAL, URGENCY, ConcernRecord
from echelon.model.conflicts.conflict import ConflictRecord
from echelon.model.handoff import Handoff
from echelon.model.phrasing import head, one_line, truncate
from echelon.model.run import StepKind
from echelon.model.sync.policy import SyncPolicyTerms
from echelon.model.sync.seen import Wave
from echelon.runlog.alike import KnownLosses, missing_by_cause
from echelon.runlog.losses import is_lost, missing_of
from echelon.runlog.state import RunState, StepName

#: Findings of one wave that agents are told, and characters of each; what is over is counted (X8).
MOST_FINDINGS, FINDING_CHARACTERS = 8, 240

#: So many tasks must have failed so that failures are an event: one may always happen.
FEWEST_FAILURES = 2


class Revealed(NamedTuple):
    """What a wave has revealed."""

    tasks: frozenset[str]
    """Tasks that it was revealed of."""
    findings: tuple[str, ...]
    """What it was, the most urgent first."""


def revealed_by(state: RunState, phase: str, tasks: Collection[str]) -> Revealed:
    """Return what those who work on should know of tasks that have ended.

    That is what is urgent, what they contradict others about, and what is lost, falls short, or could not be verified.
    What waits for a quota, or for a
    person, reveals nothing yet.
    """
    steps = (state.latest.get(StepName(StepKind.TASK, phase, task)) for task in tasks)
    handoffs = [step.handoff for step in steps if step is not None and not step.handoff.waits]
    urgent = urgent_concerns(state, tasks)
    lost = [one for one in handoffs if is_lost(one)]
    contradicting = _conflicts(state, phase, tasks)
    findings = [truncate(one_line(said), FINDING_CHARACTERS) for said in _findings(urgent, contradicting, lost)]
    sides = {task for one in contradicting for side in one.conflict.sides for task in side.tasks}
    of = {*(one.task_id for one in urgent), *sides.intersection(tasks), *(one.task_id for one in lost)}
    return Revealed(frozenset(of), tuple(head(findings, MOST_FINDINGS)))


def urgent_concerns(state: RunState, tasks: Collection[str]) -> list[ConcernRecord]:
    """Return the open concerns that cannot wait and were raised by these tasks, the most urgent first."""
    found = [one for one in state.concerns.values() if one.is_open and one.route in CRITICAL and one.task_id in tasks]
    return sorted(found, key=lambda one: URGENCY.index(one.route))


def is_event(
    terms: SyncPolicyTerms, planned: int, ended: Iterable[Handoff], *, urgent: bool, conflict: bool = False
) -> bool:
    """Say whether a wave should end before all of its tasks were begun.

    `ended` are those of its `planned` tasks that have ended by now; `urgent` says that something urgent was raised
    since it began, `conflict` that its results contradict others.
    """
    failed = sum(not (one.done or one.waits) for one in ended)
    many = failed >= max(FEWEST_FAILURES, terms.failure_share * planned)
    happened = {"urgent": urgent, "failures": many, "conflict": conflict}
    return any(happened[event] for event in terms.events)


def _conflicts(state: RunState, phase: str, tasks: Collection[str]) -> list[ConflictRecord]:
    """Return what tasks contradict each other, or others, about; decided or not."""
    of_phase = [one for one in state.conflicts.values() if one.conflict.phase == phase]
    return [one for one in of_phase if any(not side.round and {*side.tasks} & {*tasks} for side in one.conflict.sides)]


def _findings(
    urgent: Iterable[ConcernRecord], contradicting: Iterable[ConflictRecord], lost: Iterable[Handoff]
) -> Iterator[str]:
    yield from (one.said for one in urgent)
    yield from (one.said for one in contradicting)
    for group in missing_by_cause([missing_of(one) for one in lost], KnownLosses(errors={})):
        yield group.said


def findings_told(summary: str, waves: Iterable[Wave]) -> str:
    """Return the summary in the brief of a wave, given those before it: what they found stands behind the rest."""
    found = list(dict.fromkeys(finding for wave in waves for finding in wave.findings))
    if not found:
        return summary
    rest = len(found) - MOST_FINDINGS
    more = f" (and {rest:,} more before)" if rest > 0 else ""
    return f"{summary} So far in this phase: {'; '.join(found[-MOST_FINDINGS:])}.{more}".strip()
