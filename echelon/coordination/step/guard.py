"""A step behind its guard: what came of it ends in an envelope, and is on record before anybody sees it (C1, F8)."""

from dataclasses import dataclass
from datetime import datetime

from echelon.agents.fingerprint.agent import fingerprint_of
from echelon.coordination.accounts import expected_tokens, may_wrap_up, pays_by_part
from echelon.coordination.context import RunContext
from echelon.coordination.step.attempts import Attempts
from echelon.coordination.step.boundary import Accepted
from echelon.coordination.step.envelope import deviation
from echelon.coordination.step.record import record_of, record_step
from echelon.coordination.step.seal import seal
from echelon.coordination.step.step import Perform, Step
from echelon.definition.facts import model_name
from echelon.journal.failpoints import failpoint
from echelon.model.exception_report import ExceptionReport
from echelon.model.handoff import Handoff
from echelon.runlog.causes import cause_of


@dataclass(frozen=True)
class Guarded:
    """Lets a step be done within its policy. Never raises for a failed agent.

    `JournalError` when the result cannot be written down: what is not durable must not be seen.
    """

    run: RunContext
    inner: Perform[Accepted]

    async def __call__(self, step: Step) -> Handoff:
        """Do a step, and return the handoff that is on record of it."""
        attempts = Attempts(self.run, step, self.inner)
        guard = step.guard
        account = self.run.accounts.of(step.kind, step.task_id, step.node, guard.policy, guard.account)
        keeps_back = account is not None and account.keeps_back
        wrap_up = attempts.make if keeps_back and may_wrap_up(step.kind, step.agent) else None
        tokens = 0 if pays_by_part(step.agent) else expected_tokens(step.tokens, guard.policy)
        result = await guard.call(attempts.make, tokens=tokens, account=account, wrap_up=wrap_up, observer=attempts)
        failpoint("step.performed")
        handoff = await seal(self.run, step, result)
        failpoint("step.sealed")
        await self._record(step, handoff, attempts.began or self.run.now())
        failpoint("step.recorded")
        return handoff

    async def _record(self, step: Step, handoff: Handoff, began: datetime) -> None:
        code, model = fingerprint_of(step.agent), model_name(step.agent)
        record = record_of(self.run, step, handoff, began=began, code=code, model=model)
        news = deviation(handoff)
        # The first failure of a cause is reported at once; the others by the incident at the sync point (F6).
        if news is None or (handoff.error is not None and not self.run.causes.is_first(cause_of(handoff.error))):
            await record_step(self.run, record)
            return
        trigger, level, message = news
        report = ExceptionReport(trigger=trigger, level=level, path=step.path, message=message, at=record.finished)
        await record_step(self.run, record, report)
