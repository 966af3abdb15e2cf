"""Tasks that change copies of one file to different contents contradict each other: one of them counts (X9)."""

import sys
from pathlib import Path
from typing import Any

import pytest

from echelon import (
    Autonomy,
    Conflict,
    Evidence,
    Handoffs,
    Job,
    Oversight,
    Resilience,
    Settlement,
    Workspace,
    agent,
    command,
    integrator,
)
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.model.concern import Route
from echelon.model.run import RunStatus, RunView
from echelon.testing.runs import a_run, view_so_far

pytestmark = pytest.mark.anyio

CHANGED = [Evidence(changes="*")]


#: Writes a text into a file of the folder in which it runs; of several texts the one of its folder.
WRITES = """
import pathlib, sys
path, text, *others = sys.argv[1:]
at = pathlib.Path.cwd().name
file = pathlib.Path(path if not others or at in others else "of-" + at)
file.write_text(text)
"""


def writes(text: str, name: str = "app.py", *only_in: str) -> Any:
    """Write a text into a file of the folder of an item; elsewhere than in some folders, into a file of its own."""
    return command([sys.executable, "-c", WRITES, name, text, *only_in], cwd="{item}", name="edit", effect="write")


def copies(home: Path, count: int, content: str = "x = 1\n") -> list[Path]:
    """Make copies of one tree, as people have them who work side by side."""
    folders = [home / f"copy{number}" for number in range(count)]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "app.py").write_text(content)
    return folders


def last(conflict: Conflict) -> Settlement:
    return Settlement(chosen=conflict.sides[-1].name, reason="it came last")


def a_job(who: Any, items: list[Path], *, settle: Any = last, **phase: Any) -> Job:
    job = Job("mend", goal="Mend", oversight=Oversight(settle=settle), defaults=Resilience(attempts=1))
    job.phase("edit", each=who, over=lambda: items, success=CHANGED, **phase)
    return job


async def carried_out(job: Job, home: Path, run_id: str = "run") -> tuple[RunStatus, RunView]:
    async with a_run(job, home, run_id=run_id) as run:
        outputs = await run_phases(run)
        return status_after(outputs), view_so_far(run)


def subjects(view: RunView) -> list[str]:
    return [one.conflict.subject for one in view.conflicts]


async def test_copies_of_one_file_that_differ_are_a_conflict_and_its_owner_decides(tmp_path: Path) -> None:
    first, second = copies(tmp_path, 2)
    status, view = await carried_out(a_job(writes("{item}"), [first, second]), tmp_path / "home")
    (record,) = view.conflicts
    overruled, counts = view.steps[0].handoff, view.steps[1].handoff

    assert (status, view.concerns, subjects(view)) == (RunStatus.COMPLETED, (), ["file:app.py"])
    assert record.settled is not None
    assert (record.settled.chosen, record.settled.by) == ("edit/copy1", "last")
    assert [str(side.says["content"]).partition(" in ")[2] for side in record.conflict.sides] == [
        str(first),
        str(second),
    ]
    assert {overruled.task_id, counts.task_id} == {"edit/copy0", "edit/copy1"}


async def test_who_comes_later_knows_whose_file_counts_and_both_copies_are_left_as_they_are(tmp_path: Path) -> None:
    items = copies(tmp_path, 2)

    @agent
    async def report(edit: Handoffs[str]) -> list[str]:
        """Report what does not count."""
        return [one.subject for handoff in edit for one in handoff.handoff.overruled]

    job = a_job(writes("{item}"), items)
    job.phase("report", agent=report, needs="edit")
    _, view = await carried_out(job, tmp_path / "home")

    assert view.output == ["file:app.py"]
    assert [(item / "app.py").read_text() for item in items] == [str(item) for item in items]


async def test_what_nobody_decides_is_a_concern_and_the_work_falls_short(tmp_path: Path) -> None:
    job = a_job(writes("{item}"), copies(tmp_path, 2), settle=None)
    status, view = await carried_out(job, tmp_path / "home")
    (raised,) = view.concerns

    assert (status, raised.route) == (RunStatus.PARTIAL, Route.HUMAN_REVIEW)
    assert "contradict each other about file:app.py" in raised.concern.message


