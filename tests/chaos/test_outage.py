"""The database server of a run goes away and comes back while it is at work: it ends as if nothing had been (F8)."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.jobs.shipping_job import World
from tests.chaos.postgres_server import PostgresServer
from tests.chaos.victims import Ended, Errand, Nursery

PARCELS = 12

#: Nothing here takes longer, in seconds.
PATIENCE_SECONDS = 20

#: How long the server is away, in seconds.
AWAY_SECONDS = 1.0


@pytest.fixture
def server(needs_postgres: None) -> Iterator[PostgresServer]:
    with PostgresServer() as opened:
        yield opened


def errand(server: PostgresServer, folder: Path) -> Errand:
    """Return a run that is at work for a second at least."""
    return Errand(
        home=str(folder / "home"),
        world=str(folder / "world"),
        settings={"journal_url": server.url},
        count=PARCELS,
        seconds=0.1,
        concurrency=4,
    )


def in_the_middle_of(nursery: Nursery, begun: Errand, outage: Callable[[], None]) -> Ended:
    """Let an outage happen when the run has sent its first parcels, and wait for its end."""
    world, end = World(Path(begun.world)), time.monotonic() + PATIENCE_SECONDS
    nursery.start(begun)
    while len(world.effects()) < 4:
        assert time.monotonic() < end, "nothing was sent"
        time.sleep(0.01)
    outage()
    return nursery.wait()


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_a_run_rides_out_an_outage_of_its_database(
    server: PostgresServer, nursery: Nursery, tmp_path: Path, how: str
) -> None:
    whole = nursery.run(errand(server, tmp_path / "whole"))

    def outage() -> None:
        (server.kill if how == "killed" else server.stop)()
        time.sleep(AWAY_SECONDS)
        server.start()

    begun = errand(server, tmp_path / how)
    ended, world = in_the_middle_of(nursery, begun, outage), World(Path(begun.world))

    assert (ended.exit_code, ended.status, ended.output) == (0, "completed", whole.output), ended.output
    assert (ended.completed, ended.concerns) == (whole.completed, whole.concerns)
    assert sorted(effect.split()[1] for effect in world.effects()) == sorted(f"p{n}" for n in range(PARCELS))
    assert len(world.asked()) == len(set(world.asked())) == 2 * PARCELS + 1  # and what finds those of the second phase
