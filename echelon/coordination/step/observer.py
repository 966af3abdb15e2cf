"""What an agent does while it works, put on record: which outputs it reads."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from echelon.agents.observed import OBSERVER
from echelon.coordination.context import RunContext
from echelon.coordination.step.step import Step
from echelon.model.handoff import Handoff, UsedDependency
from echelon.runlog.events import OutputRead, RunEvent


class StepObserver:
    """Hears what one step does, in whatever thread it works."""

    def __init__(self, run: RunContext, step: Step) -> None:
        self._run = run
        self._step = step
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._read: set[str] = set()

    def output_read(self, handoff: Handoff) -> None:
        """Put it on record that the step reads an output; once, however often it does."""
        version = handoff.output_location.sha256 if handoff.output_location else ""
        if version in self._read:
            return
        self._read.add(version)
        step, spec = self._step, self._run.spec
        read = UsedDependency(task_id=handoff.task_id, version=version)
        self._tell(OutputRead(run_id=spec.run_id, at=spec.now(), key=step.key, task_id=step.task_id, read=read))

    def _tell(self, event: RunEvent) -> None:
        if threading.get_ident() == self._thread:
            self._run.log.enqueue(event)
        else:
            self._loop.call_soon_threadsafe(self._run.log.enqueue, event)


@contextmanager
def observing(run: RunContext, step: Step) -> Iterator[None]:
    """Hear what a step does inside the block, and in the threads and tasks that it starts there."""
    token = OBSERVER.set(StepObserver(run, step))
    try:
        yield
    finally:
        OBSERVER.reset(token)
