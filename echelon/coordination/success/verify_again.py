"""Work on record whose checks failed, or have changed since: it is checked, and not done again (D11, F8)."""

from collections.abc import Awaitable
from dataclasses import dataclass, replace

from echelon.coordination.context import RunContext
from echelon.coordination.step.recall import reuse
from echelon.coordination.step.record import record_of, record_step
from echelon.coordination.step.step import Perform, Step
from echelon.coordination.success.checked import verify
from echelon.definition.success.criteria import Criteria
from echelon.journal.digest import digest_of
from echelon.journal.failpoints import failpoint
from echelon.model.errors import NotAccepted
from echelon.model.handoff import Handoff
from echelon.model.run import StepRecord
from echelon.model.verification.trace import Trace
from echelon.model.verification.verification import Verification


@dataclass(frozen=True)
class VerifyAgain:
    """Lets a step be done, and checks what is recalled of it where that can say something new."""

    run: RunContext
    inner: Perform[Handoff]

    def __call__(self, step: Step) -> Awaitable[Handoff]:
        """Do a step."""
        return self._verify(step) if step.criteria.are_made_with_work else self.inner(step)

    async def _verify(self, step: Step) -> Handoff:
        handoff, known = await self.inner(step), self.run.memo.find(step.key)
        if known is None or known.handoff is not handoff or not can_say_more(handoff.verification, step.criteria):
            return handoff
        # Of its own, since what is completed is never written over.
        key = digest_of((step.key, "verified again", step.criteria.code))
        again = self.run.memo.find(key)
        if again is not None:
            return reuse(self.run, step.phase, again)
        return await self._check(step, known, key)

    async def _check(self, step: Step, made: StepRecord, key: str) -> Handoff:
        handoff = made.handoff
        output, known = handoff.output_location, handoff.verification
        assert output is not None, "what is recalled was completed"
        trace = known.trace if known and known.trace else Trace(leaves_trace=False)
        try:
            found = await verify(self.run, step, output, handoff.summary, trace)
        except NotAccepted as rejected:
            return await self._do_again(step, rejected, key)
        failpoint("verdict.renewed")
        if found is None or found.result == "error":
            return handoff
        verified = handoff.counting_nothing().model_copy(update={"verification": found})
        # It was made for what was asked then, whatever checks it now (X4).
        record = record_of(self.run, step, verified, key=key).model_copy(update={"told": made.told})
        await record_step(self.run, record)
        return verified

    async def _do_again(self, step: Step, rejected: NotAccepted, key: str) -> Handoff:
        """Do work again that its checks reject now; what cannot be undone is refused there, by its intent (F8)."""
        brief = step.call.brief.model_copy(update={"gaps": (*step.call.brief.gaps, rejected.gap)})
        renewed = f"its checks reject it now: {rejected.gap}"
        return await self.inner(replace(step, key=key, renewed=renewed, call=replace(step.call, brief=brief)))


def can_say_more(known: Verification | None, criteria: Criteria) -> bool:
    """Say whether checks can say something new of work on record: they failed, have changed, or were not there."""
    return known is None or known.result == "error" or known.code != criteria.code
