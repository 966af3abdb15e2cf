"""What tests of crashes share: a nursery of processes to be killed, and the databases that must not lose anything."""

import contextlib
import os
import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.jobs.shipping_job import World
from tests.chaos.postgres_server import PostgresServer, programs
from tests.chaos.victims import Ended, Errand, Nursery

#: Every failpoint of the package: a new one is in the matrices without anybody thinking of it.
_ALL_POINTS = sorted({
    name
    for file in (Path(__file__).parents[2] / "echelon").rglob("*.py")
    for name in re.findall(r'(?<!def )failpoint\("([^"]+)"', file.read_text(encoding="utf-8"))
})  # fmt: skip

#: Those that only a run passes of which something is to be done again.
RETRY_POINTS = [point for point in _ALL_POINTS if point.startswith("retry.")]

#: Those that only a run passes in which phases are repeated, or skipped.
ROUND_POINTS = [point for point in _ALL_POINTS if point in {"round.ended", "check.ended", "phase.skipped"}]

#: Those that only a run passes whose agents say something while they work.
VOICE_POINTS = [point for point in _ALL_POINTS if point.startswith(("voice.", "proposals."))]

#: Those that only a run passes that asks a person.
GATE_POINTS = [point for point in _ALL_POINTS if point in {"gate.raising", "gate.raised", "gate.answered"}]

#: Those that only a run passes that keeps what an earlier one did.
KEPT_POINTS = [point for point in _ALL_POINTS if point == "step.kept"]

#: Those that only a run passes that finds a quota used up.
QUOTA_POINTS = [point for point in _ALL_POINTS if point.startswith("quota.")]

#: Those that only a flow run of a deployment passes that waits, for a quota or for a person.
SERVED_POINTS = [point for point in _ALL_POINTS if point.startswith(("continuation.", "form.", "gates.", "gate.susp"))]

#: Those that only a run passes in which several do the same.
REPLICA_POINTS = [point for point in _ALL_POINTS if point.startswith("replica")]

#: Those that only a run passes that tells people of something.
NOTICE_POINTS = [point for point in _ALL_POINTS if point.startswith("notification.")]

#: Those that only a run passes whose results are checked.
VERDICT_POINTS = [
    point
    for point in _ALL_POINTS
    if point.startswith(("result.made", "verdict.", "verification.", "probe.", "constraint."))
]

#: Those that only a run passes whose results somebody decides about.
AUTONOMY_POINTS = [point for point in _ALL_POINTS if point.startswith(("autonomy.", "approval."))]
#: Those that only a run passes in which a verdict comes behind the sync point of the phase that it is about.
RECOUNT_POINTS = [point for point in _ALL_POINTS if point.startswith("recount.")]
#: Those that only a run passes whose outputs contradict each other.
CONFLICT_POINTS = [point for point in _ALL_POINTS if point.startswith(("conflict.", "flat."))]
#: Those that only a run passes that does phases in waves.
WAVE_POINTS = [point for point in _ALL_POINTS if point.startswith("wave.")]
#: Those that only a run passes that judges its own work.
JUDGE_POINTS = [point for point in _ALL_POINTS if point.startswith(("audit.", "canary."))]

#: Those that only some runs pass: tests of their own kill there.
_SPECIAL = {
    *(
        *RETRY_POINTS,
        *ROUND_POINTS,
        *VOICE_POINTS,
        *GATE_POINTS,
        *KEPT_POINTS,
        *QUOTA_POINTS,
        *SERVED_POINTS,
        *REPLICA_POINTS,
        *NOTICE_POINTS,
        *VERDICT_POINTS,
        *AUTONOMY_POINTS,
        *RECOUNT_POINTS,
        *CONFLICT_POINTS,
        *WAVE_POINTS,
        *JUDGE_POINTS,
    )
}

#: Those that every run passes.
POINTS = [point for point in _ALL_POINTS if point not in _SPECIAL]

#: All passages of all points take minutes; without it a few of each are tried.
EVERY_PASSAGE = os.environ.get("ECHELON_TEST_PASSAGES") == "all"


