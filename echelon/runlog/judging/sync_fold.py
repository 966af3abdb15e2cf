"""What each event changes in what is known of sync points (X3, X4). Pure."""

from collections.abc import Callable, Collection
from typing import Any

from echelon.model.sync.seen import SyncSeen
from echelon.runlog.judging.sync_events import DriftMeasured, PhaseStopped, WaveEnded
from echelon.runlog.run_events import Event


def _measured(seen: SyncSeen, event: DriftMeasured) -> SyncSeen:
    others = (one for one in seen.drift if one.phase != event.drift.phase)
    return seen.model_copy(update={"drift": (*others, event.drift)})


def _ended(seen: SyncSeen, event: WaveEnded) -> SyncSeen:
    return seen.model_copy(update={"waves": (*seen.waves, event.wave)})


def _stopped(seen: SyncSeen, event: PhaseStopped) -> SyncSeen:
    return seen.model_copy(update={"stopped": {**seen.stopped, **dict.fromkeys(event.tasks, event.reason)}})


def taken_up(seen: SyncSeen, tasks: Collection[str]) -> SyncSeen:
    """Return it without tasks that somebody wants to be done after all."""
    left = {task: why for task, why in seen.stopped.items() if task not in tasks}
    return seen if left == seen.stopped else seen.model_copy(update={"stopped": left})


_APPLY: dict[type[Event], Callable[[SyncSeen, Any], SyncSeen]] = {
    DriftMeasured: _measured,
    WaveEnded: _ended,
    PhaseStopped: _stopped,
}


def apply_to_sync(seen: SyncSeen, event: Event) -> SyncSeen:
    """Return what is known of sync points behind an event."""
    return _APPLY[type(event)](seen, event)
