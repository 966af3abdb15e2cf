"""What changes the world outside is put on record before it is done, so that no crash can hide that it was begun (F8).

An agent with the effect `write` is let work again after a crash, with the same idempotency key: the receiver can tell
that it got this before. One that is `irreversible` is not: whether it happened only a person can find out.
"""

from collections.abc import Awaitable
from dataclasses import dataclass, replace

from echelon.agents.agent import Agent
from echelon.agents.function import FunctionAgent
from echelon.agents.outcome import Outcome, delivered
from echelon.coordination.context import RunContext
from echelon.coordination.gates.executing import approval_used
from echelon.coordination.step.step import Perform, Step
from echelon.journal.failpoints import failpoint
from echelon.model.errors import AgentBlocked, AgentFailed, InvalidInput

#: What an agent raises to say that it did nothing. A command or a model says so of what it knows, which is less.
_NOTHING_HAPPENED = (AgentFailed, InvalidInput)


@dataclass(frozen=True)
class Declare:
    """Lets an agent work, once it is durable that it was begun."""

    run: RunContext
    inner: Perform[Outcome[object]]

    def __call__(self, step: Step) -> Awaitable[Outcome[object]]:
        """Do a step; what only reads, or is asked once more, needs no intent."""
        return self.inner(step) if step.agent.effect == "read" or step.complaint else self._declare(step)

    async def _declare(self, step: Step) -> Outcome[object]:
        """Declare what is about to be done, then do it; `EffectUncertain` where it may have happened already."""
        known = await self.run.intents.recall_decision(step.task_id)
        if known is not None:
            return known
        self.run.intents.check(step.task_id, step.agent.effect, step.renewed)
        approved = await approval_used(self.run, step)
        intent = await self.run.intents.begin(step.key, step.task_id, step.agent.effect, step.renewed, approved)
        failpoint("claim.taken")
        brief = step.call.brief.model_copy(update={"idempotency_key": intent.idempotency_key})
        try:
            done = await self.inner(replace(step, call=replace(step.call, brief=brief)))
            outcome = delivered(step.agent.name, done)
        except _NOTHING_HAPPENED as error:
            if _did_nothing(step.agent, error):
                await self.run.intents.settle(intent)
            raise
        failpoint("effect.done")
        return outcome


def _did_nothing(agent: Agent, error: AgentFailed | InvalidInput) -> bool:
    """Say whether an agent says that it did nothing; what was said for it, since its process died, does not count.

    Who is blocked may wait for something behind what was done, which is no risk for what can be undone only.
    """
    if not isinstance(agent, FunctionAgent) or (isinstance(error, AgentFailed) and error.cut_off):
        return False
    return not (agent.effect == "irreversible" and isinstance(error, AgentBlocked))
