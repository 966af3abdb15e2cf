"""A run is taken from a live process by nobody but a person: no step of the clock, no reused number does it (F8)."""

import asyncio
import json
import os
import time
from pathlib import Path

import psutil
import pytest

from echelon.cli.main import main
from echelon.journal.holder import began_at, is_dead, this_process
from echelon.journal.journal import SqlJournal
from echelon.model.errors import LeaseLost
from echelon.model.session import Session
from echelon.settings import Settings
from echelon.testing.run_events import NOON, run_started, step_ended


def session(**changes: object) -> Session:
    named = {"run_id": "r1", "token": 1, "began": NOON, "seen": NOON} | vars(this_process()) | changes
    return Session.model_validate(named)


def test_a_process_is_known_by_when_it_began_since_the_machine_did() -> None:
    """The clock may be set: seconds since 1970 are computed from it, for processes that have long begun too."""
    assert began_at(os.getpid()) < time.monotonic() + 1e6
    assert not is_dead(session())


@pytest.mark.parametrize("off_seconds", [-3.0, -1.0, 1.0, 3.0])
def test_another_process_with_the_same_number_is_another_one(off_seconds: float) -> None:
    assert is_dead(session(process_started=began_at(os.getpid()) + off_seconds))


def test_a_session_that_an_older_version_noted_by_the_clock_is_understood() -> None:
    noted = psutil.Process().create_time()

    assert not is_dead(session(process_started=noted))
    assert is_dead(session(process_started=noted - 60))


def test_a_number_that_no_process_has_is_dead() -> None:
    assert is_dead(session(pid=2**22 - 1))


@pytest.mark.parametrize("as_json", [False, True])
def test_a_person_may_release_a_run_and_its_process_writes_nothing_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path))

    async def held() -> int:
        async with SqlJournal.open(Settings()) as journal:
            await journal.append(run_started("r1"))
            async with journal.holding("r1", 3600):
                code = await asyncio.to_thread(main, ["release", "r1", *(["--json"] if as_json else [])])
                with pytest.raises(LeaseLost):
                    await journal.append(step_ended(run_id="r1"))
            return code

    assert asyncio.run(held()) == 0
    said = capsys.readouterr().out
    if as_json:
        assert json.loads(said) == {"run_id": "r1", "was_held": True}
    else:
        assert "r1: released (it was held; what its process still writes is refused)" in said


def test_a_run_that_nobody_holds_may_be_released_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path))

    async def started() -> None:
        async with SqlJournal.open(Settings()) as journal:
            await journal.append(run_started("r1"))

    asyncio.run(started())

    assert main(["release", "r1"]) == 0
    assert "no process held it" in capsys.readouterr().out
    assert main(["release", "r9"]) == 2
