"""A step behind its guard: what came of it ends in an envelope, and is on record before anybody sees it (C1, F8)."""

from dataclasses import dataclass

from echelon.agents.fingerprint.agent import fingerprint_of
from echelon.coordination.accounts import expected_tokens, may_wrap_up, pays_by_part
from echelon.coordination.context import RunContext
from echelon.coordination.step.attempts import Attempts
from echelon.coordination.step.boundary import Accepted
from echelon.coordination.step.quota import record_refusal
from echelon.coordination.step.record import record_of, record_with_news
from echelon.coordination.step.seal import seal
from echelon.coordination.step.step import Perform, Step
from echelon.definition.facts import model_name
from echelon.journal.failpoints import failpoint
from echelon.model.handoff import Handoff


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
        stop = step.control.stop if step.control else None
        call = guard.call(attempts.make, tokens=tokens, account=account, wrap_up=wrap_up, observer=attempts, stop=stop)
        result = await (stop.run(call) if stop else call)
        await record_refusal(self.run, guard.quota, result.error)
        failpoint("step.performed")
        handoff = await seal(self.run, step, result)
        failpoint("step.sealed")
        began, code, model = attempts.began or self.run.now(), fingerprint_of(step.agent), model_name(step.agent)
        record = record_of(self.run, step, handoff, began=began, code=code, model=model)
        await record_with_news(self.run, step, record)
        failpoint("step.recorded")
        return handoff
