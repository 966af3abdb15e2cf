import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from echelon.cli.main import main
from echelon.journal.journal import SqlJournal
from echelon.journal.outputs import OutputStore
from echelon.model.concern import Concern, ConcernRecord
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.graph import TaskGraph, TaskSpec
from echelon.model.handoff import ErrorReport, Handoff
from echelon.model.plan import Plan
from echelon.model.run import RunRecord, RunStatus, StepKind, StepRecord
from echelon.model.status import Status
from echelon.planning.planner import plan
from echelon.runlog.events import (
    ConcernRaised,
    ExceptionPushed,
    PhaseEnded,
    PhaseStarted,
    RunEnded,
    RunEvent,
    RunStarted,
    StepEnded,
)
from echelon.settings import Settings

STARTED = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
RUN_ID = "survey-20260131-120000-ab12"


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("ECHELON_HOME", str(folder))
    urls = ("ECHELON_JOURNAL_URL", "ECHELON_OUTPUTS_URL", "ECHELON_REDIS_URL", "PREFECT_API_URL")
    for name in ("ECHELON_DEBUG", *urls):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def echelon(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def call(*arguments: str) -> Said:
        code = main(arguments)
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


def survey_plan() -> Plan:
    tasks = [
        TaskSpec(id=f"look/{name}", goal="Look", phase="look", seconds=2.0) for name in ("a.py", "lib/b.py", "c.py")
    ]
    tasks.append(TaskSpec(id="rank/rank", goal="Rank", phase="rank", needs=("look",)))
    return plan(TaskGraph(name="survey", goal="Look around", tasks=tuple(tasks)), phase_order=("look", "rank"))


def step(store: OutputStore, task: str, *, output: object = None, error: str = "", attempts: int = 1) -> StepRecord:
    key = task.encode().hex()[:60]
    phase = task.partition("/")[0]
    return StepRecord(
        run_id=RUN_ID,
        key=key,
        phase=phase,
        node=task,
        kind=StepKind.TASK,
        started=STARTED,
        finished=STARTED + timedelta(seconds=3),
        handoff=Handoff(
            task_id=task,
            status=Status.FAILED if error else Status.COMPLETED,
            summary=error or f"looked at {task}",
            output_location=None if error else store.put(RUN_ID, key, output, "Look"),
            producer=task,
            assignment_id=f"{task}#1",
            error=ErrorReport(kind="AgentFailed", message=error, can_pass=False) if error else None,
            attempts=attempts,
        ),
    )


@pytest.fixture
def survey(home: Path) -> list[ConcernRecord]:
    """Put a run on record: two looks done, one failed, the ranking not begun; return its two concerns."""

    async def write() -> list[ConcernRecord]:
        settings = Settings()
        store = OutputStore(settings.outputs_url)
        record = RunRecord(
            run_id=RUN_ID,
            job="survey",
            source="flows/survey.py:survey",
            inputs={"path": "src"},
            status=RunStatus.RUNNING,
            started=STARTED,
            plan=survey_plan(),
        )
        steps = [
            step(store, "look/a.py", output={"lines": 3}),
            step(store, "look/lib/b.py", output={"lines": 5}),
            step(store, "look/c.py", error="the file cannot be parsed", attempts=2),
        ]
        raised = [
            ConcernRecord(
                id=f"concern{number}",
                run_id=RUN_ID,
                source="look/a.py",
                step=steps[0].key,
                concern=Concern(about=about, message="odd", confidence=confidence, impact=impact),
                at=STARTED,
            )
            for number, (about, confidence, impact) in enumerate((("style", 0.2, 0.1), ("[key] in a.py", 0.9, 0.9)))
        ]
        failed = ExceptionReport(
            trigger=Trigger.FAILED, level=Level.WARNING, path=("primary", "look/c.py"), message="cannot", at=STARTED
        )
        retried = failed.model_copy(update={"trigger": Trigger.RETRIED, "level": Level.INFO, "message": "again"})
        end, at = STARTED + timedelta(seconds=10), {"run_id": RUN_ID, "at": STARTED}
        events: list[RunEvent] = [
            RunStarted(record=record, **at),
            PhaseStarted(phase="look", expected=3, **at),
            *[ConcernRaised(record=one, **at) for one in raised],
            *[ExceptionPushed(report=one, **at) for one in (failed, retried)],
            *[StepEnded(run_id=RUN_ID, at=one.finished, record=one) for one in steps],
            PhaseEnded(run_id=RUN_ID, at=STARTED + timedelta(seconds=4), phase="look"),
            RunEnded(run_id=RUN_ID, at=end, status=RunStatus.FAILED, finished=end),
        ]
        async with SqlJournal.open(settings) as journal:
            await journal.append(*events)
        return raised

    return asyncio.run(write())
