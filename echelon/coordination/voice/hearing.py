"""What the agent of a step says is on record at once, and what it said counts in what it hands on (X15)."""

import asyncio
from contextvars import Token
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import cast

from echelon.agents.agent import Agent
from echelon.agents.function import FunctionAgent
from echelon.agents.outcome import Outcome
from echelon.agents.voice.file import Speaker, VoiceFile, read_voice
from echelon.coordination.context import RunContext
from echelon.coordination.step.step import Step
from echelon.coordination.voice.recording import end_voice, unrecorded, voice_path
from echelon.coordination.voice.statements import Statements
from echelon.journal.failpoints import failpoint
from echelon.model.errors import AgentBlocked
from echelon.model.voice.said import Said
from echelon.model.voice.speaking import VOICE, Voice

#: How often it is looked whether another process has said something, in seconds.
POLL_SECONDS = 0.2


class Hearing(Voice):
    """Hears what the agent of a step says in a block, in whatever thread or process it works.

    A class, and no generator: a loop closes the generators that it finds open at its end (F4).
    """

    def __init__(self, run: RunContext, step: Step) -> None:
        self._run = run
        self._step = step
        self._loop = asyncio.get_running_loop()
        self._read = 0
        #: A function of this process says itself that it has said something; others are looked after.
        self._is_elsewhere = _works_elsewhere(step.agent)
        self._has_said = False
        self._writing = set[asyncio.Task[None]]()
        self._poll: asyncio.Task[None] | None = None
        self._token: Token[Voice | None] | None = None

    # Most steps say nothing: what hears them is made for those that do.
    @cached_property
    def _speaker(self) -> Speaker:
        return speaker_of(self._step)

    @cached_property
    def _file(self) -> VoiceFile:
        return VoiceFile(voice_path(self._run.spec.folder, self._step.key), self._speaker)

    @cached_property
    def _statements(self) -> Statements:
        return Statements(self._run.raising, self._speaker)

    @property
    def path(self) -> Path:
        """Where lines may be added, from any process."""
        return self._file.path

    def say(self, said: Said) -> None:
        """Keep what was said in the file, and let it be put on record."""
        self._has_said = True
        self._file.say(said)
        failpoint("voice.said")
        self._loop.call_soon_threadsafe(self._take)

    async def __aenter__(self) -> None:
        """Begin to hear."""
        if self._is_elsewhere:
            await asyncio.to_thread(self._file.make)
            self._poll = asyncio.create_task(self._look(), name=f"voice of {self._step.task_id}")
        self._token = VOICE.set(self)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the rest on record, however the block ended."""
        assert self._token is not None, "what is left was entered"
        VOICE.reset(self._token)
        if self._poll is not None:
            self._poll.cancel()
        if self._is_elsewhere or self._has_said:
            self._take(ended=True)
            if self._writing:
                await asyncio.gather(*self._writing)
            await end_voice(self._run, self.path, self._speaker, self._statements.too_much)

    @property
    def words(self) -> tuple[str, ...]:
        """What it said so far, in words."""
        said = self._has_said or self._is_elsewhere
        return tuple(one.message for one in self._statements.concerns) if said else ()

    def complete(self, outcome: Outcome[object]) -> Outcome[object]:
        """Return what an agent handed on, with what it said while it worked; `AgentBlocked` when it said that it is."""
        if not (self._has_said or self._is_elsewhere):
            return outcome
        statements = self._statements
        if statements.blocked is not None:
            blocked = AgentBlocked(f"{self._step.agent.name} is {statements.why_blocked}", concerns=outcome.concerns)
            blocked.usage = outcome.usage
            raise blocked
        changes: dict[str, object] = {}
        if statements.confidence is not None and outcome.confidence >= 1:
            changes["confidence"] = statements.confidence
        new = [one for one in statements.concerns if one not in outcome.concerns]
        if new:
            changes["concerns"] = (*outcome.concerns, *dict.fromkeys(new))
        return replace(outcome, **changes) if changes else outcome

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            self._take()

    def _take(self, *, ended: bool = False) -> None:
        heard = read_voice(self.path, self._speaker.task_id, self._read, ended=ended)
        self._read, self._statements.unread = heard.end, heard.unread
        events = unrecorded(self._run, self._statements.take(heard.said, self._run.now()))
        if events:
            writing = asyncio.ensure_future(self._run.log.append(*events))
            self._writing.add(writing)
            writing.add_done_callback(self._written)

    def _written(self, writing: asyncio.Task[None]) -> None:
        """Forget a write that is over; one that failed is seen by whoever waits for all of them at the end."""
        if not writing.cancelled() and writing.exception() is None:
            self._writing.discard(writing)


def speaker_of(step: Step) -> Speaker:
    """Return who says something where a step is done."""
    reports_to = step.call.brief.reports_to
    return Speaker(key=step.key, task_id=step.task_id, node=step.node, phase=step.phase, owner=reports_to)


def _works_elsewhere(agent: Agent) -> bool:
    return not isinstance(agent, FunctionAgent) or cast("FunctionAgent[..., object]", agent).cpu_bound
