"""Drift is measured at each sync point, is on record once, and is what people are shown (X4)."""

from pathlib import Path
from typing import Any

import pytest

from echelon import Brief, Handoffs, Job, agent
from echelon.coordination.job_run import run_phases
from echelon.model.run import RunView
from echelon.model.sync.seen import Drift, Outdated
from echelon.runlog.events import DriftMeasured
from echelon.testing.runs import a_run, view_so_far
from echelon.visibility.synchronising import drift_lines
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


def reported(goal: str, *success: Any, told: list[str] | None = None) -> Job:
    @agent
    async def report(look: Handoffs[str], brief: Brief) -> int:
        """Take down what one is told of the work before."""
        found = [*(one.caveat for one in look if one.caveat), *brief.changed]
        (told if told is not None else []).extend(found)
        return len(found)

    job = Job("looking", goal=goal, inputs=Items, defaults=ONCE)
    job.phase("look", each=look, over=lambda items: items[:2], domain=of_domain, success=success)
    # What comes later is begun anew with every goal.
    job.phase(f"report-{len(goal)}", agent=report, needs="look")
    return job


async def view_of_run(job: Job, home: Path) -> RunView:
    async with a_run(job, home, items(2)) as run:
        await run_phases(run)
        return view_so_far(run)


def outdated(view: RunView) -> list[Outdated]:
    return [found for one in view.sync.drift for found in one.outdated]


async def test_what_was_made_for_an_older_assignment_is_named_to_whoever_comes_later(tmp_path: Path) -> None:
    once, told = list[str](), list[str]()
    await view_of_run(reported("See everything", told=once), tmp_path)
    again = await view_of_run(reported("See what is risky", told=told), tmp_path)
    tasks = [one.task_id for one in outdated(again)]

    assert (once, len(tasks)) == ([], 2)
    assert told == [
        *("made for an older assignment: instruction" for _ in tasks),
        f"made for an older assignment in phase look: {', '.join(f'{one} (instruction)' for one in tasks)}",
    ]
    assert drift_lines(again.sync)[0].endswith(
        f"for an older assignment: {tasks[0]} (instruction), {tasks[1]} (instruction)"
    )


def says_something(output: str) -> bool:
    return bool(output)


async def test_criteria_in_words_that_have_changed_are_named(tmp_path: Path) -> None:
    await view_of_run(reported("See everything", "it is short", says_something), tmp_path)
    view = await view_of_run(reported("See everything", "it is complete", says_something), tmp_path)

    assert {one.changed for one in outdated(view)} == {("success criteria",)}


async def test_a_check_that_is_stated_later_is_made_and_the_work_is_still_for_what_was_asked_then(
    tmp_path: Path,
) -> None:
    await view_of_run(reported("See everything"), tmp_path)
    view = await view_of_run(reported("See what is risky", says_something), tmp_path)
    checked = [one.handoff.verification for one in view.steps if one.handoff.task_id.startswith("look/")]

    assert [one.result for one in checked if one is not None] == ["accepted", "accepted"]
    assert {one.changed for one in outdated(view)} == {("instruction",)}
