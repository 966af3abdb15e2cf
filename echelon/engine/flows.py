"""A job as a Prefect flow: typed parameters from its inputs, its phases inside, its report as artifacts (X1)."""

import asyncio
import base64
import functools
import inspect
import logging
import re
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Annotated, Any

from prefect import Flow
from prefect.artifacts import acreate_image_artifact, acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from echelon.coordination.job_run import run_phases
from echelon.definition.definition import JobDefinition
from echelon.definition.inputs import read_inputs
from echelon.engine.mirror import show
from echelon.engine.resolution import resolution_for
from echelon.engine.room import Room, RoomKind
from echelon.engine.run import Prepared, RunOptions, finish, prepared
from echelon.model.errors import EchelonError
from echelon.model.run import RunResult, RunStatus
from echelon.settings import Settings

log = logging.getLogger("echelon.engine")

#: The work that began before its flow did; None when Prefect itself started the flow.
_BEGUN: ContextVar["Work | None"] = ContextVar("begun", default=None)

#: An artifact larger than this does not help a reader, and Prefect keeps it in its database; in bytes.
MAX_ARTIFACT_BYTES = 500_000


class RunFailed(EchelonError):
    """A run ended without output; the message says what is missing."""


class Work:
    """A run at work, and the room in which it can be seen."""

    def __init__(self, run: Prepared) -> None:
        self.run = run
        self.room = Room(RoomKind.JOB)
        self.files: dict[str, str | bytes] = {}
        self.task = asyncio.create_task(self.room.work(self._carry_out))

    async def _carry_out(self) -> RunResult:
        context = self.run.context
        scheduler = resolution_for(context.plan.n_agents, self.run.options.resolution)
        result, self.files = await finish(self.run, await run_phases(context, scheduler))
        return result

    async def shown(self) -> State[Any]:
        """Show the work until it has ended, with its report; stopped together with whoever watches it."""
        try:
            await show(self.room)
            await asyncio.gather(show_report(self.run.context.job, self.files), asyncio.wait([self.task]))
        finally:
            await self.stop()
        return _state_of(self.task.result())

    async def stop(self) -> None:
        """Stop the work if it has not ended, and wait until it has: nothing may write once the journal is closed."""
        self.task.cancel()
        await asyncio.wait([self.task])


@functools.cache
def flow_of(job: JobDefinition) -> Flow[..., Any]:
    """Return a job as a Prefect flow: its parameters are the job's inputs, its result is a `RunResult`."""

    async def body(**parameters: Any) -> State[Any]:
        begun = _BEGUN.get()
        if begun is not None:
            return await begun.shown()
        options = RunOptions(source=job.source, flow_run_id=flow_run.id)
        async with prepared(job, read_inputs(job.inputs_type, parameters), options, Settings()) as run:
            return await Work(run).shown()

    body.__name__ = body.__qualname__ = job.name.replace("-", "_")
    body.__doc__ = _documentation(job)
    body.__signature__ = inspect.Signature(_parameters(job))  # pyright: ignore[reportFunctionMemberAccess]
    # Without a storage of its own a flow asks the server for one, in a request that blocks the event loop (3.9.1 too).
    storage = Settings().home / "prefect" / "results"
    function: Callable[..., Any] = body
    return Flow(
        function,
        name=job.name,
        description=body.__doc__,
        flow_run_name=_run_name,
        persist_result=False,
        result_storage=storage,
    )


def _run_name() -> str:
    """Name a flow run after the run; one that Prefect started keeps the name that Prefect gave it."""
    begun = _BEGUN.get()
    return begun.run.record.run_id if begun is not None else flow_run.name


async def run_in_flow(run: Prepared) -> RunResult:
    """Carry out a prepared run, and show it as a run of its job's flow."""
    work = Work(run)
    token = _BEGUN.set(work)
    try:
        await _recorded_by_prefect(work)
        return await work.task
    finally:
        _BEGUN.reset(token)
        await work.stop()


async def _recorded_by_prefect(work: Work) -> None:
    context = work.run.context
    try:
        await flow_of(context.job)(**dict(context.inputs), return_state=True)
    except Exception as error:  # noqa: BLE001 - what Prefect raises is about its record; the work says what became of it
        log.warning("Prefect could not record run %s: %s", context.run_id, error)


#: What is no failure, but not all there is either: a state of its own name in Prefect.
_ENDED_OTHERWISE = (RunStatus.PARTIAL, RunStatus.WAITING)


def _state_of(result: RunResult) -> State[Any]:
    if result.status is RunStatus.COMPLETED:
        return Completed(data=result, message=f"run {result.run_id}")
    first = f"{result.missing[0].task_id}: {result.missing[0].reason}" if result.missing else ""
    message = f"run {result.run_id}: {len(result.missing)} missing, the first: {first}"
    if result.status in _ENDED_OTHERWISE:
        return Completed(name=result.status.value.capitalize(), data=result, message=message)
    return Failed(data=RunFailed(message), message=message)


async def show_report(job: JobDefinition, files: dict[str, str | bytes]) -> None:
    """Show the report in Prefect: Markdown as it is, pictures as data, what is too large not at all."""
    for name, content in files.items():
        stem, _, suffix = name.rpartition(".")
        if suffix not in _SHOWN or len(content) > MAX_ARTIFACT_BYTES:
            continue
        key = re.sub(r"[^a-z0-9]+", "-", f"{job.name}-{stem}".lower()).strip("-")
        try:
            await _SHOWN[suffix](content if isinstance(content, bytes) else content.encode(), key)
        except Exception as error:  # noqa: BLE001 - the report is in its folder, whatever becomes of its copy
            log.warning("Prefect could not take %s as an artifact: %s", name, error)


async def _markdown(content: bytes, key: str) -> None:
    await acreate_markdown_artifact(markdown=content.decode(), key=key)


async def _picture(content: bytes, key: str) -> None:
    data = base64.b64encode(content).decode()
    await acreate_image_artifact(image_url=f"data:image/svg+xml;base64,{data}", key=key)


#: How files are shown, by their suffix.
_SHOWN: dict[str, Callable[[bytes, str], Awaitable[None]]] = {"md": _markdown, "svg": _picture}


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
