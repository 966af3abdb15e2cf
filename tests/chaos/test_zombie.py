"""A process that sleeps while another takes its run over does nothing any more when it wakes up (F8)."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from echelon.settings import Settings
from tests.chaos.conftest import Place
from tests.chaos.jobs.shipping_job import World
from tests.chaos.victims import Ended, Errand, Nursery

#: The setting that says after how many seconds without a sign of life a run may be taken over.
LEASE = next((name for name in Settings.model_fields if "lease" in name), None)

pytestmark = pytest.mark.skipif(LEASE is None, reason="a run is not held by one process yet: there is no lease")

LEASE_SECONDS = 4.0

#: Nothing here takes longer, in seconds.
PATIENCE_SECONDS = 20


@pytest.fixture
def another_nursery(tmp_path: Path) -> Iterator[Nursery]:
    """Give another nursery, which has run something already: who wants to take a run must not come late for that."""
    with Nursery() as opened:
        opened.run(Errand(home=str(tmp_path / "warm" / "home"), world=str(tmp_path / "warm" / "world")))
        yield opened


def held_for(place: Place, folder: Path) -> Errand:
    """Return the run of a scenario, which its process holds for a short time only."""
    settings = {**place.settings, LEASE or "": LEASE_SECONDS}
    return Errand(home=str(folder / "home"), world=str(folder / "world"), settings=settings)


def asleep(world: World) -> int:
    """Wait until a process was stopped, and return it."""
    end = time.monotonic() + PATIENCE_SECONDS
    while (process := world.stopped()) is None or _state(process) != "T":
        assert time.monotonic() < end, "nobody was stopped"
        time.sleep(0.01)
    return process


def taken_over(nursery: Nursery, errand: Errand) -> Ended:
    """Try to go on with a run until nobody holds it any more."""
    end = time.monotonic() + PATIENCE_SECONDS
    refusals: list[str] = []
    while (ended := nursery.run(errand)).exit_code != 0:
        refusals.append(ended.output)
        assert time.monotonic() < end, refusals[-1]
        time.sleep(0.1)
    assert refusals, "a process took over a run that another one held"
    return ended


@contextlib.contextmanager
def a_sleeper(place: Place, errand: Errand) -> Iterator[int]:
    """Give a process that was stopped while one of its agents was at work; whatever happens, it is not left so."""
    World(Path(errand.world)).stop_next()
    place.nursery.start(errand)
    process = asleep(World(Path(errand.world)))
    try:
        yield process
    except BaseException:
        os.kill(process, signal.SIGKILL)
        place.nursery.wait()
        raise


def test_a_process_that_wakes_after_a_takeover_writes_nothing_and_does_nothing(
    place: Place, another_nursery: Nursery, tmp_path: Path
) -> None:
    errand = held_for(place, tmp_path)
    world = World(Path(errand.world))
    with a_sleeper(place, errand) as zombie:
        after = taken_over(another_nursery, errand)
        asked = world.asked()
    os.kill(zombie, signal.SIGCONT)
    woken = place.nursery.wait()

    assert woken.exit_code == 1
    assert "LeaseLost" in woken.output
    assert world.asked() == asked
    assert sorted(effect.split()[1] for effect in world.effects()) == ["p0", "p1", "p2", "p3"]
    assert another_nursery.run(errand) == after


def _state(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
