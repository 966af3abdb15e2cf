"""Work that goes back and forth ends within a limit, and its owner decides which version counts (X5)."""

from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from echelon import Brief, Conflict, Handoffs, Job, Key, Oversight, Repeat, Resilience, Verdict, agent
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.model.run import RunStatus, RunView
from echelon.testing.runs import a_run, view_so_far

pytestmark = pytest.mark.anyio


@agent
async def write(item: str, brief: Brief) -> str:
    """Write it short, then long, then short."""
    return "short" if brief.round % 2 else "long and thorough"


def both_wrong(output: str, brief: Brief) -> Verdict:
    """Find something else each time, so that there is always news."""
    return Verdict.rejected(f"{output}: objection {brief.assignment.id}")


def longest(conflict: Conflict) -> str:
    """The more thorough one counts."""
    return max(conflict.sides, key=lambda side: len(side.says["output"])).name


def refuses(conflict: Conflict) -> str:
    return ""


def a_job(settle: Any, *, rounds: int = 20, reactions: int = 3) -> Job:
    job = Job("writing", goal="Write", oversight=Oversight(settle=settle), defaults=Resilience(attempts=1))
    repeat = Repeat(until=both_wrong, rounds=rounds, stall=50, reactions=reactions)
    job.phase("write", each=write, over=lambda: ["a"], repeat=repeat)
    return job


async def carried_out(job: Job, home: Path) -> tuple[RunStatus, RunView]:
    async with a_run(job, home) as run:
        return status_after(await run_phases(run)), view_so_far(run)


@pytest.mark.parametrize(("reactions", "rounds"), [(1, 3), (3, 5), (5, 7)])
async def test_a_task_that_goes_back_and_forth_ends_within_the_limit(
    tmp_path: Path, reactions: int, rounds: int
) -> None:
    status, view = await carried_out(a_job(longest, reactions=reactions), tmp_path)

    assert [(one.rounds, one.stopped_by) for one in view.repeated] == [(rounds, "alternating")]
    assert (status, view.output) == (RunStatus.PARTIAL, {"write/a": "long and thorough"})


async def test_the_owner_decides_which_version_counts_on_record(tmp_path: Path) -> None:
    _, view = await carried_out(a_job(longest), tmp_path)
    (record,) = view.conflicts

    assert [side.name for side in record.conflict.sides] == ["write/a@4", "write/a@5"]
    assert record.settled is not None
    assert (record.settled.chosen, record.settled.by, record.owner) == ("write/a@4", "longest", "primary")
    assert view.stand_ins["write/a"].endswith("its check never passed; longest decided that write/a@4 counts")


@pytest.mark.parametrize("settle", [None, refuses])
async def test_where_nobody_decides_nothing_counts_and_a_person_is_told(tmp_path: Path, settle: Any) -> None:
    status, view = await carried_out(a_job(settle), tmp_path)

    assert (status, view.output) == (RunStatus.PARTIAL, None)
    assert view.missing[0].reason.startswith("it does not pass after 5 rounds, and it goes back and forth")
    assert [(one.task_id, one.concern.about) for one in view.concerns] == [("write/a", "write/a")]


async def test_what_always_makes_something_new_has_all_its_rounds(tmp_path: Path) -> None:
    @agent
    async def improve(item: str, brief: Brief) -> str:
        """Write something new each time."""
        return f"version {brief.round}"

    job = Job("improving", goal="Write", oversight=Oversight(settle=longest))
    job.phase("write", each=improve, over=lambda: ["a"], repeat=Repeat(until=both_wrong, rounds=8, stall=50))
    _, view = await carried_out(job, tmp_path)

    assert [(one.rounds, one.stopped_by) for one in view.repeated] == [(8, "rounds")]


def a_verified_job(settle: Any, attempts: int) -> Job:
    job = Job("writing", goal="Write", oversight=Oversight(settle=settle))
    patient = Resilience(attempts=attempts, backoff_seconds=0.001)

    @agent
    async def mend(item: str, brief: Brief) -> str:
        """Do what the last verdict asks for, which undoes what the one before asked for."""
        return "short" if len(brief.gaps) % 2 else "long and thorough"

    job.phase("write", each=mend, over=lambda: ["a"], verify=both_wrong, resilience=patient)
    return job


async def test_work_that_verifiers_send_back_and_forth_ends_within_the_limit(tmp_path: Path) -> None:
    status, view = await carried_out(a_verified_job(longest, 20), tmp_path)
    (step,) = [one for one in view.steps if one.kind == "task" and not one.interim]

    assert (step.handoff.rounds, status) == (5, RunStatus.PARTIAL)
    assert view.output == {"write/a": "long and thorough"}
    assert "its check never passed; longest decided" in view.stand_ins["write/a"]


@pytest.mark.parametrize(("settle", "attempts", "rounds"), [(None, 20, 5), (longest, 4, 4)])
async def test_what_nobody_decides_or_ends_before_has_failed(
    tmp_path: Path, settle: Any, attempts: int, rounds: int
) -> None:
    status, view = await carried_out(a_verified_job(settle, attempts), tmp_path)
    (step,) = [one for one in view.steps if one.kind == "task" and not one.interim]

    assert (step.handoff.rounds, step.handoff.done, view.output) == (rounds, False, None)
    assert status is RunStatus.FAILED


class Limit(BaseModel):
    name: Annotated[str, Key()]
    value: int


def a_war(settle: Any) -> Job:
    """Two agents that undo each other's change of one shared thing, each in reaction to the other."""

    @agent
    async def raise_it(brief: Brief) -> Limit:
        """Raise the limit, for speed."""
        return Limit(name="connections", value=100)

    @agent
    async def lower_it(brief: Brief, raise_it: Handoffs[Limit]) -> Limit:
        """Lower the limit, for safety."""
        return Limit(name="connections", value=10)

    def agreed(found: Handoffs[Limit], brief: Brief) -> Verdict:
        return Verdict.rejected(f"not agreed in check {brief.assignment.id}")

    job = Job("war", goal="Set the limit", oversight=Oversight(settle=settle), defaults=Resilience(attempts=1))
    job.phase("speed", agent=raise_it)
    job.phase("safety", agent=lower_it, needs="speed")
    job.loop(["speed", "safety"], until=agreed, rounds=30, stall=50)
    return job


def safest(conflict: Conflict) -> str:
    """The lower limit counts."""
    return min(conflict.sides, key=lambda side: side.says["value"]).name


async def test_two_agents_in_a_revision_war_end_within_the_limit_and_the_owner_decides(tmp_path: Path) -> None:
    status, view = await carried_out(a_war(safest), tmp_path)
    record = next(one for one in view.conflicts if one.conflict.phase == "safety")

    assert [(one.rounds, one.stopped_by) for one in view.repeated] == [(3, "alternating")]  # a b a b a b: four returns
    assert record.conflict.subject == "Limit:connections value"
    assert [side.task_id for side in record.conflict.sides] == ["speed/raise_it", "safety/lower_it"]
    assert record.settled is not None
    assert (record.settled.chosen, record.settled.reason) == ("safety/lower_it@3", "The lower limit counts.")
    assert (status, view.output) == (RunStatus.PARTIAL, {"name": "connections", "value": 10})


async def test_a_war_that_nobody_decides_is_a_concern(tmp_path: Path) -> None:
    status, view = await carried_out(a_war(None), tmp_path)

    assert [(one.rounds, one.stopped_by) for one in view.repeated] == [(3, "alternating")]
    assert status is RunStatus.PARTIAL
    assert {one.concern.about for one in view.concerns} == {"safety/lower_it"}
