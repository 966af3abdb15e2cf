"""What was wrapped up says so, wherever a person looks (F4, F7)."""

import io
from datetime import UTC, datetime

from rich.console import Console

from echelon.cli.views.show import show_agent
from echelon.model.handoff import WRAPPED_UP, Handoff, Missing, OutputReference
from echelon.model.run import RunRecord, RunStatus, StepKind, StepRecord
from echelon.model.status import Status
from echelon.runlog.events import RunStarted, StepEnded
from echelon.runlog.state import fold
from echelon.runlog.view import view_of
from echelon.visibility.voices.agents import AgentVoice

AT = datetime(2026, 1, 1, tzinfo=UTC)


def recorded(*, wrapped_up: bool) -> StepRecord:
    handoff = Handoff(
        task_id="look/a.py",
        status=Status.COMPLETED,
        summary="half of it",
        output_location=OutputReference(location="run/x.json", sha256="ab", size_bytes=1, contract="str@1"),
        producer="look/a.py",
        assignment_id="look/a.py#1",
        wrapped_up=wrapped_up,
    )
    return StepRecord(
        run_id="r",
        key="k",
        phase="look",
        node="look/a.py",
        kind=StepKind.TASK,
        started=AT,
        finished=AT,
        handoff=handoff,
    )


def shown(step: StepRecord) -> str:
    written = io.StringIO()
    show_agent(Console(file=written, width=200), [step], [], AgentVoice((), None, "", ()), "file:///outputs")
    return written.getvalue()


def missing_in(step: StepRecord) -> tuple[Missing, ...]:
    run = RunRecord(run_id="r", job="j", source="", inputs={}, status=RunStatus.RUNNING, started=AT)
    state = fold([RunStarted(run_id="r", at=AT, record=run), StepEnded(run_id="r", at=AT, record=step)])
    return view_of(state, lambda _: None).missing


def test_an_agent_that_wrapped_up_is_shown_as_one() -> None:
    assert f"wrapped up  {WRAPPED_UP}" in shown(recorded(wrapped_up=True))
    assert "wrapped up" not in shown(recorded(wrapped_up=False))


def test_what_was_wrapped_up_is_listed_with_what_is_missing() -> None:
    missing = Missing(task_id="look/a.py", producer="look/a.py", reason=WRAPPED_UP, instead="half of it")

    assert missing_in(recorded(wrapped_up=True)) == (missing,)
    assert missing_in(recorded(wrapped_up=False)) == ()
