"""Drift is measured at each sync point, is on record once, and is what people are shown (X4)."""

from pathlib import Path

import pytest

from echelon import Job
from echelon.coordination.job_run import run_phases
from echelon.model.sync.seen import Drift
from echelon.runlog.events import DriftMeasured
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import ONCE, Items, Watched, items, look, of_domain

pytestmark = pytest.mark.anyio


def looking(goal: str = "See everything") -> Job:
    job = Job("looking", goal=goal, inputs=Items, defaults=ONCE)
    job.phase("look", each=look, over=lambda items: items, domain=of_domain)
    return job


async def drift_in(job: Job, home: Path, watched: Watched | None = None) -> Drift:
    async with a_run(job, home, items(3), watch=watched) as run:
        await run_phases(run)
        (found,) = view_so_far(run).sync.drift
        return found


async def test_what_is_done_as_it_is_asked_has_not_drifted(tmp_path: Path) -> None:
    found = await drift_in(looking(), tmp_path)

    assert {name: one.share for name, one in found.kinds.items()} == {
        "state": None,  # nobody read anything
        "goal": 0.0,
        "context": 0.0,
        "output": None,  # nobody judged anything
    }


async def test_work_on_an_older_goal_is_seen_when_the_run_is_gone_on_with(tmp_path: Path) -> None:
    await drift_in(looking(), tmp_path)

    found = await drift_in(looking("See what is risky"), tmp_path)

    assert (found.goal.found, found.goal.of) == (3, 3)


async def test_a_run_that_is_gone_on_with_says_the_same_only_once(tmp_path: Path) -> None:
    first, second = Watched(), Watched()
    await drift_in(looking(), tmp_path, first)
    await drift_in(looking(), tmp_path, second)

    assert (len(first.of(DriftMeasured)), len(second.of(DriftMeasured))) == (1, 0)
