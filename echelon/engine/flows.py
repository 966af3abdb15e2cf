"""A job as a Prefect flow: typed parameters from its inputs, its run inside (X1).

Prefect is imported when a flow is asked for, and not before: it takes seconds, which `plan` and `run` do not pay.
"""

import asyncio
import functools
import inspect
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from echelon.agents.threads import end_within
from echelon.definition.definition import JobDefinition
from echelon.definition.inputs import read_inputs
from echelon.engine.asking.suspending import ask_people, take_up_answers
from echelon.engine.continuing import resumed_run, schedule_continuation, until_of
from echelon.engine.picture.request import wait_for_picture
from echelon.engine.run import PICTURE_SECONDS, RunOptions, run_job
from echelon.engine.termination import cancel_on_sigterm
from echelon.journal.failpoints import failpoint
from echelon.model.errors import EchelonError, RunSkipped
from echelon.model.run import RunResult, RunStatus
from echelon.settings import Settings

if TYPE_CHECKING:
    from prefect import Flow
    from prefect.client.schemas.objects import State

#: The process of a flow run has so many seconds after it, in which Prefect reports its state.
END_SECONDS = 60.0


class RunFailed(EchelonError):
    """A run ended without output; the message says what is missing."""


@functools.cache
def flow_of(job: JobDefinition) -> "Flow[..., Any]":
    """Return a job as a Prefect flow: its parameters are the job's inputs, its result is a `RunResult`."""
    from prefect import Flow, get_client
    from prefect.runtime import flow_run
    from prefect.states import Completed

    async def body(**parameters: object) -> "State[Any]":
        async with get_client() as client:
            api_url = str(client.api_url)
            await take_up_answers(client, flow_run.id)
        options = RunOptions(
            source=job.source, run_id=resumed_run(flow_run.tags), flow_run_id=flow_run.id, api_url=api_url
        )
        try:
            result = await cancel_on_sigterm(run_job(job, read_inputs(job.inputs_type, parameters), options))
        except RunSkipped as skipped:
            return Completed(name="Skipped", message=str(skipped))
        until = until_of(result.waiting)
        if until is not None:
            failpoint("continuation.due")
            async with get_client() as client:
                ended = await client.read_flow_run(UUID(flow_run.id))
                await schedule_continuation(client, ended, result.run_id, until)
            failpoint("continuation.scheduled")
        await asyncio.to_thread(wait_for_picture, result.run_id, Settings(), PICTURE_SECONDS)
        if "PREFECT__FLOW_RUN_ID" in os.environ:  # this process was started for this flow run alone
            end_within(END_SECONDS, 0)
        async with get_client() as client:
            await ask_people(client, flow_run.id, result)
        return _state_of(result)

    body.__name__ = body.__qualname__ = job.name.replace("-", "_")
    body.__doc__ = _documentation(job)
    body.__signature__ = inspect.Signature(_parameters(job))  # pyright: ignore[reportFunctionMemberAccess] - inspect reads it
    # Without a storage of its own a flow asks the server for one, in a request that blocks the event loop.
    storage = Settings().home / "prefect" / "results"
    function: Callable[..., object] = body
    return Flow(
        function,
        name=job.name,
        description=body.__doc__,
        persist_result=False,
        result_storage=storage,
    )


#: What is no failure, but not all there is either: a state of its own name in Prefect.
_ENDED_OTHERWISE = (RunStatus.PARTIAL, RunStatus.WAITING)


def _state_of(result: RunResult) -> "State[Any]":
    from prefect.states import Completed, Failed

    if result.status is RunStatus.COMPLETED:
        return Completed(data=result, message=f"run {result.run_id}")
    first = f"{result.missing[0].task_id}: {result.missing[0].reason}" if result.missing else ""
    message = f"run {result.run_id}: {len(result.missing)} missing, the first: {first}"
    if result.waiting is not None and (result.waiting.until or not result.missing):
        until = f" until {result.waiting.until}" if result.waiting.until else ""
        message = f"run {result.run_id} waits for {result.waiting.for_}{until}"
    if result.status in _ENDED_OTHERWISE:
        return Completed(name=result.status.value.capitalize(), data=result, message=message)
    return Failed(data=RunFailed(message), message=message)


def _parameters(job: JobDefinition) -> list[inspect.Parameter]:
    fields = job.inputs_type.model_fields
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.is_required() else field.get_default(call_default_factory=True),
            annotation=Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation,
        )
        for name, field in fields.items()
    ]


def _documentation(job: JobDefinition) -> str:
    """Write a docstring, which is where Prefect's form takes the descriptions of the parameters from, a line each."""
    described = {name: field.description or name for name, field in job.inputs_type.model_fields.items()}
    lines = [f"    {name}: {' '.join(text.split())}" for name, text in described.items()]
    return "\n".join([job.goal, "", "Args:", *lines]) if lines else job.goal
