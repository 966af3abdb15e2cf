"""Trouble with Prefect costs the picture of a run: not its work, not its result, not its time (design: "showing")."""

import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from benchmarks.sides import clean_environment
from echelon.engine.picture.request import requests_folder
from echelon.engine.server.database import database_file, version_file
from echelon.engine.server.kept import LocalServer
from echelon.settings import Settings

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

JOB = """
from echelon import Job, agent

@agent
async def look() -> int:
    '''Look.'''
    return 7

looking = Job("looking", goal="Look")
looking.phase("look", agent=look)
"""

#: A whole process, with the start of Python, may take so long before the test is stopped, in seconds; it takes one.
PATIENCE_SECONDS = 40


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "looking.py").write_text(JOB)
    yield tmp_path
    kept = LocalServer(tmp_path / "home").running()
    if kept is not None:
        psutil.Process(kept.pid).kill()  # it may be stopped, and deaf to anything else
    for process in psutil.process_iter():  # who still tries to draw for this home
        with contextlib.suppress(psutil.Error):
            if process.environ().get("ECHELON_HOME") == str(tmp_path / "home"):
                process.kill()


def echelon(folder: Path, *line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "echelon", *line],
        cwd=folder,
        env=clean_environment(ECHELON_HOME=str(folder / "home"), **environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def garbage(home: Path) -> None:
    file = database_file(home / "prefect")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no database" * 1000)


def of_a_newer_version(home: Path) -> None:
    file = database_file(home / "prefect")
    file.parent.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('ffffffffffff')")
        database.commit()
    version_file(file).write_text(json.dumps({"prefect": "99.0.0"}))


def in_the_way(home: Path) -> None:
    (home / "prefect").mkdir(parents=True)
    (home / "prefect" / "pictures").touch()


def killed(home: Path) -> None:
    server, _ = LocalServer(home).up(0)
    psutil.Process(server.pid).kill()


def frozen(home: Path) -> None:
    server, _ = LocalServer(home).up(0)
    psutil.Process(server.pid).send_signal(signal.SIGSTOP)


@pytest.mark.parametrize("spoil", [of_a_newer_version, in_the_way, killed, frozen])
def test_a_run_is_carried_out_and_says_its_result(folder: Path, spoil: Callable[[Path], None]) -> None:
    spoil(folder / "home")

    ended = echelon(folder, "run", "looking.py:looking", "--json")

    assert (ended.returncode, json.loads(ended.stdout)["output"]) == (0, 7), ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.splitlines()) <= 6


def test_what_stands_in_the_way_of_a_picture_is_said_until_it_has_passed(folder: Path) -> None:
    garbage(folder / "home")
    run_id = json.loads(echelon(folder, "run", "looking.py:looking", "--json").stdout)["run_id"]
    settings = Settings(home=folder / "home")
    trouble = requests_folder(settings) / f".{run_id}.trouble"
    for _ in range(300):
        if trouble.exists():
            break
        time.sleep(0.1)

    shown, doctor = echelon(folder, "show", run_id), echelon(folder, "doctor")

    assert "does not show it yet: " in shown.stdout
    assert "Prefect does not show 1 run: " in doctor.stdout
    assert doctor.returncode == 1
