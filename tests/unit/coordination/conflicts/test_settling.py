"""Outputs that contradict each other are settled by their nearest common owner before anybody gets them (X9)."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from echelon import Brief, Conflict, Handoffs, Job, Key, Oversight, Resilience, Settlement, agent, integrator
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.model.concern import Route
from echelon.model.errors import InvalidJob
from echelon.model.run import RunStatus, RunView
from echelon.runlog.events import ConcernDisposed, TasksRetried
from echelon.testing.run_events import disposition
from echelon.testing.runs import a_run, view_so_far

pytestmark = pytest.mark.anyio


class Finding(BaseModel):
    file: Annotated[str, Key()]
    severity: int


@agent
async def look(item: str) -> list[Finding]:
    """Say of the same files how bad they are: each agent something else."""
    return [Finding(file=f"{name}.py", severity=int(item[1:])) for name in "ab"]


@agent
async def report(look: Handoffs[list[Finding]], brief: Brief) -> list[str]:
    """Report what does not count, and what is missing."""
    return [*(f"{one.task_id}: {one.caveat}" for one in look if one.caveat), *brief.missing]


def stricter(conflict: Conflict) -> str:
    """The higher severity counts."""
    return max(conflict.sides, key=lambda side: side.says["severity"]).task_id


def a_job(settle: Any = None, *, items: int = 2, integrate: Any = None, of_phase: Any = None) -> Job:
    job = Job("audit", goal="Find risks", oversight=Oversight(settle=settle), defaults=Resilience(attempts=1))
    names = [f"i{number}" for number in range(items)]
    job.phase("look", each=look, over=lambda: names, integrate=integrate, settle=of_phase)
    if integrate is None:
        job.phase("report", agent=report, needs="look")
    return job


async def carried_out(job: Job, home: Path, run_id: str = "run") -> tuple[RunStatus, RunView]:
    async with a_run(job, home, run_id=run_id) as run:
        outputs = await run_phases(run)
        return status_after(outputs), view_so_far(run)


async def test_a_rule_decides_and_who_comes_later_knows_what_does_not_count(tmp_path: Path) -> None:
    status, view = await carried_out(a_job(stricter), tmp_path)
    decided = "(look/i1 counts, as stricter decided)"

    assert (status, view.concerns) == (RunStatus.COMPLETED, ())
    assert view.output == [f"look/i0: overruled about Finding:a.py {decided}; Finding:b.py {decided}"]
    settled = [(one.owner, one.level, one.settled.chosen, one.settled.reason) for one in view.conflicts if one.settled]
    assert settled == 2 * [("primary", "primary", "look/i1", "The higher severity counts.")]


class Partly(BaseModel):
    file: Annotated[str, Key()]
    level: int | None = None
    owner: str | None = None


HALVES = {
    "i0": Partly(file="a", level=1),
    "i1": Partly(file="a", owner="x"),
    "i2": Partly(file="a", level=2, owner="y"),
}


@agent
async def half(item: str) -> Partly:
    """Say what one knows."""
    return HALVES[item]


@agent
async def overruled(half: Handoffs[Partly]) -> list[str]:
    """Say what does not count."""
    return [one.task_id for one in half if one.handoff.overruled]


async def test_who_says_nothing_of_what_was_decided_stands(tmp_path: Path) -> None:
    job = Job("audit", goal="Find risks", oversight=Oversight(settle=first), defaults=Resilience(attempts=1))
    job.phase("half", each=half, over=lambda: list(HALVES))
    job.phase("overruled", agent=overruled, needs="half")
    status, view = await carried_out(job, tmp_path)

    assert (status, view.output) == (RunStatus.COMPLETED, ["half/i2"])


async def test_a_concern_is_about_two_that_contradict_each_other(tmp_path: Path) -> None:
    job = Job("audit", goal="Find risks", defaults=Resilience(attempts=1))
    job.phase("half", each=half, over=lambda: list(HALVES))
    _, view = await carried_out(job, tmp_path)

    assert {(one.task_id, one.concern.about) for one in view.concerns} == {
        ("half/i0", "half/i2"),
        ("half/i1", "half/i2"),
    }


async def test_what_nothing_decides_is_a_concern_and_the_outputs_fall_short(tmp_path: Path) -> None:
    status, view = await carried_out(a_job(), tmp_path)
    (raised,) = view.concerns

    assert status is RunStatus.PARTIAL
    assert (raised.source, raised.task_id, raised.concern.about) == ("primary", "look/i0", "look/i1")
    assert raised.route is Route.HUMAN_REVIEW
    assert raised.concern.message.endswith("severity 0 against severity 1")
    assert isinstance(view.output, list)
    assert view.output == [
        "look/i0, look/i1: contradicted by others about Finding:a.py, Finding:b.py; nobody has decided which counts"
    ]


def first(conflict: Conflict) -> Settlement:
    return Settlement(chosen=conflict.sides[0].task_id, reason="it came first")


def cannot_tell(conflict: Conflict) -> Settlement:
    return Settlement.undecided("both may be right")


def names_nobody(conflict: Conflict) -> str:
    return "look/i7"


def breaks(conflict: Conflict) -> str:
    raise ValueError("no such rule")


@agent
async def judge(conflict: Conflict, look: Handoffs[list[Finding]]) -> Settlement:
    """Read both outputs, and decide."""
    worst = max(look, key=lambda one: max(finding.severity for finding in one.load()))
    return Settlement(chosen=worst.task_id, reason=f"of {len(look)} read")


@pytest.mark.parametrize(
    ("settle", "chosen", "reason"),
    [
        (first, "look/i0", "it came first"),
        (judge, "look/i1", "of 2 read"),
        (cannot_tell, "", "both may be right"),
        (names_nobody, "", "names_nobody names 'look/i7', which is none of its sides"),
    ],
)
async def test_a_rule_or_an_agent_says_which_side_counts_and_why(
    tmp_path: Path, settle: Any, chosen: str, reason: str
) -> None:
    status, view = await carried_out(a_job(settle), tmp_path)

    assert {(one.settled.chosen, one.settled.reason) for one in view.conflicts if one.settled} == {(chosen, reason)}
    assert (status is RunStatus.COMPLETED, not view.concerns) == (bool(chosen), bool(chosen))


async def test_a_rule_that_fails_has_not_decided(tmp_path: Path) -> None:
    status, view = await carried_out(a_job(breaks), tmp_path)

    assert (status, [one.settled for one in view.conflicts]) == (RunStatus.PARTIAL, [None, None])
    assert len(view.concerns) == 1


async def test_the_rule_of_a_phase_comes_before_that_of_the_job(tmp_path: Path) -> None:
    _, view = await carried_out(a_job(stricter, of_phase=first), tmp_path)

    assert {one.settled.by for one in view.conflicts if one.settled} == {"first"}


@integrator
async def merge(found: Handoffs[list[Finding]]) -> list[str]:
    """List what does not count."""
    return [f"{one.task_id}: {len(one.handoff.overruled)}" for one in found]


async def test_who_integrates_knows_what_does_not_count(tmp_path: Path) -> None:
    status, view = await carried_out(a_job(stricter, integrate=merge, items=3), tmp_path)

    assert (status, view.output) == (RunStatus.COMPLETED, ["look/i0: 2", "look/i1: 2", "look/i2: 0"])


async def test_fifty_contradicting_claims_are_settled_at_the_right_levels(tmp_path: Path) -> None:
    """Each team about what its agents say, and so on up to the primary."""

    @agent
    async def claim(item: int) -> list[Finding]:
        shared = f"team {item // 5}" if item % 5 < 2 else f"file {item}"
        everywhere = [Finding(file=f"all {number}", severity=item) for number in range(40)]
        return [Finding(file=shared, severity=item), *(everywhere if item in (0, 49) else [])]

    job = Job("wide", goal="Find risks", oversight=Oversight(settle=stricter), span=5)
    job.phase("look", each=claim, over=lambda: list(range(50)), domain=lambda item: f"d{item // 5}")
    status, view = await carried_out(job, tmp_path)
    assert view.record.plan is not None
    plan = view.record.plan
    owners = {one.conflict.subject: one.owner for one in view.conflicts}
    paths = {one.id: [plan.path(side.producer) for side in one.conflict.sides] for one in view.conflicts}

    assert (status, len(view.conflicts), len(view.concerns)) == (RunStatus.COMPLETED, 50, 0)
    assert all(one.is_decided for one in view.conflicts)
    assert {owners[f"Finding:all {number}"] for number in range(40)} == {plan.primary.id}
    assert all(one.owner in path for one in view.conflicts for path in paths[one.id])
    assert len({owner for owner in owners.values() if owner != plan.primary.id}) == 10


async def test_a_run_that_is_resumed_says_and_decides_nothing_twice(tmp_path: Path) -> None:
    asked = list[str]()

    def counting(conflict: Conflict) -> str:
        asked.append(conflict.subject)
        return conflict.sides[0].task_id

    _, before = await carried_out(a_job(counting), tmp_path)
    _, after = await carried_out(a_job(counting), tmp_path)

    assert sorted(asked) == ["Finding:a.py", "Finding:b.py"]
    assert after.conflicts == before.conflicts


def two_reviews(settle: Any, *, behind: bool = False) -> Job:
    """Two phases that look at the same, side by side or one behind the other, and one that receives both."""

    @agent
    async def first(brief: Brief) -> Finding:
        """Look."""
        return Finding(file="a.py", severity=1)

    @agent
    async def second(brief: Brief) -> Finding:
        """Look, too."""
        return Finding(file="a.py", severity=2)

    @agent
    async def both(one: Handoffs[Finding], other: Handoffs[Finding], brief: Brief) -> list[str]:
        """Report."""
        return [f"{handoff.task_id}: {len(handoff.handoff.overruled)}" for handoff in (*one, *other)]

    job = Job("reviews", goal="Find risks", oversight=Oversight(settle=settle))
    job.phase("one", agent=first)
    job.phase("other", agent=second, needs="one" if behind else ())
    job.phase("report", agent=both, needs=["one", "other"])
    return job


async def test_phases_side_by_side_that_are_received_together_are_compared(tmp_path: Path) -> None:
    status, view = await carried_out(two_reviews(stricter), tmp_path)

    assert (status, view.output) == (RunStatus.COMPLETED, ["one/first: 1", "other/second: 0"])
    assert [(one.conflict.phase, one.settled and one.settled.chosen) for one in view.conflicts] == [
        ("report", "other/second")
    ]


async def test_what_nobody_decides_between_phases_is_a_concern(tmp_path: Path) -> None:
    status, view = await carried_out(two_reviews(None), tmp_path)

    assert (status, len(view.concerns)) == (RunStatus.PARTIAL, 1)


async def test_a_phase_behind_another_one_may_say_something_else(tmp_path: Path) -> None:
    status, view = await carried_out(two_reviews(stricter, behind=True), tmp_path)

    assert (status, view.conflicts) == (RunStatus.COMPLETED, ())


async def test_what_could_not_be_told_is_asked_once_more_where_somebody_wants_that(tmp_path: Path) -> None:
    said = [""]

    def mended(conflict: Conflict) -> str:
        return said[-1]

    _, before = await carried_out(a_job(mended), tmp_path)
    said.append("look/i1")
    async with a_run(a_job(mended), tmp_path) as run:
        tasks = tuple(f"look/settle/{one.id}" for one in before.conflicts)
        await run.log.append(TasksRetried(run_id="run", at=run.now(), tasks=tasks))
    status, after = await carried_out(a_job(mended), tmp_path)

    assert [one.is_decided for one in before.conflicts] == [False, False]
    assert [one.settled and one.settled.chosen for one in after.conflicts] == ["look/i1", "look/i1"]
    assert status is RunStatus.COMPLETED


@pytest.mark.parametrize("settle", [None, cannot_tell])
async def test_what_a_person_decides_counts_when_the_run_is_resumed(tmp_path: Path, settle: Any) -> None:
    _, before = await carried_out(a_job(settle), tmp_path)
    (raised,) = before.concerns
    async with a_run(a_job(settle), tmp_path) as run:
        end = disposition("mia", counts="look/i1")
        await run.log.append(ConcernDisposed(run_id="run", at=run.now(), concern_id=raised.id, disposition=end))
    status, after = await carried_out(a_job(settle), tmp_path)
    settled = [(one.settled.chosen, one.settled.by, one.settled.reason) for one in after.conflicts if one.settled]
    decided = "(look/i1 counts, as mia decided)"

    assert status is RunStatus.COMPLETED
    assert settled == 2 * [("look/i1", "mia", end.reason)]
    assert after.output == [f"look/i0: overruled about Finding:a.py {decided}; Finding:b.py {decided}"]


def changes_the_world(conflict: Conflict) -> int:
    return 1


@agent(effect="write")
async def writes(conflict: Conflict) -> str:
    """Write."""
    return ""


@pytest.mark.parametrize("settle", [changes_the_world, writes, 3])
def test_what_cannot_settle_is_refused(settle: Callable[..., object]) -> None:
    with pytest.raises(InvalidJob):
        a_job(settle)


def test_nobody_settles_conflicts_about_own_work() -> None:
    @agent
    async def both(conflict: Conflict) -> str:
        """Work, and decide."""
        return ""

    for job, of_phase in (
        (Job("audit", goal="g"), both),
        (Job("audit", goal="g", oversight=Oversight(settle=both)), None),
    ):
        with pytest.raises(InvalidJob, match="its own work"):
            job.phase("look", each=both, over=lambda: [1], settle=of_phase)
