"""`prefect.get_run_logger()` inside an agent: its lines go to Python's logging, from where the run takes them.

The work does not import Prefect; only where an agent's own module did, there is a context to be set. Nothing is sent to
Prefect from here: what an agent writes is on record in the log of the run, and shown from there.
"""

import contextlib
import functools
import logging
import sys
import uuid
from collections.abc import Generator
from typing import Any

#: The loggers that `get_run_logger` returns.
LOGGERS = ("prefect.flow_runs", "prefect.task_runs")

#: Ids that are made here begin with this, by which a line is known in whatever thread it is written.
_OURS = "ec4e1000-"


@contextlib.contextmanager
def run_context_for(flow_run_id: str | None, task_name: str) -> Generator[None]:
    """Let `get_run_logger()` work in the block, as in a task run of this name. Without Prefect it does nothing."""
    if "prefect.context" not in sys.modules:
        yield
        return
    variable, make = _tools()
    token = variable.set(make(flow_run_id, task_name))
    try:
        yield
    finally:
        variable.reset(token)


@functools.cache
def _tools() -> tuple[Any, Any]:
    """Return where Prefect keeps the context of a task run, and what makes one."""
    from prefect.client.schemas.objects import TaskRun
    from prefect.context import TaskRunContext
    from prefect.results import ResultStore

    for name in LOGGERS:
        logging.getLogger(name).addFilter(_keep_from_api)
    store = ResultStore()  # tasks of Prefect that the agent calls find one here

    def make(flow_run_id: str | None, task_name: str) -> TaskRunContext:
        task_run = TaskRun(
            id=uuid.UUID(_OURS + str(uuid.uuid4())[len(_OURS) :]),
            name=task_name,
            flow_run_id=uuid.UUID(flow_run_id) if flow_run_id else None,
            task_key=task_name,
            dynamic_key="0",
        )
        # Nothing is validated: there is no client, since nothing may be asked of a server.
        return TaskRunContext.model_construct(
            task=None,
            task_run=task_run,
            parameters={},
            result_store=store,
            persist_result=False,
            log_prints=False,
            start_time=None,
            input_keyset=None,
            client=None,
        )

    return TaskRunContext.__var__, make


def _keep_from_api(record: logging.LogRecord) -> bool:
    """Tell Prefect's handler to leave out a line of an agent; every other handler gets it."""
    if str(getattr(record, "task_run_id", "")).startswith(_OURS):
        record.send_to_api = False
    return True