#: Commits may share a transaction, or not: a run passes a point of the journal a few times more or less than the next.
SHARED = 4


@dataclass(frozen=True, kw_only=True)
class Whole:
    """A run that nobody killed: what every other must come to."""

    ended: Ended
    passages: Counter[str]

    def last(self, point: str) -> int:
        """Return the last passage of a point at which every run can be killed."""
        return self.passages[point] - (SHARED if point.startswith("journal.") else 0)

    def middle(self, point: str) -> Collection[int]:
        """Return the passages at which to kill: the one in the middle, where there is any; all, when that is asked."""
        last = self.last(point)
        return range(1, last + 1) if EVERY_PASSAGE else {(last + 1) // 2} - {0}

    def ends(self, point: str) -> Collection[int]:
        """Return the passages at which to kill: the first and the last one; all, when that is asked."""
        last = self.passages[point]
        return range(1, last + 1) if EVERY_PASSAGE else sorted({1, last})


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where runs are killed: a folder, a database and a nursery. Each scenario gets a world of its own.

    What is made in it once, as a run that nobody kills, is a fixture of the session: those of a module are made again
    when its tests are handed out in parts, and would find what they have left here.
    """

    nursery: Nursery
    folder: Path
    settings: dict[str, Any]

    def world(self, scenario: str) -> World:
        return World(self.folder / scenario / "world")

    def errand(self, scenario: str, at: str = "", **more: Any) -> Ended:
        """Begin the run of a scenario, or go on with it; `at` says where it is killed, `more` what else it is."""
        home = self.folder / scenario / "home"
        world = self.world(scenario).folder
        return self.nursery.run(Errand(home=str(home), world=str(world), at=at, settings=self.settings, **more))

    def seed(self, scenario: str, **more: Any) -> None:
        """Let a run of another world end first: from then on the agents of a scenario are known."""
        folder = self.folder / scenario
        errand = Errand(home=str(folder / "home"), world=str(folder / "seed"), settings=self.settings, **more)
        assert self.nursery.run(errand).exit_code == 0

    def kill(self, scenario: str, at: str, **more: Any) -> str:
        """Begin the run of a scenario and kill it where it passes a point for the k-th time; return the scenario.

        How often the points of the journal are passed is not the same each time, since what becomes durable together
        depends on the moment: a run that ended before is forgotten, and another one killed one passage earlier.
        """
        point, _, last = at.partition(":")
        for passage in range(int(last), 0, -1):
            tried = scenario if passage == int(last) else f"{scenario}-{passage}"
            ended = self.errand(tried, f"{point}:{passage}", **more)
            if ended.killed:
                return tried
            assert ended.exit_code == 0, ended.output
        raise AssertionError(f"no run of {scenario} passes {point}")

    def whole(self, scenario: str, **more: Any) -> Whole:
        """Let a run live, and return it."""
        passages = self.passages(scenario, **more)
        return Whole(ended=self.errand(scenario, **more), passages=Counter(passages))

    def passages(self, scenario: str, **more: Any) -> list[str]:
        """Return the failpoints that a run passes, in their order."""
        listing = self.folder / f"{scenario}.points"
        ended = self.errand(scenario, listing=str(listing), **more)
        assert ended.exit_code == 0, ended.output
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


@pytest.fixture
def needs_postgres() -> None:
    _check_programs("it kills a server of its own")


def _postgres(stack: contextlib.ExitStack) -> str:
    """Return the URL of the server that the environment names, else of one that is started here."""
    url = os.environ.get("ECHELON_TEST_POSTGRES_URL")
    if url:
        return url
    _check_programs("ECHELON_TEST_POSTGRES_URL names no server")
    return stack.enter_context(PostgresServer()).url


def _check_programs(why: str) -> None:
    """Skip what cannot be tried without PostgreSQL, but never in CI."""
    if programs() is None and not os.environ.get("CI"):
        pytest.skip(f"PostgreSQL is not installed, and {why}")
