"""A run with runs inside is killed and resumed: the runs inside are gone on with, and what they did stays done (F8)."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from echelon.journal.journal import SqlJournal
from echelon.model.run import RunStatus
from echelon.runlog.events import StepEnded
from echelon.settings import Settings
from tests.chaos.jobs.nested_job import RUN_ID, crates_job

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]

#: Points that are passed by the outer run and by the runs inside, each at a passage of either.
PLACES = ("run.taken:1", "run.taken:2", "step.begun:3", "step.recorded:2", "report.written:1", "run.finished:2")


class Ended(NamedTuple):
    """What is on record of everything in the end."""

    status: RunStatus
    output: object
    concerns: tuple[str, ...]
    calls: int
    done: Counter[str]
    runs: int


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ECHELON_PICTURE", "false")
    return tmp_path


def killed(folder: Path, at: str) -> int:
    command = [sys.executable, "-m", "tests.chaos.jobs.nested_job", str(folder)]
    environment = os.environ | {"ECHELON_FAILPOINT_AT": at}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False).returncode


def asked(folder: Path) -> Counter[str]:
    file = folder / "asked"
    return Counter(file.read_text(encoding="utf-8").split()) if file.exists() else Counter()


async def ended(folder: Path) -> Ended:
    async with SqlJournal.open(Settings()) as journal:
        known = await journal.known_run(run_id=RUN_ID)
    result = await (crates_job.resume(RUN_ID) if known else crates_job.run(folder=folder))
    async with SqlJournal.open(Settings()) as journal:
        inside = await journal.runs(inside=result.run_id)
        logs = [entry.event for run in (*inside, result) for entry in await journal.events(run.run_id)]
        steps = [step.handoff for step in await journal.steps(result.run_id)]
    done = [event.record for event in logs if isinstance(event, StepEnded) and event.record.handoff.done]
    return Ended(
        status=result.status,
        output=result.output,
        concerns=tuple(sorted(record.concern.about for record in result.concerns)),
        calls=sum(handoff.usage.calls for handoff in steps),
        done=Counter(f"{step.run_id == result.run_id} {step.handoff.task_id}" for step in done),
        runs=len(inside),
    )


async def test_what_a_run_with_runs_inside_comes_to_when_nobody_disturbs_it(folder: Path) -> None:
    whole = await ended(folder)

    assert whole.status is RunStatus.COMPLETED
    assert whole.output == ["c0/0", "c0/1", "c1/0", "c1/1"]
    assert whole.concerns == ("c0/0", "c0/1", "c1/0", "c1/1")
    assert (whole.calls, whole.runs) == (7, 2)  # 4 things, 2 lids, 1 load


@pytest.mark.parametrize("at", PLACES)
async def test_a_killed_run_goes_on_with_the_runs_inside(folder: Path, at: str) -> None:
    assert killed(folder, at) == -signal.SIGKILL
    after = await ended(folder)

    assert (after.status, after.output) == (RunStatus.COMPLETED, ["c0/0", "c0/1", "c1/0", "c1/1"])
    assert after.concerns == ("c0/0", "c0/1", "c1/0", "c1/1")
    assert (after.calls, after.runs) == (7, 2)
    # Both runs inside have steps of these names; `True` are those of the outer run.
    assert after.done == {
        **{f"False pack/{n}": 2 for n in (0, 1)},
        "False pack/merge/primary": 2,
        **{f"True crates/c{n}": 1 for n in (0, 1)},
        "True load/load": 1,
    }
    # Only what was at work when it was killed is asked for once more; one at a time was.
    assert sorted(asked(folder).values(), reverse=True) in ([1, 1, 1, 1], [2, 1, 1, 1])
