"""What tests of crashes share: a nursery of processes to be killed, and the databases that must not lose anything."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.parcels import World
from tests.chaos.postgres_server import PostgresServer, programs
from tests.chaos.victims import Ended, Errand, Nursery


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where runs are killed: a folder, a database and a nursery. Each scenario gets a world of its own."""

    nursery: Nursery
    folder: Path
    settings: dict[str, Any]

    def world(self, scenario: str) -> World:
        return World(self.folder / scenario / "world")

    def errand(self, scenario: str, at: str = "") -> Ended:
        """Begin the run of a scenario, or go on with it; `at` says where it is killed."""
        home = self.folder / scenario / "home"
        world = self.folder / scenario / "world"
        return self.nursery.run(Errand(home=str(home), world=str(world), at=at, settings=self.settings))

    def passages(self, scenario: str) -> list[str]:
        """Return the crash points that a run passes, in their order."""
        listing = self.folder / f"{scenario}.points"
        home, world = self.folder / scenario / "home", self.folder / scenario / "world"
        self.nursery.run(Errand(home=str(home), world=str(world), listing=str(listing), settings=self.settings))
        return listing.read_text(encoding="utf-8").split()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with Nursery() as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgresql"], scope="session")
def place(
    request: pytest.FixtureRequest, nursery: Nursery, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    with contextlib.ExitStack() as stack:
        settings = {} if request.param == "sqlite" else {"journal_url": _postgres(stack)}
        yield Place(nursery=nursery, folder=tmp_path_factory.mktemp(request.param), settings=settings)


def _postgres(stack: contextlib.ExitStack) -> str:
    """Return the URL of the server that the environment names, else of one that is started here."""
    url = os.environ.get("ECHELON_TEST_POSTGRES_URL")
    if url:
        return url
    if programs() is None and not os.environ.get("CI"):
        pytest.skip("PostgreSQL is not installed, and ECHELON_TEST_POSTGRES_URL names no server")
    return stack.enter_context(PostgresServer()).url
