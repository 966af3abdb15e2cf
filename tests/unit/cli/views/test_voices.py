"""X15, D10: what agents say is printed while they work, and with what became of it when a run is shown."""

import io
from itertools import count as numbers
from pathlib import Path

import pytest
from rich.console import Console

from echelon import Brief, Job, Proposals, agent
from echelon.cli.views.live import Moving, Plain, picture_of
from echelon.cli.views.output import out
from echelon.cli.views.result import PROPOSALS_SHOWN, show_result
from echelon.cli.views.show import show_agent, show_run
from echelon.cli.views.voices import CONCERNS_SHOWN, show_at_work
from echelon.coordination.job_run import run_phases
from echelon.model.concern import Concern
from echelon.model.run import RunView
from echelon.oversight.attention import LINES_A_LEVEL
from echelon.runlog.events import LoggedEvent, RunEvent
from echelon.runlog.state import fold
from echelon.runlog.view import result_of
from echelon.testing.run_events import NOON, concern_raised, run_started, step_started, task_proposed
from echelon.testing.runs import a_run, view_so_far
from echelon.visibility.document import document_of
from echelon.visibility.voices.agents import voice_of
from tests.unit.coordination.jobs import ONCE

pytestmark = pytest.mark.anyio

REASON = "within the limit of 1 and the budget"


@agent
def look(path: str, brief: Brief) -> str:
    """Look at a file, and say what is odd."""
    brief.raise_concern("two files claim the lock", about=path, confidence=0.3, impact=0.9)
    brief.state_confidence(0.7)
    brief.propose_task(f"look behind {path}")
    if path == "b":
        brief.report_blocked("mia", "only she knows")
    return path


@agent
def follow(goal: str) -> str:
    """Do what was proposed."""
    return goal


async def view_of_run(home: Path) -> RunView:
    job = Job("looking", goal="Look at everything", defaults=ONCE)
    job.phase("look", each=look, over=lambda: ["a", "b"])
    job.phase("more", each=follow, over=Proposals(str, limit=1), needs="look")
    async with a_run(job, home) as run:
        await run_phases(run)
        return view_so_far(run)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


async def test_a_run_says_what_became_of_proposed_tasks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    view = await view_of_run(tmp_path)
    (taken,) = (one.proposal.goal for one in view.proposals if one.decision and one.decision.taken)
    (declined,) = (one.proposal.goal for one in view.proposals if one.decision and not one.decision.taken)

    for show in (lambda: show_result(out(), result_of(view)), lambda: show_run(out(), view)):
        show()
        shown = lines(capsys)
        at = shown.index("proposed 2 tasks: 1 taken, 1 declined")
        assert shown[at + 1 : at + 3] == [
            f"1 taken in phase 'more': {REASON} ({taken})",
            f"1 declined: phase 'more' takes no more than 1 ({declined})",
        ]


async def test_an_agent_is_shown_with_what_it_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    view = await view_of_run(tmp_path)
    steps = [step for step in view.steps if step.handoff.task_id == "look/b"]

    show_agent(out(), steps, (), voice_of(view, "look/b"), "")

    shown = lines(capsys)
    assert "said it is sure 0.70" in shown
    assert "waits blocked on mia: only she knows" in shown
    assert any(line.startswith("proposed 1 task: 1 ") for line in shown)
    (record,) = (one for one in view.concerns if one.source == "look/b")
    assert f"{record.id} human review: b: two files claim the lock" in shown


async def test_machines_read_the_same(tmp_path: Path) -> None:
    view = await view_of_run(tmp_path)
    document = document_of(view)

    assert document["proposals"] == view.proposals
    assert document["blocked"] == {"look/b": "blocked on mia: only she knows"}


async def test_an_agent_that_has_not_ended_anything_is_shown_with_what_it_said_so_far(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[RunView] = []

    @agent
    async def wait(brief: Brief) -> str:
        """Say something, and wait until it is on record."""
        brief.raise_concern("it takes long")
        while not (await holder.log.refresh()).concerns:
            pass
        seen.append(view_so_far(holder))
        return "done"

    job = Job("waiting", goal="Wait", defaults=ONCE)
    job.phase("work", agent=wait)
    async with a_run(job, tmp_path) as run:
        holder = run
        await run_phases(run)

    show_at_work(out(), "work/wait", voice_of(seen[0], "work/wait"))

    shown = lines(capsys)
    assert shown[0] == "work/wait: at work"
    assert shown[-1].endswith("human review: work/wait: it takes long")


async def test_what_is_said_without_bound_is_shown_within_bounds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    @agent
    def shout(brief: Brief) -> str:
        """Shout."""
        for number in range(CONCERNS_SHOWN + 30):
            brief.raise_concern(f"concern {number}")
            brief.propose_task(f"task {number}", item=number)
        return "done"

    job = Job("shouting", goal="Shout", defaults=ONCE)
    job.phase("work", agent=shout)
    async with a_run(job, tmp_path) as run:
        await run_phases(run)
        view = view_so_far(run)

    show_agent(out(), view.steps[-1:], (), voice_of(view, "work/shout"), "")
    assert lines(capsys)[-1] == "and 30 more"
    show_result(out(), result_of(view))
    shown = lines(capsys)
    at = shown.index("proposed 50 tasks: 50 declined")
    assert shown[at + 1].startswith("50 declined: no phase takes what is proposed in phase 'work'")
    assert PROPOSALS_SHOWN >= 1


seq = numbers(1)


def entries(*events: RunEvent) -> list[LoggedEvent]:
    return [LoggedEvent(next(seq), event) for event in events]


def test_a_pipe_gets_a_line_for_each_of_the_first_and_is_told_where_the_rest_is() -> None:
    console = Console(file=io.StringIO(), width=200)
    plain = Plain(console)
    plain.watch(entries(run_started(), step_started()))
    minor = Concern(about="a.py", message="odd", confidence=0.2, impact=0.2)
    plain.watch(entries(*(concern_raised(f"c{number}", concern=minor) for number in range(LINES_A_LEVEL + 5))))

    printed = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert printed[0] == "concern c0 of inspect, pattern log: a.py: odd"
    assert printed[LINES_A_LEVEL - 1 :] == ["more was raised, pattern log: echelon show r1"]


def test_what_is_critical_is_printed_once_each_however_much_else_is_said() -> None:
    said = [f"file {number} is lost" for number in range(30) for _ in range(3)]
    for display in (Plain, Moving):
        console = Console(file=io.StringIO(), width=200)
        shown = display(console)
        shown.watch(entries(run_started(), step_started()))
        shown.watch(entries(*(concern_raised(f"c{number}", message=one) for number, one in enumerate(said))))

        printed = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
        assert len(printed) == 30
        assert printed[29] == "concern c87 of inspect, human review: locks.py: file 29 is lost"


def test_a_terminal_gets_one_line_of_all_that_waits_for_somebody() -> None:
    console = Console(file=io.StringIO(), width=200)
    console.print(picture_of(fold([run_started(), concern_raised("c1"), task_proposed("p1")]), NOON))

    said = "1 open concern (1 human review)  1 proposed task not decided"
    assert said in console.file.getvalue()  # type: ignore[attr-defined]