async def test_the_same_content_contradicts_nobody(tmp_path: Path) -> None:
    _, view = await carried_out(a_job(writes("x = 2"), copies(tmp_path, 2)), tmp_path / "home")

    assert subjects(view) == []


async def test_who_changes_another_file_contradicts_nobody(tmp_path: Path) -> None:
    who = writes("{item}", "app.py", "copy0")
    _, view = await carried_out(a_job(who, copies(tmp_path, 2)), tmp_path / "home")

    assert subjects(view) == []


async def test_phases_side_by_side_that_changed_one_file_are_compared_where_both_are_received(tmp_path: Path) -> None:
    first, second = copies(tmp_path, 2)

    @agent
    async def report(one: Handoffs[str], other: Handoffs[str]) -> list[int]:
        """Say how much of each does not count."""
        return [len(handoff.handoff.overruled) for handoff in (*one, *other)]

    job = Job("mend", goal="Mend", oversight=Oversight(settle=last))
    job.phase("one", each=writes("{item}"), over=lambda: [first], success=CHANGED)
    job.phase("other", each=writes("{item}"), over=lambda: [second], success=CHANGED)
    job.phase("report", agent=report, needs=["one", "other"])
    status, view = await carried_out(job, tmp_path / "home")

    assert (status, subjects(view), view.output) == (RunStatus.COMPLETED, ["file:app.py"], [1, 0])


async def test_files_in_workspaces_are_ones_own_unless_tasks_say_that_they_touch_them(tmp_path: Path) -> None:
    @agent
    def write(item: str, folder: Workspace) -> str:
        (folder / "app.py").write_text(item)
        return item

    found: list[list[str]] = []
    for touches in ((), ["app.py"]):
        job = Job("mend", goal="Mend", oversight=Oversight(settle=last))
        job.phase("edit", each=write, over=lambda: ["a", "b"], success=CHANGED, touches=touches)
        _, view = await carried_out(job, tmp_path / f"home{len(touches)}")
        found.append(subjects(view))

    assert found == [[], ["file:app.py"]]


async def test_without_a_trace_nothing_is_looked_at(tmp_path: Path) -> None:
    job = Job("mend", goal="Mend", oversight=Oversight(settle=last))
    job.phase("edit", each=writes("{item}"), over=lambda: copies(tmp_path, 2))
    _, view = await carried_out(job, tmp_path / "home")

    assert view.conflicts == ()


@integrator
async def merge(edited: Handoffs[str]) -> list[str]:
    """Say what does not count."""
    return sorted(one.subject for handoff in edited for one in handoff.handoff.overruled)


@merge.combine
async def combine(merged: Handoffs[list[str]]) -> list[str]:
    """Say what does not count, in teams and of teams."""
    own = [one.subject for handoff in merged for one in handoff.handoff.overruled]
    return sorted([*own, *(one for handoff in merged for one in handoff.load())])


async def test_tasks_of_different_teams_are_compared_before_what_was_integrated_of_them_is_combined(
    tmp_path: Path,
) -> None:
    items = copies(tmp_path, 20)
    who = writes("{item}", "app.py", "copy0", "copy19")
    status, view = await carried_out(a_job(who, items, integrate=combine), tmp_path / "home")
    (record,) = view.conflicts

    assert (status, view.output) == (RunStatus.COMPLETED, ["file:app.py"])
    assert record.owner == view.record.plan.primary.id  # type: ignore[union-attr]
    assert {side.task_id for side in record.conflict.sides} == {"edit/copy0", "edit/copy19"}


async def test_a_run_that_is_resumed_decides_nothing_twice_and_who_lost_is_wrong(tmp_path: Path) -> None:
    job = Job("mend", goal="Mend", oversight=Oversight(settle=last, autonomy=Autonomy()))
    items = copies(tmp_path, 2)
    job.phase("edit", each=writes("{item}"), over=lambda: items, success=CHANGED)
    _, once = await carried_out(job, tmp_path / "home")
    _, again = await carried_out(job, tmp_path / "home")
    (standing,) = again.autonomy

    assert (again.conflicts, again.autonomy) == (once.conflicts, once.autonomy)
    assert (sum(standing.now.right), sum(standing.now.wrong)) == (1, 1)
