"""Where a step waits for people before it begins (O5).

It lies outside the guard: who waits for a person holds no slot, no budget and no time limit.
"""

from collections.abc import Awaitable
from dataclasses import dataclass, replace

from echelon.coordination.context import RunContext
from echelon.coordination.gates.asking import GateCall, consent, withdraw
from echelon.coordination.step.record import record_of, record_with_news
from echelon.coordination.step.seal import seal
from echelon.coordination.step.step import AskReady, Perform, Step, nobody_asked
from echelon.model.errors import ApprovalDenied, ApprovalPending, ContractViolation, NotAccepted
from echelon.model.handoff import Handoff
from echelon.model.oversight.gate import GateRecord, Question
from echelon.model.oversight.terms import Gate
from echelon.model.run import StepKind
from echelon.model.usage import Usage
from echelon.resilience.guard import CallResult


@dataclass(frozen=True)
class AtGate:
    """Lets a step begin when it may; one that may not ends blocked, or failed, and others go on."""

    run: RunContext
    inner: Perform[Handoff]
    ask_ready: AskReady = nobody_asked

    def __call__(self, step: Step) -> Awaitable[Handoff]:
        """Do a step behind its gate."""
        terms = gate_of_step(self.run, step)
        # Most steps have none: for them this layer is not even a frame on the way.
        return self.inner(step) if terms is None else self._do(step, terms)

    async def _do(self, step: Step, terms: Gate, *, again: bool = True) -> Handoff:
        uncertain = self._uncertainty(step)
        question = Question.CUT_OFF if uncertain else Question.BEGIN
        found = await consent(self.run, GateCall(step, terms, question, uncertain), self.ask_ready)
        if found.error is not None:
            return await refuse(self.run, step, found.error)
        if found.done is not None:
            self.run.intents.note_done(step.task_id, found.done.output)
        elif uncertain:
            self.run.intents.allow_again(step.task_id)
        handoff = await self.inner(replace(step, approval=None if found.done else found.gate))
        assert found.gate is not None, "where there is no error somebody has answered"
        is_known = not await self._withdraw(step, found.gate, handoff) if found.done else _is_known(handoff)
        if is_known or not again or not self._uncertainty(step):
            return handoff
        return await self._do(step, terms, again=False)  # it did not end well: a person has to find out what happened

    async def _withdraw(self, step: Step, gate: GateRecord, handoff: Handoff) -> bool:
        """Close a gate where what a person says came of the step is not accepted; say whether that is so."""
        error = handoff.error
        if error is None or error.kind not in _NOT_TAKEN:
            return False
        await withdraw(self.run, gate, f"what is said to have come of it does not count: {error.message}")
        self.run.intents.forget_done(step.task_id)
        return True

    def _uncertainty(self, step: Step) -> str:
        return self.run.intents.uncertainty(step.task_id, step.renewed) if _is_final(step) else ""


def gate_of_step(run: RunContext, step: Step) -> Gate | None:
    """Return the terms of the gate before a step; None where it has none."""
    task = run.spec.tasks.get(step.task_id) if step.kind is StepKind.TASK else None
    stated = task.gate if task is not None else None
    return stated or (Gate() if _is_final(step) else None)


async def refuse(run: RunContext, step: Step, error: Exception) -> Handoff:
    """End a step that may not begin, and put it on record."""
    handoff = await seal(run, step, CallResult(value=None, error=error, attempts=0, seconds=0.0, usage=Usage()))
    await record_with_news(run, step, record_of(run, step, handoff))
    return handoff


def _is_final(step: Step) -> bool:
    return step.agent.effect == "irreversible"


#: Errors that say what happened: nothing was begun, or it was done and is not wanted so.
_NOT_TAKEN = (ContractViolation.__name__, NotAccepted.__name__)
_KNOWN = (ApprovalPending.__name__, ApprovalDenied.__name__, *_NOT_TAKEN)


def _is_known(handoff: Handoff) -> bool:
    return handoff.done or (handoff.error is not None and handoff.error.kind in _KNOWN)
