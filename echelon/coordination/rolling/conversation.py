"""A model that goes on with its item keeps its conversation; where it cannot be had, that is said (D1, V2)."""

import asyncio
from dataclasses import replace

from echelon.agents.model import ModelAgent
from echelon.agents.transcript.replay import why_not_whole
from echelon.agents.transcript.transcript import Transcript
from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.step.step import Step
from echelon.model.errors import ContractViolation, JournalError
from echelon.model.handoff import Handoff
from echelon.model.run import Conversation


async def in_conversation(run: RunContext, step: Step, received: PhaseOutput) -> Step:
    """Return a step of a model with the conversation about the task that it continues, as it is on record.

    Where something stands in for what it did there, it begins a new one.
    """
    done = next(iter(received.handoffs), None)
    if done is None or not isinstance(step.agent, ModelAgent):
        return step
    try:
        return replace(step, call=replace(step.call, so_far=await _on_record(run, done)))
    except _Unavailable as reason:
        return replace(step, note=f"in a new conversation: {reason}")


class _Unavailable(Exception):
    """Why a conversation cannot be gone on with."""


async def _on_record(run: RunContext, done: Handoff) -> Transcript:
    if done.fallback is not None:
        raise _Unavailable(f"{done.fallback.said} stands in for {done.task_id}")
    known = _last(run, done.task_id)
    if known is None:
        await run.log.refresh()  # it may have been had in another process
        known = _last(run, done.task_id)
    if known is None or known.transcript is None:
        raise _Unavailable(known.not_kept if known else f"none about {done.task_id} is on record")
    try:
        kept = await asyncio.to_thread(run.outputs.get, known.transcript, Transcript)
    except (JournalError, ContractViolation) as error:
        raise _Unavailable(str(error)) from error
    if lacks := why_not_whole(kept):
        raise _Unavailable(f"that about {done.task_id} {lacks}")
    return kept


def _last(run: RunContext, task_id: str) -> Conversation | None:
    """Return the last conversation about a task that came to an answer."""
    had = reversed(run.log.state.conversations)
    return next((one for one in had if one.task_id == task_id and not one.error), None)
