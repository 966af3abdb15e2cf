"""What Prefect is to show, without Prefect: rooms in rooms, closed when their work is."""

import asyncio

import pytest

from echelon.engine.room import Room, RoomKind, work_in_room

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def seen(room: Room) -> dict[str, object]:
    """Return what a watcher of a room learns: its kind, and what was opened inside it."""
    inner = [await seen(one) async for one in room.opened()]
    return {"kind": room.kind.value, **room.parameters, "result": room.result, "inside": inner}


async def test_whatever_begins_in_a_room_opens_inside_it() -> None:
    async def agent(number: int) -> int:
        return number

    async def domain() -> str:
        async with asyncio.TaskGroup() as group:
            for number in (1, 2):
                group.create_task(work_in_room(RoomKind.AGENT, lambda n=number: agent(n), task_id=number))
        return "done"

    job = Room(RoomKind.JOB)
    async with asyncio.TaskGroup() as group:
        group.create_task(job.work(lambda: work_in_room(RoomKind.DOMAIN, domain, domain="d")))
        watched = group.create_task(seen(job))

    agents = [{"kind": "agent", "task_id": n, "result": n, "inside": []} for n in (1, 2)]
    inside = [{"kind": "domain", "domain": "d", "result": "done", "inside": agents}]
    assert watched.result() == {"kind": "job", "result": "done", "inside": inside}


async def test_work_waits_for_no_watcher() -> None:
    job = Room(RoomKind.JOB)

    async def agent() -> int:
        return 1

    assert await job.work(lambda: work_in_room(RoomKind.AGENT, agent)) == 1
    assert (await seen(job))["inside"] == [{"kind": "agent", "result": 1, "inside": []}]


async def test_a_room_is_closed_and_empty_when_its_work_is_cut_off() -> None:
    job, begun = Room(RoomKind.JOB), asyncio.Event()

    async def endless() -> None:
        begun.set()
        await asyncio.Event().wait()

    work = asyncio.create_task(job.work(lambda: work_in_room(RoomKind.AGENT, endless)))
    await begun.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work

    assert await seen(job) == {
        "kind": "job",
        "result": None,
        "inside": [{"kind": "agent", "result": None, "inside": []}],
    }


async def test_a_room_of_its_own_is_opened_where_nobody_watches() -> None:
    async def agent() -> int:
        return 1

    assert await work_in_room(RoomKind.AGENT, agent) == 1
