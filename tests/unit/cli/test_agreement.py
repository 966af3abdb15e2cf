"""What a run returns and what is shown of it agree, since one function makes both (a run is a log)."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from echelon import AgentFailed, Handoffs, Job, Resilience, RunResult, agent, integrator
from echelon.cli.checklist import RUNS_READ
from echelon.coordination.job_run import run_phases
from echelon.definition.graphs.graph_job import rehearsal_name
from echelon.definition.inputs import read_inputs
from echelon.definition.rehearsal import REHEARSAL_SOURCE
from echelon.engine.run import RunOptions, finish, prepare_run
from echelon.journal.journal import SqlJournal
from echelon.journal.outputs import OutputStore
from echelon.model.handoff import UsedDependency
from echelon.model.run import RunRecord, RunStatus, StepKind
from echelon.runlog.events import OutputRead, PhaseStarted, RunStarted, StepEnded, StepStarted
from echelon.settings import Settings
from echelon.visibility.history import History, view_runs
from tests.unit.cli.conftest import RUN_ID, STARTED, step, survey_plan

Echelon = Callable[..., Any]


class Letters(BaseModel):
    """Inputs of the jobs."""

    letters: tuple[str, ...] = ("a",)


@agent
async def look(letter: str) -> int:
    """Look at a letter."""
    if letter == "x":
        raise AgentFailed("it is not there")
    return 1


@integrator
async def total(look: Handoffs[int]) -> int:
    """Add up."""
    return sum(look.outputs())


def looking(**phase: Any) -> Job:
    job = Job("looking", goal="Look", inputs=Letters, defaults=Resilience(attempts=1))
    job.phase("look", each=look, over=lambda letters: letters, **phase)
    return job


def ran(job: Job, *letters: str) -> RunResult:
    """Run a job as the engine does, without Prefect's picture."""

    async def run() -> RunResult:
        inputs = read_inputs(Letters, {"letters": letters})
        async with prepare_run(job, inputs, RunOptions(), Settings()) as ready:
            return await finish(ready, await run_phases(ready.context))

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("job", "letters", "output"),
    [
        (looking(), ("a",), {"look/a": 1}),
        (looking(), ("a", "b"), {"look/a": 1, "look/b": 1}),
        (looking(), ("x",), None),
        (looking(integrate=total), ("a",), 1),
        (looking(integrate=total), ("a", "x"), 1),
    ],
    ids=["one item", "two items", "one item that fails", "one item, integrated", "integrated without one"],
)
def test_the_output_is_the_same_whether_it_is_returned_or_shown(
    home: Path, echelon: Echelon, job: Job, letters: tuple[str, ...], output: Any
) -> None:
    result = ran(job, *letters)

    assert result.output == output
    assert json.loads(echelon("show", result.run_id, "--output").out) == output
    assert json.loads(echelon("show", result.run_id, "--json").out)["output"] == output


def test_everything_that_a_run_returns_is_shown_likewise(home: Path, echelon: Echelon) -> None:
    result = ran(looking(integrate=total), "a", "x")
    shown = json.loads(echelon("show", result.run_id, "--json").out)

    assert {name: shown[name] for name in RunResult.model_fields} == result.model_dump(mode="json")
    assert shown["launched"] == shown["returned"] + len(shown["missing"]) == 3


@pytest.fixture
def unfinished(home: Path) -> None:
    """Put a run on record that has not ended; the last that is known of it happened after 5 seconds."""

    async def write() -> None:
        settings, at = Settings(), {"run_id": RUN_ID, "at": STARTED}
        record = RunRecord(
            run_id=RUN_ID,
            job="survey",
            source="",
            inputs={},
            status=RunStatus.RUNNING,
            started=STARTED,
            plan=survey_plan(),
        )
        done = step(OutputStore(settings.outputs_url), "look/a.py", output={"lines": 3})
        task = {"key": "k", "task_id": "look/c.py"}
        async with SqlJournal.open(settings) as journal:
            await journal.append(
                RunStarted(record=record, **at),
                PhaseStarted(phase="look", expected=3, **at),
                StepStarted(phase="look", node="look/c.py", step=StepKind.TASK, **task, **at),
                StepEnded(run_id=RUN_ID, at=done.finished, record=done),
                OutputRead(
                    run_id=RUN_ID,
                    at=STARTED + timedelta(seconds=5),
                    read=UsedDependency(task_id="look/a.py", version="1"),
                    **task,
                ),
            )

    asyncio.run(write())


def read_as_the_checklist_does(job: str) -> History:
    async def read() -> History:
        async with SqlJournal.open(Settings()) as journal:
            return await view_runs(journal, job, rehearsal_name(job), REHEARSAL_SOURCE, RUNS_READ)

    return asyncio.run(read())


def test_the_time_of_a_run_that_has_not_ended_is_until_its_last_event_wherever_it_is_shown(
    echelon: Echelon, unfinished: None
) -> None:
    shown = json.loads(echelon("show", RUN_ID, "--json").out)
    measured = json.loads(echelon("measures", RUN_ID, "--json").out)
    (read,) = read_as_the_checklist_does("survey").runs

    assert shown["measures"]["seconds"] == measured["measures"]["seconds"] == read.measures.seconds == 5.0
    assert shown["measures"] == measured["measures"] == read.measures.model_dump(mode="json")
    assert "5.0 s" in echelon("measures", RUN_ID).out
    assert shown["at_work"] == ["look/c.py"]
