"""What cannot be undone and was done from older inputs is not done again by itself: a person is asked.

Where the answer is no, its output is kept, and the work for the inputs of today counts as missing.
"""

from collections.abc import Awaitable
from dataclasses import dataclass

from echelon.coordination.context import RunContext
from echelon.coordination.gates.asking import GateCall, consent
from echelon.coordination.gates.layer import gate_of_step, refuse
from echelon.coordination.step.previous_output import made_at
from echelon.coordination.step.recall import reuse, why_lost
from echelon.coordination.step.record import record_of, record_step
from echelon.coordination.step.step import AskReady, Perform, Step, nobody_asked
from echelon.journal.digest import digest_of
from echelon.model.errors import ApprovalPending
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.fallback import FallbackKind, UsedFallback
from echelon.model.handoff import Handoff
from echelon.model.oversight.gate import Question
from echelon.model.oversight.terms import Gate
from echelon.model.run import StepRecord


@dataclass(frozen=True)
class KeepDone:
    """Lets what was done from older inputs stand in, or lets the step be done."""

    run: RunContext
    inner: Perform[Handoff]
    ask_ready: AskReady = nobody_asked

    def __call__(self, step: Step) -> Awaitable[Handoff]:
        """Do a step, unless it cannot be undone and was done before from other inputs (F8)."""
        # Most steps can be done again: for them this layer is not even a frame on the way.
        return self._do_unless_done(step) if step.agent.effect == "irreversible" else self.inner(step)

    async def _do_unless_done(self, step: Step) -> Handoff:
        if self.run.memo.knows(step.key):
            return await self.inner(step)
        older = self.run.memo.older(step.kind, step.task_id, step.contract_name)
        if older is None or not self.run.intents.stands(step.task_id, older.key):
            return await self.inner(step)
        if await why_lost(self.run, older.handoff):
            return await self.inner(step)
        return await self._ask(step, older)

    async def _ask(self, step: Step, older: StepRecord) -> Handoff:
        """Ask a person whether it is done again; while nobody says so, what was done stands, and others wait."""
        terms = gate_of_step(self.run, step) or Gate()
        note = f"{step.task_id} was done on {older.finished:%Y-%m-%d %H:%M:%S} UTC from older inputs"
        found = await consent(self.run, GateCall(step, terms, Question.AGAIN, note), self.ask_ready)
        if isinstance(found.error, ApprovalPending):
            return await refuse(self.run, step, found.error)
        if found.error is not None:
            key = digest_of((step.key, "older inputs", older.key))
            known = self.run.memo.find(key)
            return await self._keep(step, key, older) if known is None else reuse(self.run, step.phase, known)
        if found.done is not None:
            self.run.intents.note_done(step.task_id, found.done.output)
        self.run.intents.allow_again(step.task_id)
        return await self.inner(step)

    async def _keep(self, step: Step, key: str, older: StepRecord) -> Handoff:
        used = UsedFallback(
            kind=FallbackKind.OLDER_INPUTS,
            said=f"done on {older.finished:%Y-%m-%d %H:%M:%S} UTC from older inputs",
            reason="what it is given has changed since; it cannot be undone, and a person said that it is not done "
            f"again (to have it asked again: echelon retry {self.run.spec.run_id} '{step.task_id}')",
            made_at=made_at(older),
        )
        kept = older.handoff.again(used)
        handoff = kept.model_copy(update={"confidence": used.lowered(kept.confidence)})
        record = record_of(self.run, step, handoff, key=key, code=older.code)
        said = f"{step.task_id} was {used.said}, and its output is kept: {used.reason}"
        report = ExceptionReport(
            trigger=Trigger.KEPT, level=Level.WARNING, path=step.path, message=said, at=record.finished
        )
        await record_step(self.run, record, report)
        return handoff
