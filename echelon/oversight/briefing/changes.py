"""What has changed since the last sync point, for those who begin to work behind it (X2). Pure."""

from collections.abc import Collection, Iterator
from datetime import datetime

from echelon.model.phrasing import count, listed
from echelon.model.run import StepKind
from echelon.runlog.items import changes_of
from echelon.runlog.state import RunState

#: Tasks that a line names.
NAMED = 5


def changes_since(state: RunState, needs: Collection[str]) -> list[str]:
    """Return what has changed while the phases that one needs were at work: since the sync point before them."""
    begun = [state.phases[name].started for name in needs if name in state.phases]
    if not begun:
        return []
    since = min(begun)
    made = [*_planned(state, since), *_versions(state, since), *_retried(state, since)]
    return [*made, *_items(state, needs), *_outdated(state, needs)]


def _planned(state: RunState, since: datetime) -> Iterator[str]:
    for one in state.extensions:
        if one.at >= since:
            yield f"phase {one.phase} was planned: {count(one.tasks, 'task')}"
    yield from (f"the structure was changed: {one.said}" for one in state.plan_changes if one.applied)


def _versions(state: RunState, since: datetime) -> Iterator[str]:
    """Yield the tasks whose output is another one now than at first."""
    made: dict[str, list[str]] = {}
    newest: dict[str, datetime] = {}
    for step in state.steps:
        location = step.handoff.output_location
        if step.kind in (StepKind.TASK, StepKind.INTEGRATION) and location is not None and not step.replica:
            versions = made.setdefault(step.handoff.task_id, [])
            if not versions or versions[-1] != location.sha256:
                versions.append(location.sha256)
                newest[step.handoff.task_id] = step.finished
    again = [task for task, versions in made.items() if len(versions) > 1 and newest[task] >= since]
    if again:
        yield f"made anew, so that only the last version counts: {listed(again, NAMED)}"


def _retried(state: RunState, since: datetime) -> Iterator[str]:
    for one in state.retries:
        if one.at >= since:
            yield f"to be done again{f', as {one.by} asked' if one.by else ''}: {listed(one.tasks, NAMED)}"


def _items(state: RunState, needs: Collection[str]) -> Iterator[str]:
    for phase in needs:
        changes = changes_of(state, phase)
        if changes is not None and changes.since_run:
            yield f"items of phase {phase}: {changes.said}"


def _outdated(state: RunState, needs: Collection[str]) -> Iterator[str]:
    """Yield what was made for an older assignment, as was seen at the sync points of those phases (D8)."""
    for drift in (one for one in state.sync.drift if one.phase in needs and one.outdated):
        yield f"made for an older assignment in phase {drift.phase}: {drift.outdated_said(NAMED)}"
