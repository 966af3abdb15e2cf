"""Rooms as Prefect flow runs and task runs (X1): each begins when the room opens and ends with the state of its work.

The journal decides what is done; Prefect's record mirrors it. What Prefect cannot record is logged, and the work is
none the worse for it.
"""

import asyncio
import logging
from contextvars import ContextVar
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Crashed, Failed

from echelon.coordination.delivery import Delivery
from echelon.engine.room import Room, RoomKind
from echelon.model.handoff import Handoff

log = logging.getLogger("echelon.engine")

#: The room of the flow or task that is being entered. Each is entered in an asyncio task of its own.
_ROOM: ContextVar[Room] = ContextVar("room-to-show")


async def show(room: Room) -> None:
    """Show everything that begins inside a room, until its work has ended and all of it is recorded."""
    async with asyncio.TaskGroup() as group:
        async for inner in room.opened():
            group.create_task(_enter(inner))


async def _enter(room: Room) -> None:
    _ROOM.set(room)
    try:
        await _ENTRANCES[room.kind](**room.parameters, return_state=True)
    except Exception as error:  # noqa: BLE001 - whatever Prefect raises here is about its record
        log.warning("Prefect could not record %s %s: %s", room.kind.value, room.parameters, error)


@flow(name="domain", flow_run_name="{domain} · {phase}", persist_result=False, validate_parameters=False)
async def domain_flow(domain: str, phase: str, agents: int) -> State[Any]:
    """Show the part of a phase that belongs to one domain."""
    return await _shown()


@task(name="team", task_run_name="{team} · {phase}", persist_result=False, cache_policy=NO_CACHE)
async def team_task(team: str, phase: str, agents: int) -> State[Any]:
    """Show a team: its agents and their integration."""
    return await _shown()


@task(name="agent", task_run_name="{task_id}", persist_result=False, cache_policy=NO_CACHE)
async def agent_task(task_id: str) -> State[Any]:
    """Show one agent's task."""
    return await _shown()


@task(name="integrate", task_run_name="integrate {node} · {phase}", persist_result=False, cache_policy=NO_CACHE)
async def integrate_task(node: str, phase: str) -> State[Any]:
    """Show the integration that a coordinator owns."""
    return await _shown()


_ENTRANCES: dict[RoomKind, Any] = {
    RoomKind.DOMAIN: domain_flow,
    RoomKind.TEAM: team_task,
    RoomKind.AGENT: agent_task,
    RoomKind.INTEGRATION: integrate_task,
}


async def _shown() -> State[Any]:
    room = _ROOM.get()
    await show(room)
    return _state_of(room.result)


def _state_of(result: Delivery | Handoff | None) -> State[Any]:
    if result is None:
        return Crashed(message="the run was stopped")
    if isinstance(result, Handoff):
        return Completed(message=result.summary) if result.error is None else Failed(message=result.error.message)
    if not result.missing:
        return Completed(message=f"{len(result.handoffs)} handoffs passed on")
    lost = f"{len(result.missing)} missing, the first: {result.missing[0].reason}"
    return Completed(name="Partial", message=lost) if result.handoffs else Failed(message=lost)
