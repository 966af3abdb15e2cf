"""What an agent does while it works, put on record: which outputs it reads, what it logs, what it prints (C6, V2)."""

import asyncio
import logging
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

from echelon.agents.observed import OBSERVER, Stream
from echelon.coordination.context import RunContext
from echelon.coordination.step.step import Step
from echelon.model.handoff import UsedDependency
from echelon.model.phrasing import count
from echelon.redaction import redact
from echelon.runlog.events import Logged, OutputRead, RunEvent

#: What one attempt at a step may log: an agent that goes wild must not fill the journal.
MAX_LINES = 1_000
MAX_LINES_A_SECOND = 100
MAX_CHARACTERS = 2_000


class StepObserver:
    """Hears what one attempt at a step does, in whatever thread it works."""

    def __init__(self, run: RunContext, step: Step) -> None:
        self._run = run
        self._step = step
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._read: set[str] = set()
        self._lines = _LineLimit()
        self._unended: dict[Stream, str] = {"stdout": "", "stderr": ""}

    def output_read(self, task_id: str, version: str) -> None:
        """Put it on record that the step reads an output; once, however often it does."""
        with self._lock:
            if version in self._read:
                return
            self._read.add(version)
        step, spec = self._step, self._run.spec
        read = UsedDependency(task_id=task_id, version=version)
        self._report(OutputRead(run_id=spec.run_id, at=spec.now(), key=step.key, task_id=step.task_id, read=read))

    def logged(self, level: int, message: str) -> None:
        """Put a line of a log on record."""
        self._line("logging", level, message)

    def wrote(self, stream: Stream, text: str) -> None:
        """Put what is printed on record, line by line."""
        with self._lock:
            *lines, rest = (self._unended[stream] + text).split("\n")
            # A line without end is cut: what it says is lost in any case.
            self._unended[stream] = rest[:MAX_CHARACTERS]
        for line in lines:
            if line.strip():
                self._line(stream, logging.INFO, line)

    def end(self) -> None:
        """Put on record what is still unwritten, and how much was left out."""
        for stream in self._unended:
            self.wrote(stream, "\n")
        if self._lines.left_out:
            bounds = f"{MAX_LINES_A_SECOND} a second and {MAX_LINES:,} in all are kept"
            message = f"{count(self._lines.left_out, 'line')} left out: {bounds}"
            self._report(self._event("echelon", logging.WARNING, message))

    def _line(self, source: Literal["logging", "stdout", "stderr"], level: int, message: str) -> None:
        with self._lock:
            if not self._lines.take(time.monotonic()):
                return
        self._report(self._event(source, level, redact(message[:MAX_CHARACTERS])))

    def _event(self, source: Literal["logging", "stdout", "stderr", "echelon"], level: int, message: str) -> Logged:
        step, spec = self._step, self._run.spec
        return Logged(
            run_id=spec.run_id,
            at=spec.now(),
            key=step.key,
            task_id=step.task_id,
            source=source,
            level=level,
            message=message,
        )

    def _report(self, event: RunEvent) -> None:
        if threading.get_ident() == self._thread:
            self._run.log.enqueue(event)
        else:
            self._loop.call_soon_threadsafe(self._run.log.enqueue, event)


class _LineLimit:
    """So many lines a second, and so many in all."""

    def __init__(self) -> None:
        self.left_out = 0
        self._taken = 0
        self._second = 0.0
        self._in_second = 0

    def take(self, now: float) -> bool:
        """Say whether one more line may be kept at this time."""
        if now - self._second >= 1:
            self._second, self._in_second = now, 0
        if self._taken >= MAX_LINES or self._in_second >= MAX_LINES_A_SECOND:
            self.left_out += 1
            return False
        self._taken += 1
        self._in_second += 1
        return True


@contextmanager
def observing(run: RunContext, step: Step) -> Generator[None]:
    """Hear what a step does inside the block, and in the threads and tasks that it starts there."""
    observer = StepObserver(run, step)
    token = OBSERVER.set(observer)
    try:
        yield
    finally:
        OBSERVER.reset(token)
        observer.end()
