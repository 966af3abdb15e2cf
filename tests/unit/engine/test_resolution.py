"""How finely a run is shown (R4)."""

from pathlib import Path

import pytest

from echelon.coordination.job_run import run_phases
from echelon.engine.resolution import MAX_AGENTS_SHOWN, AgentResolution, Resolution, TeamResolution, resolution_for
from echelon.engine.room import Room, RoomKind
from echelon.model.plan import NodeKind
from echelon.testing.runs import a_run
from tests.unit.coordination.jobs import items, looking, staged

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize(
    ("agents", "wanted", "kind"),
    [
        (1, None, AgentResolution),
        (MAX_AGENTS_SHOWN, None, AgentResolution),
        (MAX_AGENTS_SHOWN + 1, None, TeamResolution),
        (5000, "agent", AgentResolution),
        (1, "team", TeamResolution),
    ],
)
def test_up_to_two_hundred_agents_each_is_shown_unless_told_otherwise(
    agents: int, wanted: Resolution | None, kind: type
) -> None:
    assert type(resolution_for(agents, wanted)) is kind


async def rooms(room: Room) -> list[tuple[RoomKind, dict[str, object]]]:
    shown: list[tuple[RoomKind, dict[str, object]]] = []
    async for inner in room.opened():
        shown += [(inner.kind, inner.parameters), *await rooms(inner)]
    return shown


@pytest.mark.parametrize("wanted", ["agent", "team"])
async def test_either_way_everything_is_done_and_what_is_shown_differs(tmp_path: Path, wanted: Resolution) -> None:
    job = Room(RoomKind.JOB)
    async with a_run(looking(integrate=staged), tmp_path, items(30, 30)) as run:
        await job.work(lambda: run_phases(run, resolution_for(60, wanted)))
        shown = await rooms(job)

        counted = {kind: sum(one is kind for one, _ in shown) for kind in RoomKind}
        teams = sum(node.kind is NodeKind.TEAM for node in run.plan.tree)
    assert len(run.steps) == 60 + teams + 2 + 1
    assert counted == {
        RoomKind.JOB: 0,
        RoomKind.DOMAIN: 2,
        RoomKind.TEAM: teams if wanted == "team" else 0,
        RoomKind.AGENT: 60 if wanted == "agent" else 0,
        RoomKind.INTEGRATION: teams + 3 if wanted == "agent" else 0,
    }


async def test_a_flat_job_opens_no_domain(tmp_path: Path) -> None:
    job = Room(RoomKind.JOB)
    async with a_run(looking(), tmp_path, items(3)) as run:
        await job.work(lambda: run_phases(run, resolution_for(3)))

    assert {kind for kind, _ in await rooms(job)} == {RoomKind.AGENT}
