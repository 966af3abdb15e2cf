"""What stands in for work that was finally not delivered: the first fallback that has something to give (F2).

The failure stays on record, and so does what stood in: as a second record of the same task under a key of its own. A
run that is resumed tries the task itself again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from echelon.agents.agent import Agent
from echelon.agents.fallback import Fallback
from echelon.agents.handoffs import Previous, Received
from echelon.contract.json import recordable
from echelon.contract.repair import validate_strict
from echelon.contract.version import contract_name
from echelon.coordination.context import RunContext
from echelon.coordination.loss import OpenLoss, loss_of
from echelon.coordination.previous_runs import PreviousRuns
from echelon.coordination.redundancy.another import done_by
from echelon.coordination.step.envelope import MAX_MESSAGE, one_line, shortened
from echelon.coordination.step.record import record_step
from echelon.coordination.step.seal import keep_output
from echelon.coordination.step.step import Perform, Step
from echelon.coordination.step.summary import summary_of
from echelon.definition.success.criteria import NOTHING_STATED
from echelon.journal.digest import digest_of
from echelon.model.errors import JournalError
from echelon.model.fallback import FallbackKind, UsedFallback
from echelon.model.graph import TaskSpec
from echelon.model.handoff import Handoff, OutputReference
from echelon.model.phrasing import age, too_old
from echelon.model.run import StepRecord
from echelon.model.status import Status
from echelon.model.verification.verification import Verification
from echelon.resilience.guard import Guard


class Filled(NamedTuple):
    """What came of the fallbacks for a loss."""

    handoff: Handoff | None
    """What stands in, or what waits for a person who says whether it may; None when nothing does."""
    too_old: str = ""
    """Why an output that is there does not stand in: it is older than it may be (C9)."""


class FallbackChain:
    """Replaces what was lost. `guard` gives the guard of another agent that does a task."""

    def __init__(
        self,
        run: RunContext,
        earlier: PreviousRuns,
        guard: Callable[[Agent, TaskSpec], Guard] | None = None,
    ) -> None:
        self._run = run
        self._earlier = earlier
        self._guard = guard
        self._strategies: dict[FallbackKind, Callable[[OpenLoss, Fallback], Awaitable[Handoff | str | None]]] = {
            FallbackKind.AGENT: self._by_another,
            FallbackKind.LAST_GOOD: self._last_good,
            FallbackKind.DEFAULT: self._default,
            FallbackKind.SKIP: self._skip,
        }

    async def replace(
        self, step: Step, lost: Handoff, fallbacks: Sequence[Fallback], perform: Perform[Handoff]
    ) -> Handoff:
        """Return what stands in for a lost task; what was lost itself when no fallback has anything to give.

        What waits for a person is not lost: nothing stands in before the answer. Where a person has to say first
        whether another agent may do it, the task waits for that (O5).
        `perform` does the step of another agent, whose result is verified like that of the task itself (D11).
        """
        if lost.waits_for_person:
            return lost
        found = loss_of(step, lost, perform)
        filled = await self.fill(found, fallbacks)
        if filled.handoff is None and filled.too_old:
            return await self._record(found, _with_reason(lost, filled.too_old))
        return filled.handoff or lost

    async def fill(self, lost: OpenLoss, fallbacks: Sequence[Fallback]) -> Filled:
        """Return what stands in for a loss; nothing when no fallback has anything to give."""
        too_old = ""
        for fallback in fallbacks:
            found = await self._strategies[fallback.kind](lost, fallback)
            if isinstance(found, str):
                too_old = found
                lost = lost.because(found)
                continue
            if found is not None and (found.done or found.waits_for_person or fallback.kind is FallbackKind.SKIP):
                return Filled(found)
            if found is not None and found.error is not None:
                lost = lost.because(f"{fallback.stand_in.name}, in its place: {found.error.message}")
        return Filled(None, too_old)

    async def _by_another(self, lost: OpenLoss, fallback: Fallback) -> Handoff | None:
        assert lost.step is not None, "a need has no other agent as fallback; that is refused when the job is defined"
        assert self._guard is not None, "whoever replaces tasks gives the guard"
        assert lost.perform is not None, "whoever replaces tasks says how they are done"
        other = fallback.stand_in
        used = lost.used(fallback.kind, f"agent {other.name}")
        key = digest_of((lost.key, "fallback", other.name))
        step = done_by(self._run, lost.step, other, self._guard(other, self._run.spec.tasks[lost.step.task_id]), key)
        handoff = await lost.perform(replace(step, fallback=used, interim=False))
        if not self._run.memo.knows(key):
            return handoff
        # The task itself was tried again and is behind it on record: what holds is told again, at no cost.
        return await self._record(lost, handoff.again(used))

    async def _last_good(self, lost: OpenLoss, fallback: Fallback) -> Handoff | str | None:
        found = await self._earlier.output_of(lost.phase, lost.loss.task_id)
        if found is None or found.handoff.output_location is None:
            return None
        previous = Previous[object](Received(found.handoff, self._run.outputs, lost.output_type))
        if not await asyncio.to_thread(_readable, previous):
            return None
        old = found.age(self._run.now())
        if fallback.max_age is not None and old > fallback.max_age:
            return too_old("the last good output", old, fallback.max_age)
        said = f"the last good output, of run {found.run_id}, {age(old)} old"
        used = lost.used(fallback.kind, said).model_copy(update={"made_at": found.made_at})
        confidence = used.lowered(found.handoff.confidence)
        verified = found.handoff.verification
        return await self._stands_in(
            lost, used, found.handoff.output_location, confidence, found.handoff.summary, verified
        )

    async def _default(self, lost: OpenLoss, fallback: Fallback) -> Handoff | None:
        used = lost.used(fallback.kind, "the default value")
        contract = self._run.contracts.adapter(lost.output_type)
        plain = recordable(validate_strict(fallback.value, contract).value, contract)
        key = digest_of((lost.key, "default", plain))
        location = await keep_output(self._run, key, plain, contract_name(lost.output_type))
        return await self._stands_in(lost, used, location, used.lowered(1.0), summary_of(plain))

    async def _skip(self, lost: OpenLoss, fallback: Fallback) -> Handoff | None:
        if lost.handoff is None:
            return None  # nobody handed anything on; that it is skipped is told to who needs it
        used = lost.used(fallback.kind, f"skipped: {fallback.note}")
        return await self._record(lost, lost.handoff.again(used))

    async def _stands_in(
        self,
        lost: OpenLoss,
        used: UsedFallback,
        location: OutputReference,
        confidence: float,
        said: str,
        verified: Verification | None = None,
    ) -> Handoff:
        handoff = Handoff(
            task_id=lost.loss.task_id,
            status=Status.COMPLETED,
            summary=one_line(f"{used.said} stands in: {said}"),
            output_location=location,
            producer=lost.loss.producer,
            assignment_id=f"{lost.loss.task_id}#1",
            confidence=confidence,
            attempts=0,
            fallback=used,
            verification=_still_holds(lost, verified),
        )
        return await self._record(lost, handoff)

    async def _record(self, lost: OpenLoss, handoff: Handoff) -> Handoff:
        now = self._run.now()
        record = StepRecord(
            run_id=self._run.spec.run_id,
            # Another key each time: a run that is resumed may lose the same task again.
            key=digest_of((lost.key, "fallback", len(self._run.log.state.steps))),
            phase=lost.phase,
            node=lost.loss.producer,
            kind=lost.loss.kind,
            started=now,
            finished=now,
            handoff=handoff,
        )
        await record_step(self._run, record)
        return handoff


def _still_holds(lost: OpenLoss, known: Verification | None) -> Verification | None:
    """Return what is known of an output that nobody made now: what an earlier run found with the same checks (D11)."""
    criteria = NOTHING_STATED if lost.step is None else lost.step.criteria
    if not criteria.are_stated:
        return None
    wanted = {*criteria.names} - {*criteria.texts}
    if known is not None and known.code == criteria.code and {one.name for one in known.checks} == wanted:
        return known
    return Verification(result="unverifiable", reason="a fallback stood in, which nobody verified")


def _with_reason(lost: Handoff, reason: str) -> Handoff:
    """Return a handoff of lost work that says why nothing stands in either; nothing of it is counted twice."""
    assert lost.error is not None, "what is lost says why"
    message = shortened(f"{lost.error.message}; {reason}", MAX_MESSAGE)
    changes: dict[str, object] = {"error": lost.error.model_copy(update={"message": message}), "summary": message}
    return lost.counting_nothing().model_copy(update=changes)


def _readable(previous: Previous[object]) -> bool:
    """Say whether an old output is there and is what today's contract says."""
    try:
        return previous.load() is not None
    except JournalError:  # gone, or changed since
        return False
