"""A run at work in the same program, seen as it goes: its events as they become durable, then its result."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from pydantic import BaseModel

from echelon.definition.definition import JobDefinition
from echelon.engine.recording import new_run_id
from echelon.engine.run import RunOptions, run_job
from echelon.model.errors import InvalidInput
from echelon.model.run import RunResult
from echelon.runlog.events import LoggedEvent, RunEvent

Begin = Callable[[RunOptions], Coroutine[Any, Any, RunResult]]
"""Carries a run out."""


class RunStream:
    """A run that is begun when the block, or the loop over its events, is entered, and cancelled when that is left.

    async with job.stream(path="src") as run:
        async for event in run:
            print(event.kind)
        result = await run.result()
    """

    def __init__(self, run_id: str, begin: Begin, options: RunOptions) -> None:
        self.run_id = run_id
        """The run; known before anything is done."""
        self._begin = begin
        self._options = replace(options, run_id=run_id, watch=self._watch)
        self._events: asyncio.Queue[RunEvent | None] = asyncio.Queue()
        self._task: asyncio.Task[RunResult] | None = None
        self._is_read = False

    async def __aenter__(self) -> Self:
        """Begin the run."""
        if self._task is not None:
            raise InvalidInput(f"run {self.run_id} was begun already; `Job.stream` begins another one")
        self._task = asyncio.create_task(self._begin(self._options), name=f"echelon-run-{self.run_id}")
        self._task.add_done_callback(lambda _: self._events.put_nowait(None))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the run unless it has ended: that is on record, and completed work is kept."""
        assert self._task is not None, "it was entered"
        if not self._task.done():
            self._task.cancel()
            try:
                await asyncio.wait({self._task})
            except asyncio.CancelledError:  # the run still has to write down its end
                await asyncio.wait({self._task})
                raise
        if not self._task.cancelled() and (failure := self._task.exception()) is not None and error is None:
            raise failure

    def __aiter__(self) -> AsyncGenerator[RunEvent]:
        """Give the events of the run as they become durable, each once; ends when the run has ended, or raises why."""
        if self._is_read:
            raise InvalidInput(f"the events of run {self.run_id} are read already; `echelon show` has them all")
        self._is_read = True
        return self._read() if self._task is not None else self._read_whole()

    async def result(self) -> RunResult:
        """Wait for the end of the run, and return what came of it; raises what `Job.run` raises."""
        if self._task is None:
            raise InvalidInput(f"run {self.run_id} is not begun: write `async with job.stream(…) as run:`")
        return await asyncio.shield(self._task)

    async def _read(self) -> AsyncGenerator[RunEvent]:
        while (event := await self._events.get()) is not None:
            yield event
        await self.result()

    async def _read_whole(self) -> AsyncGenerator[RunEvent]:
        async with self:
            async for event in self._read():
                yield event

    def _watch(self, entries: Sequence[LoggedEvent]) -> None:
        for entry in entries:
            self._events.put_nowait(entry.event)


def stream_job(job: JobDefinition, inputs: BaseModel, options: RunOptions) -> RunStream:
    """Return a run of a job that is to be begun."""
    return RunStream(new_run_id(job.name), lambda chosen: run_job(job, inputs, chosen), options)
