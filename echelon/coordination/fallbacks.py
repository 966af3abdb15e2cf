"""What stands in for work that was finally not delivered: the first fallback that has something to give (F2).

The failure stays on record, and so does what stood in: as a second record of the same task under a key of its own. A
run that is resumed tries the task itself again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from echelon.agents.agent import Agent
from echelon.agents.fallback import Fallback
from echelon.agents.handoffs import Previous, Received
from echelon.contract.fit import is_other_version
from echelon.contract.json import recordable
from echelon.contract.repair import validate_strict
from echelon.contract.version import contract_name
from echelon.coordination.accounts import budget_told
from echelon.coordination.briefs import by_value_told, told_anew
from echelon.coordination.context import RunContext
from echelon.coordination.loss import OpenLoss, loss_of
from echelon.coordination.previous_runs import PreviousRuns
from echelon.coordination.step.envelope import MAX_MESSAGE, one_line, shortened
from echelon.coordination.step.record import record_step
from echelon.coordination.step.seal import keep_output
from echelon.coordination.step.step import Perform, Step
from echelon.coordination.step.summary import summary_of
from echelon.journal.digest import digest_of
from echelon.model.errors import JournalError
from echelon.model.fallback import FallbackKind, UsedFallback
from echelon.model.handoff import Handoff, OutputReference
from echelon.model.run import StepRecord
from echelon.model.status import Status
from echelon.resilience.guard import Guard


class FallbackChain:
    """Replaces what was lost. `perform` does the step of another agent, `guard` gives its guard."""

    def __init__(
        self,
        run: RunContext,
        earlier: PreviousRuns,
        perform: Perform[Handoff] | None = None,
        guard: Callable[[Agent], Guard] | None = None,
    ) -> None:
        self._run = run
        self._earlier = earlier
        self._perform = perform
        self._guard = guard
        self._strategies: dict[FallbackKind, Callable[[OpenLoss, Fallback], Awaitable[Handoff | None]]] = {
            FallbackKind.AGENT: self._by_another,
            FallbackKind.LAST_GOOD: self._last_good,
            FallbackKind.DEFAULT: self._default,
            FallbackKind.SKIP: self._skip,
        }

    async def replace(self, step: Step, lost: Handoff, fallbacks: Sequence[Fallback]) -> Handoff:
        """Return what stands in for a lost task; what was lost itself when no fallback has anything to give."""
        return await self.fill(loss_of(step, lost), fallbacks) or lost

    async def fill(self, lost: OpenLoss, fallbacks: Sequence[Fallback]) -> Handoff | None:
        """Return what stands in for a loss; None when no fallback has anything to give."""
        for fallback in fallbacks:
            found = await self._strategies[fallback.kind](lost, fallback)
            if found is not None and (found.done or fallback.kind is FallbackKind.SKIP):
                return found
            if found is not None and found.error is not None:
                failed = f"{lost.loss.reason}; {fallback.stand_in.name}, in its place: {found.error.message}"
                loss = replace(lost.loss, reason=shortened(failed, MAX_MESSAGE))
                lost = replace(lost, loss=loss)
        return None

    async def _by_another(self, lost: OpenLoss, fallback: Fallback) -> Handoff | None:
        assert lost.step is not None, "a need has no other agent as fallback; that is refused when the job is defined"
        assert self._guard is not None, "whoever replaces tasks gives the guard"
        assert self._perform is not None, "whoever replaces tasks says how they are done"
        other = fallback.stand_in
        used = lost.used(fallback.kind, f"agent {other.name}")
        key = digest_of((lost.key, "fallback", other.name))
        guard = self._guard(other)
        spec, policy = self._run.spec, guard.policy
        by_value = by_value_told(policy, spec.by_value_tokens)
        call = told_anew(lost.step.call, budget_told(policy, spec.job.budget), by_value)
        step = replace(lost.step, key=key, agent=other, call=call, guard=guard, fallback=used, interim=False)
        if is_other_version(other.output_type, lost.output_type):  # written down as what it is, read as what it is for
            made = other.output_type
            step = replace(step, contract=self._run.contracts.adapter(made), contract_name=contract_name(made))
        handoff = await self._perform(step)
        if not self._run.memo.knows(key):
            return handoff
        # The task itself was tried again and is behind it on record: what holds is told again, at no cost.
        return await self._record(lost, handoff.again(used))

    async def _last_good(self, lost: OpenLoss, fallback: Fallback) -> Handoff | None:
        found = await self._earlier.output_of(lost.phase, lost.loss.task_id)
        if found is None or found.handoff.output_location is None:
            return None
        previous = Previous[object](Received(found.handoff, self._run.outputs, lost.output_type))
        if not await asyncio.to_thread(_readable, previous):
            return None
        used = lost.used(fallback.kind, f"the last good output, of run {found.run_id}")
        confidence = used.lowered(found.handoff.confidence)
        return await self._stands_in(lost, used, found.handoff.output_location, confidence, found.handoff.summary)

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
        self, lost: OpenLoss, used: UsedFallback, location: OutputReference, confidence: float, said: str
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


def _readable(previous: Previous[object]) -> bool:
    """Say whether an old output is there and is what today's contract says."""
    try:
        return previous.load() is not None
    except JournalError:  # gone, or changed since
        return False
