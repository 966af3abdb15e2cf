"""One agent ends only itself, whatever it raises; what cannot be written costs only what was to be written (F1, F8)."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, model_serializer

from echelon import Fallback, Job, Resilience, agent
from echelon.definition.definition import NoInputs
from echelon.engine.run import RunOptions, run_job
from echelon.model.errors import InvalidJob
from echelon.model.run import RunResult, RunStatus
from tests.security.conftest import ROOT


class Panic(BaseException):
    """As extensions written in Rust raise it."""


@agent
async def fine() -> str:
    """Wait a moment, and deliver."""
    await asyncio.sleep(0.05)
    return "fine"


def raising(error: BaseException, *, plain: bool) -> Job:
    """Return a job of two agents, one of which raises something."""

    @agent
    async def waiting() -> str:
        raise error

    @agent
    def blocking() -> str:
        raise error

    job = Job("raising", goal="Be raised in", defaults=Resilience(attempts=1))
    job.phase("both", agents=[fine, blocking if plain else waiting])
    return job


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ECHELON_PICTURE", "false")
    return tmp_path / "home"


def ran(job: Job, **options: object) -> RunResult:
    return asyncio.run(run_job(job, NoInputs(), RunOptions(**options)))  # type: ignore[arg-type]


@pytest.mark.parametrize("plain", [False, True], ids=["async", "thread"])
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyboardInterrupt(), "raised KeyboardInterrupt, which is no error but a signal to stop"),
        (Panic("index out of bounds"), "raised Panic, which is no error but a signal to stop: index out of bounds"),
        (SystemExit(3), "wanted to end the process with exit code 3"),
        (asyncio.CancelledError(), "was cancelled by something inside of it"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_what_is_no_exception_ends_only_the_agent_that_raised_it(error: BaseException, said: str, plain: bool) -> None:
    result = ran(raising(error, plain=plain))

    assert result.status is RunStatus.PARTIAL
    assert result.output == {"both/fine": "fine"}
    [missing] = result.missing
    assert said in missing.reason


class Speechless(Exception):
    def __str__(self) -> str:
        return None  # type: ignore[return-value]  # noqa: PLE0307 - that is what is wrong with it


class Furious(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


class Mute:
    def __repr__(self) -> str:
        raise RuntimeError("no words")

    __str__ = __repr__


class Stubborn(BaseModel):
    number: int = 1

    @model_serializer
    def refuse(self) -> dict[str, int]:
        raise RuntimeError("it is not written")


@agent
async def returning_mute() -> int:
    """Return something that cannot be shown."""
    return Mute()  # type: ignore[return-value]


@agent
async def returning_stubborn() -> Stubborn:
    """Return something that cannot be written."""
    return Stubborn()


def beside(one: Any) -> Job:
    """Return a job in which an agent works beside one that is fine."""
    job = Job("beside", goal="Be disturbed", defaults=Resilience(attempts=1))
    job.phase("both", agents=[fine, one])
    return job


@pytest.mark.parametrize(
    "job",
    [
        raising(Speechless(), plain=False),
        raising(Speechless(), plain=True),
        raising(Furious(), plain=False),
        beside(returning_mute),
        beside(returning_stubborn),
    ],
    ids=[
        "text is None",
        "text is None, in a thread",
        "text fails",
        "output cannot be shown",
        "output cannot be written",
    ],
)
def test_what_fails_while_a_failure_is_noted_ends_only_its_agent(job: Job) -> None:
    """The first ended the whole run, with a group of exceptions."""
    result = ran(job)

    assert (result.status, result.output) == (RunStatus.PARTIAL, {"both/fine": "fine"})
    assert len(result.missing) == 1


def test_a_report_that_cannot_be_written_costs_the_report_only(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")
    job = Job("one", goal="Be fine")
    job.phase("one", agent=fine)
    result = ran(job, out=taken / "report")

    assert (result.status, result.output, result.report) == (RunStatus.COMPLETED, "fine", None)


@pytest.mark.skipif(os.name == "nt" or (os.geteuid() == 0 and not Path("/proc").exists()), reason="needs a file system")
def test_a_folder_that_is_no_folder_is_refused_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(
        "from pathlib import Path\nfrom echelon import Job, agent\n"
        "@agent\ndef touch() -> int:\n    '''Touch.'''\n    Path('touched').touch()\n    return 1\n"
        "one = Job('one', goal='Touch')\none.phase('one', agent=touch)\n"
    )
    (tmp_path / "file").touch()
    line = [sys.executable, "-m", "echelon", "run", "one.py:one", "--out", "file"]
    ended = subprocess.run(
        line, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )

    assert (ended.returncode, "--out file is a file; give a folder" in ended.stderr) == (2, True)
    assert not (tmp_path / "touched").exists()


def test_a_fallback_with_a_fallback_of_its_own_is_refused_where_the_job_is_written() -> None:
    """It would not be tried, and that was not said."""

    @agent(fallback=Fallback.default("none"))
    async def second() -> str:
        return "second"

    @agent(fallback=second)
    async def first() -> str:
        return "first"

    job = Job("falling", goal="Fall back")
    with pytest.raises(InvalidJob, match=r"'second' has a fallback of its own, which would not be tried; list all"):
        job.phase("one", agent=first)
