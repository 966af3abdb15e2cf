"""What a run is begun inside of: a task of another run of ours, or a flow run of Prefect; and how deep it lies.

Known to whatever an agent calls, in its coroutine or its thread; not in a process of its own.
"""

import contextlib
import sys
from collections.abc import Generator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import BaseModel

from echelon.coordination.context import RunContext
from echelon.definition.inputs import written_inputs
from echelon.engine.nested_books import NestedBooks
from echelon.journal.digest import digest_of
from echelon.model.errors import NestingRefused
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.oversight.channel import NotifyChannel
from echelon.model.usage import Usage
from echelon.resilience.budget import Account
from echelon.resilience.run_slots import RunSlots

#: Runs that lie in one another at most, the outermost included.
MAX_DEPTH = 8


class RunningJob(NamedTuple):
    """A job at work on its inputs."""

    name: str
    inputs_digest: str


@dataclass(frozen=True, kw_only=True)
class JobChain:
    """Jobs at work in one another, the outermost first."""

    jobs: tuple[RunningJob, ...] = ()
    refused: list[NestingRefused] = field(default_factory=list[NestingRefused])
    """What was refused anywhere below the outermost, which alone says so in the end."""

    def extend(self, name: str, inputs: BaseModel) -> "JobChain":
        """Return the chain with one more job; `NestingRefused` when it is in it already, or when the chain is long."""
        job = RunningJob(name, digest_of(written_inputs(inputs)))
        way = " → ".join(one.name for one in (*self.jobs, job))
        if job in self.jobs:
            self._refuse(f"job {name!r} is at work on these inputs already, and would run itself for ever: {way}")
        if len(self.jobs) >= MAX_DEPTH:
            self._refuse(
                f"job {name!r} would be run inside of {len(self.jobs)} others, {MAX_DEPTH - 1} are allowed: {way}"
            )
        return JobChain(jobs=(*self.jobs, job), refused=self.refused)

    def _refuse(self, why: str) -> None:
        error = NestingRefused(f"{why}; let it end before it runs itself again")
        self.refused.append(error)
        raise error


@dataclass(frozen=True, kw_only=True)
class EnclosingTask:
    """A task of a run of ours, at work."""

    run_id: str
    """Its run."""
    task_id: str
    """The task."""
    flow_run_id: str | None = None
    """The flow run of Prefect that its run is; None when its picture has one of its own."""
    api_url: str = ""
    """The Prefect API that shows its run, as `RunOptions.api_url`."""
    show_prints: bool = True
    """Does what agents print appear on the standard output, as `RunOptions.show_prints`?"""
    chain: JobChain = field(default_factory=JobChain)
    """Its job, and those around it."""
    slots: RunSlots = field(default_factory=lambda: RunSlots(()))
    """What bounds the agents of its run at work at one time (F5)."""
    channels: tuple[NotifyChannel, ...] = ()
    """How people are told of its run, and of those inside it that say nothing else (O8)."""
    books: NestedBooks = field(default_factory=NestedBooks)
    """What its run has on its books for the runs inside it."""
    retries: Mapping[str, int] = field(default_factory=dict[str, int])
    """How often each of its tasks was to be done again."""
    fresh: bool = False
    """Is everything done in its run, as `RunOptions.fresh`?"""


@dataclass(frozen=True, kw_only=True)
class NestedShare:
    """What a run takes from the run that it is a task of, and shares with everybody else there."""

    slots: RunSlots
    """What bounds the agents of that run at work at one time (F5)."""
    account: Account | None = None
    """What the task may use; None where nothing bounds it (F4)."""
    paid: Usage = Usage()
    """What was taken from it by earlier attempts and processes."""


@dataclass(frozen=True, kw_only=True)
class EnclosingFlow:
    """A flow run of Prefect that is at work in this process."""

    flow_run_id: str
    """In Prefect."""
    api_url: str
    """The API that it is known to."""


_TASK: ContextVar[EnclosingTask | None] = ContextVar("echelon_enclosing_task", default=None)


def enclosing_task() -> EnclosingTask | None:
    """Return the task of a run that calls; None outside of runs."""
    return _TASK.get()


def enclosing_flow() -> EnclosingFlow | None:
    """Return the flow run of Prefect that calls; None outside of flows, and where Prefect is not imported."""
    if "prefect.context" not in sys.modules:
        return None
    from prefect.context import FlowRunContext

    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return None
    return EnclosingFlow(flow_run_id=str(context.flow_run.id), api_url=str(context.client.api_url))


@contextlib.contextmanager
def within(task: EnclosingTask) -> Generator[None]:
    """Let runs that are begun in the block know that they are a part of this task."""
    token = _TASK.set(task)
    try:
        yield
    finally:
        _TASK.reset(token)


async def report_refused(context: RunContext, chain: JobChain) -> None:
    """Report, in the outermost run, that one inside was refused: whoever began it may have made nothing of that."""
    for refused in chain.refused[:1]:
        message = f"a run inside was refused: {refused}"
        path = (context.spec.plan.primary.id,)
        report = ExceptionReport(
            trigger=Trigger.OVERRUN, level=Level.WARNING, path=path, message=message, at=context.now()
        )
        await context.log.push(report)
