"""What models are asked and answered while a step is done is kept by reference, however the step ends (V2)."""

import asyncio
import logging
from datetime import datetime
from types import TracebackType
from typing import cast

from echelon.agents.agent import Agent
from echelon.agents.model import ModelAgent
from echelon.agents.transcript.exchange import Exchange, hearing
from echelon.agents.transcript.recording import answers_in, context_tokens_of, model_name, name_of, transcript_of
from echelon.agents.transcript.transcript import CONTRACT
from echelon.coordination.context import RunContext
from echelon.coordination.step.envelope import error_report, one_line
from echelon.coordination.step.step import Step
from echelon.model.handoff import OutputReference
from echelon.model.run import Conversation
from echelon.redaction import redact
from echelon.resilience.stoppable import GivenUp
from echelon.runlog.events import ModelAsked

log = logging.getLogger("echelon.coordination")

#: How much is told of why there is no answer, or no transcript, in characters.
TOLD_CHARACTERS = 500


class Transcribing:
    """Keeps the conversations that a step has in a block; one that cannot be kept costs nothing but itself.

    A class, and no generator: a loop closes the generators that it finds open at its end, those of a step that was
    given up too (F4).
    """

    def __init__(self, run: RunContext, step: Step) -> None:
        self._run = run
        self._step = step
        self._began = run.now()
        self._hearing = hearing()

    async def __aenter__(self) -> None:
        """Begin to listen."""
        self._exchanges = self._hearing.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write down what was heard, however the block ended."""
        self._hearing.__exit__(kind, error, trace)
        run, step = self._run, self._step
        for exchange in self._exchanges or _unasked(run, step.agent, self._began, error):
            event = await asyncio.to_thread(_recorded, run, step, exchange)
            # Nobody waits for it: a transaction of its own for each would double their number.
            run.log.enqueue(event)


def _unasked(run: RunContext, agent: Agent, began: datetime, ended: BaseException | None) -> list[Exchange]:
    """Return what there is of a model that was not asked: that is on record too, so that it is known why."""
    if not isinstance(agent, ModelAgent):
        return []
    model = cast("ModelAgent[object]", agent).model.model
    return [Exchange(agent=agent.name, model=model, began=began, ended=run.now(), messages=(), error=ended)]


def _recorded(run: RunContext, step: Step, exchange: Exchange) -> ModelAsked:
    """Write the transcript of a conversation, and return what is put on record of it."""
    error = _said_of(exchange)
    kept, not_kept = _write(run, step, exchange, error)
    conversation = Conversation(
        key=step.key,
        task_id=step.task_id,
        agent=name_of(exchange.agent),
        model=model_name(exchange.model),
        began=exchange.began,
        answers=answers_in(exchange.messages),
        context_tokens=context_tokens_of(exchange.messages),
        error=error,
        transcript=kept,
        not_kept=not_kept,
    )
    return ModelAsked(run_id=run.spec.run_id, at=exchange.ended, conversation=conversation)


def _write(run: RunContext, step: Step, exchange: Exchange, error: str) -> tuple[OutputReference | None, str]:
    """Return where a transcript is, or why there is none."""
    if run.transcripts_off:
        return None, f"transcripts are switched off by {run.transcripts_off}"
    if not exchange.messages:
        return None, "the model was not asked anything"
    try:
        made = transcript_of(exchange, error)
        return run.outputs.put_transcript(run.spec.run_id, step.key, made, CONTRACT), ""
    except Exception as reason:  # noqa: BLE001 - of the file system, or of what a tool returned
        why = f"it could not be written: {_told(reason, exchange)}"
        if run.causes.is_first("transcripts cannot be written"):
            log.warning("what the model of %s was asked and answered is not kept: %s", step.task_id, why)
        return None, why


def _said_of(exchange: Exchange) -> str:
    """Say why there is no answer; empty when there is one."""
    error = exchange.error
    if isinstance(error, asyncio.CancelledError | GivenUp):
        return "cut off: its time was over, or the run was stopped"
    if isinstance(error, Exception):
        return _told(error, exchange)
    return "" if error is None else type(error).__name__


def _told(error: Exception, exchange: Exchange) -> str:
    try:
        return one_line(redact(error_report(error).message, exchange.model), TOLD_CHARACTERS)
    except Exception:  # noqa: BLE001 - errors are classes of anybody, and may fail to say what they are
        return type(error).__name__
