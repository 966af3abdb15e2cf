"""A graph of phases, and a plan that grows, as people see them: planned, at work, and when they are done (X12, D4)."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from echelon import Handoffs, Job, agent
from echelon.cli.views.live import Plain, picture_of
from echelon.cli.views.plan import show_plan
from echelon.cli.views.show import show_run
from echelon.coordination.job_run import run_phases
from echelon.model.run import RunView
from echelon.runlog.events import LoggedEvent, PlanExtended, StepStarted
from echelon.runlog.state import RunState, fold
from echelon.testing.runs import a_run, view_so_far
from echelon.visibility.document import document_of
from tests.unit.coordination.rolling.growing import Module, growing, merge, names

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@agent
async def aside() -> str:
    """Do something else."""
    return "aside"


def job_of(over: Any = None, **phase: Any) -> Job:
    job = growing(over, **phase) if over else growing(**phase)
    job.phase("aside", agent=aside)
    return job


def screen() -> Console:
    return Console(file=io.StringIO(), width=200, color_system=None, _environ={})


def printed(console: Console) -> str:
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def row(text: str, first: str) -> list[str]:
    """Return the cells of the row of a table that begins so."""
    (line,) = [line for line in text.splitlines() if line.split(" ", 1)[0] == first and "  " in line][:1]
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_the_table_of_phases_says_what_each_waits_for_and_who_is_beside_it() -> None:
    console = screen()
    show_plan(console, job_of(items=(3, 300)).plan_for(names(3)))
    phases = printed(console).partition("Phases")[2].partition("Contracts")[0]

    assert row(phases, "phase")[:4] == ["phase", "after", "side by side with", "tasks"]
    assert row(phases, "survey") == ["survey", "aside", "1", "primary", "phase"]
    assert row(phases, "inspect") == [
        "inspect",
        "survey",
        "aside",
        "items known after survey, 3 to 300 expected, inspect on each",
    ]
    assert row(phases, "conclude") == ["conclude", "inspect", "aside", "1", "primary", "phase"]


async def finished(job: Job, home: Path, number: int) -> tuple[RunView, list[LoggedEvent]]:
    async with a_run(job, home, names(number)) as run:
        await run_phases(run)
        return view_so_far(run), list(await run.log.journal.events(run.spec.run_id))


async def test_a_run_without_a_terminal_says_when_its_plan_grows(tmp_path: Path) -> None:
    _, entries = await finished(job_of(), tmp_path, 20)
    console = screen()
    plain = Plain(console)
    for entry in entries:
        plain.watch([entry])
    lines = printed(console).splitlines()

    said = "phase 'inspect' found 20 items: the job is multi_tier, 23 agents, 3 levels now"
    assert lines.count(said) == 1
    assert lines.index(said) < lines.index("phase inspect: 20 agents")


def until(entries: list[LoggedEvent], kind: type[Any], phase: str) -> RunState:
    """Return the state of a run right behind the first event of a kind in a phase."""
    events = [entry.event for entry in entries]
    at = next(number for number, one in enumerate(events) if isinstance(one, kind) and one.phase == phase)
    return fold(events[: at + 1])


async def test_the_picture_in_a_terminal_has_phases_that_are_not_planned_yet(tmp_path: Path) -> None:
    _, entries = await finished(job_of(), tmp_path, 20)

    def drawn(state: RunState) -> str:
        assert state.last_at is not None
        console = screen()
        console.print(picture_of(state, state.last_at))
        return printed(console)

    begun, searching = until(entries, StepStarted, "survey"), until(entries, StepStarted, "inspect")
    assert "items known after survey" in drawn(begun)
    assert "finding its items" in drawn(searching)
    assert "finding its items" not in drawn(until(entries, PlanExtended, "inspect"))
    assert "·" not in drawn(fold(entry.event for entry in entries)).replace(" · ", "")


async def test_several_phases_at_work_are_each_shown_by_domain(tmp_path: Path) -> None:
    job = growing()

    @agent
    async def again(module: Module) -> str:
        return module.id

    job.phase("again", each=again, over=found_again, needs="survey", domain=lambda module: module.package)
    view, entries = await finished(job, tmp_path, 20)
    plan = view.record.plan
    assert plan is not None
    state = fold(entry.event for entry in entries)
    both = {name: stands._replace(ended=None) for name, stands in state.phases.items() if name in ("inspect", "again")}
    console = screen()
    console.print(picture_of(replace(state, phases=both), view.record.started))

    assert "again · " in printed(console)
    assert "inspect · " in printed(console)


def found_again(survey: Handoffs[list[str]]) -> list[Module]:
    return [Module(id=f"again-{name}", package="q") for found in survey.outputs() for name in found]


async def test_a_run_is_shown_with_what_was_planned_on_the_way(tmp_path: Path) -> None:
    view, _ = await finished(job_of(integrate=merge), tmp_path, 20)
    console = screen()
    show_run(console, view)
    text = printed(console)

    assert "planned on the way:" in text
    assert "  phase 'inspect' found 20 items: the job is multi_tier, 23 agents, 3 levels now" in text
    assert "X2 warning, inspect: the integrator of phase 'inspect' has no `combine`" in text
    document = document_of(view)
    assert [one.phase for one in view.extensions] == ["inspect"]
    assert document["extensions"] == view.extensions


def fails(survey: Handoffs[list[str]]) -> list[Module]:
    raise RuntimeError("the list is torn")


async def test_a_phase_that_was_never_planned_is_in_the_table_and_missing_is_named(tmp_path: Path) -> None:
    view, entries = await finished(job_of(fails), tmp_path, 3)
    console = screen()
    show_run(console, view)
    text = printed(console)
    state = fold(entry.event for entry in entries)
    live = screen()
    live.print(picture_of(state, state.last_at or view.record.started))

    assert row(text, "inspect") == ["inspect", "not begun"]
    assert "inspect/over/fails: RuntimeError: the list is torn" in text
    assert "not begun" in printed(live)


def wanted(survey: Handoffs[list[str]]) -> bool:
    return len(survey.outputs()[0]) > 3


async def test_a_phase_that_is_not_wanted_is_shown_as_skipped_with_its_reason(tmp_path: Path) -> None:
    view, entries = await finished(growing(when=wanted), tmp_path, 3)
    shown, live, lines = screen(), screen(), screen()
    show_run(shown, view)
    state = fold(entry.event for entry in entries)
    live.print(picture_of(state, view.record.started))
    plain = Plain(lines)
    for entry in entries:
        plain.watch([entry])
    reason = state.phases["inspect"].skipped

    assert reason
    assert f"skipped: {reason}" in printed(live)
    assert f"phase inspect: skipped: {reason}" in printed(lines)
    assert "not begun" not in printed(shown)
