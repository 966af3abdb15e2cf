"""What a run is begun inside of: a task of another run of ours, or a flow run of Prefect.

Known to whatever an agent calls, in its coroutine or its thread; not in a process of its own.
"""

import contextlib
import sys
from collections.abc import Generator
from contextvars import ContextVar
from dataclasses import dataclass


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
