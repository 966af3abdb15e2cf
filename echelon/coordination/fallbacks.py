"""What stands in for work that was finally not delivered: the first fallback that has something to give (F2).

The failure stays on record, and so does what stood in: as a second record of the same task under a key of its own. A
run that is gone on with tries the task itself again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from echelon.agents.agent import Agent
from echelon.agents.fallback import Fallback
from echelon.agents.handoffs import Previous, Received
from echelon.contract.fit import is_other_version
from echelon.contract.json import recordable
from echelon.contract.repair import validate_strict
from echelon.contract.version import contract_name
from echelon.coordination.accounts import budget_told
from echelon.coordination.briefs import told_anew
from echelon.coordination.context import RunContext
from echelon.coordination.earlier import Earlier
from echelon.coordination.envelope import MAX_MESSAGE, one_line, shortened
from echelon.coordination.steps import Step, perform
from echelon.journal.digest import digest_of
from echelon.model.errors import JournalError
from echelon.model.fallback import FallbackKind, UsedFallback
from echelon.model.handoff import Handoff, OutputReference, Passed
from echelon.model.run import StepKind, StepRecord
from echelon.model.status import Status
from echelon.model.usage import Usage
from echelon.resilience.guard import Guard
from echelon.visibility.progress import Happening, ProgressEvent

#: What a second record of one failure must not count again.
_NOTHING_NEW: dict[str, Any] = {"usage": Usage(), "received": Passed(), "concerns": (), "attempts": 0}


@dataclass(frozen=True, kw_only=True)
class Place:
    """What is empty: work that was lost, and why."""

    key: str
    """Identity of the lost work, and of who misses it."""
    phase: str
    """The phase that should have delivered it."""
    task_id: str
    """The task, or the integration."""
    node: str
    """Who should have delivered it."""
    kind: StepKind
    """Task or integration."""
    output_type: Any
    """The contract of what stands in."""
    reason: str
    """Why it was not delivered."""
    lost: Handoff | None = None
    """The handoff that says so."""
    step: Step | None = None
    """The step itself, where another agent can do it."""

    def used(self, kind: FallbackKind, said: str) -> UsedFallback:
        """Say what stands in, and why."""
        return UsedFallback(kind=kind, said=one_line(said), reason=self.reason)


def place_of(step: Step, lost: Handoff) -> Place:
    """Return the place of a step that did not deliver."""
    return Place(
        key=step.key,
        phase=step.phase,
        task_id=step.task_id,
        node=step.node,
        kind=step.kind,
        output_type=step.agent.output_type,
        reason=lost.error.message if lost.error else "",
        lost=lost,
        step=step,
    )


class StandIns:
    """Fills empty places. `guard` gives the guard of another agent's calls; `earlier` knows earlier runs."""

    def __init__(self, run: RunContext, earlier: Earlier, guard: Callable[[Agent], Guard] | None = None) -> None:
        self._run = run
        self._earlier = earlier
        self._guard = guard
        self._ways: dict[FallbackKind, Callable[[Place, Fallback], Awaitable[Handoff | None]]] = {
            FallbackKind.AGENT: self._by_another,
            FallbackKind.LAST_GOOD: self._last_good,
            FallbackKind.DEFAULT: self._default,
            FallbackKind.SKIP: self._skipped,
        }

    async def instead_of(self, step: Step, lost: Handoff, fallbacks: Sequence[Fallback]) -> Handoff:
        """Return what stands in for a lost task; what was lost itself when no fallback has anything to give."""
        found = await self.fill(place_of(step, lost), fallbacks)
        if found is None:
            return lost
        if found.done:
            self._run.observe(_replaced(step, lost, self._run.elapsed()))
        return found

    async def fill(self, place: Place, fallbacks: Sequence[Fallback]) -> Handoff | None:
        """Return what stands in at a place; None when no fallback has anything to give."""
        for fallback in fallbacks:
            found = await self._ways[fallback.kind](place, fallback)
            if found is not None and (found.done or fallback.kind is FallbackKind.SKIP):
                return found
            if found is not None and found.error is not None:
                failed = f"{place.reason}; {fallback.other.name}, in its place: {found.error.message}"
                place = replace(place, reason=shortened(failed, MAX_MESSAGE))
        return None

    async def _by_another(self, place: Place, fallback: Fallback) -> Handoff | None:
        assert place.step is not None, "a need has no other agent as fallback; that is refused when the job is defined"
        assert self._guard is not None, "whoever fills the places of tasks gives the guard"
        other: Agent = fallback.other
        used = place.used(fallback.kind, f"agent {other.name}")
        key = digest_of((place.key, "fallback", other.name))
        guard = self._guard(other)
        call = told_anew(place.step.call, budget_told(guard.policy, self._run.job.budget))
        step = replace(place.step, key=key, agent=other, call=call, guard=guard, fallback=used)
        if is_other_version(other.output_type, place.output_type):  # written down as what it is, read as what it is for
            made = other.output_type
            step = replace(step, contract=self._run.adapter(made), contract_name=contract_name(made))
        handoff = await perform(self._run, step)
        if key not in self._run.finished:
            return handoff
        # The task itself was tried again and is behind it on record: what holds is told again, at no cost.
        return await self._record(place, handoff.model_copy(update=_NOTHING_NEW | {"fallback": used}))

    async def _last_good(self, place: Place, fallback: Fallback) -> Handoff | None:
        found = await self._earlier.output_of(place.phase, place.task_id)
        if found is None or found.handoff.output_location is None:
            return None
        previous = Previous[Any](Received(found.handoff, self._run.outputs, place.output_type))
        if not await asyncio.to_thread(_readable, previous):
            return None
        used = place.used(fallback.kind, f"the last good output, of run {found.run_id}")
        confidence = used.lowered(found.handoff.confidence)
        return await self._stands_in(place, used, found.handoff.output_location, confidence, found.handoff.summary)

    async def _default(self, place: Place, fallback: Fallback) -> Handoff | None:
        used = place.used(fallback.kind, "the default value")
        contract = self._run.adapter(place.output_type)
        plain = recordable(validate_strict(fallback.value, contract).value, contract)
        key = digest_of((place.key, "default", plain))
        location = self._run.outputs.put(self._run.run_id, key, plain, contract_name(place.output_type))
        return await self._stands_in(place, used, location, used.lowered(1.0))

    async def _skipped(self, place: Place, fallback: Fallback) -> Handoff | None:
        if place.lost is None:
            return None  # nobody handed anything on; that it is skipped is told to who needs it
        used = place.used(fallback.kind, f"skipped: {fallback.note}")
        return await self._record(place, place.lost.model_copy(update=_NOTHING_NEW | {"fallback": used}))

    async def _stands_in(
        self, place: Place, used: UsedFallback, location: OutputReference, confidence: float, said: str = ""
    ) -> Handoff:
        handoff = Handoff(
            task_id=place.task_id,
            status=Status.COMPLETED,
            summary=one_line(f"{used.said} stands in: {said}" if said else f"{used.said} stands in"),
            output_location=location,
            producer=place.node,
            assignment_id=f"{place.task_id}#1",
            confidence=confidence,
            attempts=0,
            fallback=used,
        )
        return await self._record(place, handoff)

    async def _record(self, place: Place, handoff: Handoff) -> Handoff:
        now = self._run.now()
        record = StepRecord(
            run_id=self._run.run_id,
            # Another key each time: a run that is gone on with may lose the same task again.
            key=digest_of((place.key, "fallback", len(self._run.steps))),
            phase=place.phase,
            node=place.node,
            kind=place.kind,
            started=now,
            finished=now,
            handoff=handoff,
        )
        await self._run.record(record)
        return handoff


def _readable(previous: Previous[Any]) -> bool:
    """Say whether an old output is there and is what today's contract says."""
    try:
        return previous.load() is not None
    except JournalError:  # gone, or changed since
        return False


def _replaced(step: Step, lost: Handoff, at: float) -> ProgressEvent:
    return ProgressEvent(
        happening=Happening.TASK_REPLACED,
        phase=step.phase,
        node=step.task_id,
        domain=step.domain,
        at=at,
        status=lost.status,
    )
