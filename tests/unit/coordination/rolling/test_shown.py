"""X12: what people see of phases that are skipped and work that is repeated, while it goes on and afterwards."""

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from echelon import Handoffs
from echelon.cli.views.live import Plain, picture_of
from echelon.cli.views.output import out
from echelon.cli.views.result import show_result
from echelon.cli.views.show import show_agent, show_run
from echelon.coordination.job_run import run_phases
from echelon.engine.picture.mapping import Picture
from echelon.model.run import RunView, StepKind
from echelon.runlog.events import LoggedEvent
from echelon.runlog.view import result_of
from echelon.testing.runs import a_run, view_so_far
from echelon.visibility.checklist.evidence import recovered, repeated
from echelon.visibility.document import document_of, steps_of
from echelon.visibility.report import default_report
from echelon.visibility.voices.agents import voice_of
from tests.unit.coordination.rolling.mending import Fix, Workshop, bugs, publish

pytestmark = pytest.mark.anyio


def nothing_is_left(fix: Handoffs[Fix]) -> str:
    return "nobody asked for it"


class Mended:
    """A run in which one bug is fixed, one after two rounds, one never, and nothing is published."""

    def __init__(self, view: RunView, entries: list[LoggedEvent], moving: str) -> None:
        self.view = view
        self.entries = entries
        self.moving = moving


async def mended(home: Path) -> Mended:
    shop, entries = Workshop(), list[LoggedEvent]()
    job = shop.job(rounds=2)
    job.phase("publish", agent=publish, needs="fix", when=nothing_is_left)
    async with a_run(job, home, bugs(1, 2, 9), watch=entries.extend) as run:
        await run_phases(run)
        screen = Console(width=200, record=True, file=StringIO())
        screen.print(picture_of(run.log.state, datetime.now(UTC)))
        return Mended(view_so_far(run), entries, screen.export_text())


def words(text: str) -> str:
    return " ".join(text.split())


async def test_a_view_has_what_was_skipped_and_how_repeated_work_ended(tmp_path: Path) -> None:
    view = (await mended(tmp_path)).view

    assert view.skipped == result_of(view).skipped == {"publish": "nobody asked for it"}
    assert {one.task_id: (one.rounds, one.stopped_by) for one in view.repeated} == {
        "fix/b0": (1, "passed"),
        "fix/b1": (2, "passed"),
        "fix/b2": (2, "rounds"),
    }
    assert {phase.name: phase.note for phase in view.phases} == {
        "fix": "2 rounds",
        "publish": "skipped: nobody asked for it",
    }
    document = document_of(view)
    assert (document["skipped"], document["repeated"]) == (view.skipped, view.repeated)


async def test_the_end_of_a_run_tells_of_it_in_a_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    view = (await mended(tmp_path)).view
    show_result(out(), result_of(view))
    show_run(out(), view)
    told = words(capsys.readouterr().out)

    assert told.count("skipped publish: nobody asked for it") == 2
    assert told.count("repeated 2 passed, 1 stopped by rounds; 2 rounds at most") == 2


async def test_an_agent_is_shown_with_its_rounds_and_a_check_as_what_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    view = (await mended(tmp_path)).view
    for agent in ("fix/b2", "fix/b2/until/passes", "publish/when/nothing_is_left"):
        show_agent(out(), steps_of(agent, view), (), voice_of(view, agent), "")
    told = words(capsys.readouterr().out)

    assert "rounds 2, stopped by: rounds" in told
    assert "phase fix, check" in told
    assert "phase publish, planning" in told


async def test_the_report_tells_of_it(tmp_path: Path) -> None:
    pages = default_report((await mended(tmp_path)).view)

    assert "## Phases that were skipped or repeated" in pages["report.md"]
    assert "- `publish`: skipped: nobody asked for it" in pages["report.md"]
    assert "<code>fix</code>: 2 rounds" in pages["report.html"]


async def test_who_watches_sees_rounds_and_what_is_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = await mended(tmp_path)
    plain = Plain(out())
    plain.watch(run.entries[:1])
    plain.watch(run.entries[1:])

    assert "phase publish: skipped: nobody asked for it" in capsys.readouterr().out
    assert "2 rounds" in run.moving
    assert "skipped: nobody asked for it" in run.moving


async def test_checks_and_questions_are_drawn_as_what_they_are(tmp_path: Path) -> None:
    run = await mended(tmp_path)
    tasks = {task.title: task.task for task in Picture("run").draw(run.entries, datetime.now(UTC)).tasks}

    assert tasks["fix/b0"] == "agent"
    assert tasks["fix/b0/until/passes"] == "check"
    assert tasks["plan primary · publish"] == "plan"


async def test_rounds_are_no_work_that_was_done_twice_and_what_never_passed_did_not_recover(tmp_path: Path) -> None:
    view = (await mended(tmp_path)).view

    assert (repeated(view), recovered(view)) == (0, ())
    assert {step.kind for step in view.steps} == {StepKind.TASK, StepKind.CHECK, StepKind.PLANNING}
