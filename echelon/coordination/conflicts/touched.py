"""What tasks changed in copies of the same files, as far as a trace of that is on record (X9, D11).

An integration does not say which files its members changed: it stands for all of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from echelon.coordination.conflicts.known import folders_of
from echelon.coordination.context import RunContext
from echelon.model.handoff import Handoff
from echelon.oversight.conflicts.finding import Statement
from echelon.oversight.conflicts.touched import Touched, file_claims


class TouchedFiles(NamedTuple):
    """What is claimed of files by tasks whose work is in some outputs."""

    statements: Sequence[Statement] = ()
    """What each task claims."""
    carriers: Mapping[str, str] = {}
    """Task that was integrated → the output that its work is in."""
    integrated: Mapping[str, Sequence[Handoff]] = {}
    """What those tasks handed on, by phase."""


def touched_in(run: RunContext, handoffs: Mapping[str, Sequence[Handoff]]) -> TouchedFiles:
    """Return what the tasks behind outputs, by phase, claim of files; nothing is read for it."""
    found = {phase: dict(_behind(run, phase, own)) for phase, own in handoffs.items()}
    tasks = [(phase, one) for phase, own in found.items() for one, _ in own.values()]
    claims = file_claims([Touched(one.task_id, folders_of(one), _touches(run, one)) for _, one in tasks])
    if not claims:
        return TouchedFiles()
    ruled, plan = _ruled(run), run.spec.plan
    statements = [
        Statement(
            task_id=one.task_id,
            producer=plan.agent_of.get(one.task_id, one.producer),
            version=one.version,
            confidence=one.confidence,
            claims=claims[one.task_id],
            overruled=ruled.get((one.task_id, one.version), frozenset()),
        )
        for _, one in tasks
        if one.task_id in claims
    ]
    behind = {task: carrier for own in found.values() for task, (_, carrier) in own.items() if task != carrier}
    integrated = {phase: [one for task, (one, _) in own.items() if task in behind] for phase, own in found.items()}
    return TouchedFiles(statements, behind, integrated)


def _behind(run: RunContext, phase: str, outputs: Sequence[Handoff]) -> Iterator[tuple[str, tuple[Handoff, str]]]:
    """Yield the tasks of a phase whose work is in outputs and changed files, each with the output that it is in."""
    state = run.log.state
    if not run.claims.changes.are_in(phase, state.steps):
        return
    latest = {name.task_id: step.handoff for name, step in state.latest.items() if name.phase == phase}
    seen: set[str] = set()
    below = [(one, one.task_id) for one in reversed(outputs)]
    while below:
        one, carrier = below.pop()
        if one.task_id in seen:
            continue
        seen.add(one.task_id)
        if folders_of(one):
            yield one.task_id, (one, carrier)
        used = [latest[used.task_id] for used in one.dependencies if used.task_id in latest]
        below += [(part, carrier) for part in reversed(used)]


def _touches(run: RunContext, handoff: Handoff) -> Sequence[str]:
    task = run.spec.tasks.get(handoff.task_id)
    return task.touches if task is not None else ()


def _ruled(run: RunContext) -> dict[tuple[str, str], frozenset[str]]:
    """Return the subjects about which results do not count any more, since their owner decided for others."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for record in run.log.state.conflicts.values():
        for side in record.lost:
            for result in record.results(side).items():
                found[result] = found.get(result, frozenset()) | {record.conflict.subject}
    return found
