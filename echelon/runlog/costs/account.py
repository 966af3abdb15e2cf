"""The account of a run: every second, every token and all money, folded from its log (M1). Pure.

What each step used is divided by what it was for, and its waits before it began stand beside it. Nothing is counted
twice: records that only repeat others have no usage, and times in which no process worked on the run are left out.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain

from echelon.model.costs.account import CostAccount, CostKind
from echelon.model.session import seconds_without
from echelon.runlog.costs.attempts import Ends, StepCost, divided, failed_usage, tokens_read
from echelon.runlog.costs.entries import RUN, CostEntry, CostPlace, Places, rows_of
from echelon.runlog.costs.purposes import PURPOSES, purposes
from echelon.runlog.costs.waits import Gated, ReadyTimes, cut_seconds, gated, parted
from echelon.runlog.standing import PhaseState
from echelon.runlog.state import RunState


def account_of(state: RunState) -> CostAccount:
    """Return where everything went that a run took, as far as its log goes."""
    idle = sum((end - begin for begin, end in state.pauses), timedelta()).total_seconds()
    return CostAccount(rows=rows_of(entries_of(state)), idle_seconds=idle)


def entries_of(state: RunState) -> Iterator[CostEntry]:
    """Yield what the account is the sum of."""
    places = Places(state.plan)
    ends = Ends(state.steps)
    return chain(
        _of_steps(state, places, ends),
        _of_waits(state, places, ends),
        _of_gates(state, places),
        _of_unended(state, places),
        _of_sync_points(state, places),
    )


def _of_steps(state: RunState, places: Places, ends: Ends) -> Iterator[CostEntry]:
    failed, reads = ends.grouped(state.failed_attempts), ends.grouped(state.reads)
    sizes = _sizes(state)
    for step, kind in purposes(state.steps):
        at = ends.place(step)
        read = tokens_read(step, reads.get(at, ()), sizes)
        used = StepCost(step.handoff.usage, failed_usage(failed.get(at, ())), read)
        yield from divided(kind, places.of(step), used)


def _sizes(state: RunState) -> dict[tuple[str, str], int]:
    outputs = ((step.handoff.task_id, step.handoff.output_location) for step in state.steps)
    return {(task, output.sha256): output.size_bytes for task, output in outputs if output is not None}


def _of_waits(state: RunState, places: Places, ends: Ends) -> Iterator[CostEntry]:
    """Yield the waits for limits, then what steps waited for beside that before they began."""
    waited = ends.grouped(state.waits)
    place_of = {ends.place(step): places.of(step) for step in state.steps}
    for at, waits in waited.items():
        task = waits[0].task_id
        place = place_of.get(at) or places.at(places.agent_of(task), "", task)
        yield CostEntry(CostKind.LIMIT, place, sum(one.seconds for one in waits))
    gates = gates_by_task(state)
    for wait in ReadyTimes(state).waits():
        of_step = gates.get(wait.step.handoff.task_id, ())
        parts = parted(wait, waited.get(ends.place(wait.step), ()), of_step, state)
        # Who had come to a queue sooner would have waited longer in it: that is of the limit.
        kind = CostKind.LIMIT if parts.limit > parts.rest else wait.kind
        if parts.rest:
            yield CostEntry(kind, places.of(wait.step), parts.rest)


def gates_by_task(state: RunState) -> dict[str, list[Gated]]:
    """Return when gates were open, by the task that waited."""
    found: dict[str, list[Gated]] = defaultdict(list)
    for one in gated(state):
        found[one.gate.action.task_id].append(one)
    return found


def _of_gates(state: RunState, places: Places) -> Iterator[CostEntry]:
    for gate, began, ended in gated(state):
        place = places.at(gate.node, gate.action.phase, gate.action.task_id)
        yield CostEntry(CostKind.PERSON, place, seconds_without(began, ended, state.pauses))


def _of_unended(state: RunState, places: Places) -> Iterator[CostEntry]:
    """Yield work that has no end on record: it was lost with its process, or somebody is at it. Its tokens: unknown."""
    for lost in state.cut_off:
        place = places.at(lost.node, lost.name.phase, lost.name.task_id)
        yield CostEntry(CostKind.REWORK, place, cut_seconds(lost, state), unreported=1)
    for name, begun in state.at_work.items():
        last = max(begun.at, state.last_at or begun.at)
        seconds = seconds_without(begun.at, last, state.pauses)
        yield CostEntry(PURPOSES[name.kind], places.at(begun.node, name.phase, name.task_id), seconds, unreported=1)


def _of_sync_points(state: RunState, places: Places) -> Iterator[CostEntry]:
    """Yield what sync points took behind the last step of their phase, and what comes before and behind all phases."""
    last: dict[str, datetime] = {}
    for step in state.steps:
        last[step.phase] = max(step.finished, last.get(step.phase, step.finished))
    for name, phase in state.phases.items():
        if phase.ended is not None and not phase.skipped:
            place = places.at(_owner(state, name), name, "")
            yield _orchestration(state, place, max(phase.taken_up, last.get(name, phase.taken_up)), phase.ended)
    yield from _around(state, tuple(state.phases.values()))


def _around(state: RunState, phases: tuple[PhaseState, ...]) -> Iterator[CostEntry]:
    record = state.record
    if record is None or not phases:
        return
    yield _orchestration(state, RUN, record.started, min(phase.started for phase in phases))
    ends = [phase.ended for phase in phases]
    known = [end for end in ends if end is not None]
    if record.finished is not None and len(known) == len(ends):
        yield _orchestration(state, RUN, max(known), record.finished)


def _orchestration(state: RunState, place: CostPlace, began: datetime, ended: datetime) -> CostEntry:
    return CostEntry(CostKind.ORCHESTRATION, place, seconds_without(began, max(began, ended), state.pauses))


def _owner(state: RunState, phase: str) -> str:
    planned = state.plan.phases if state.plan else ()
    return next((one.sync.owner for one in planned if one.name == phase), "")
