"""Programs read what is printed: stdout has the result and nothing else, whatever agents write (X7)."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.sides import clean_environment

JOB = """
import logging, os, subprocess, sys
from echelon import Job, agent

@agent
def in_a_thread() -> int:
    '''Write in every way.'''
    print("printed")
    sys.stdout.write("written\\n")
    os.write(1, b"to descriptor 1\\n")
    subprocess.run(["echo", "from a child"], check=True)
    logging.getLogger("x").warning("logged")
    return 1

@agent
async def on_the_loop() -> int:
    '''Write in every way.'''
    print("printed")
    os.write(1, b"to descriptor 1\\n")
    return 1

@agent(cpu_bound=True)
def elsewhere() -> int:
    '''Write in every way.'''
    print("printed")
    os.write(1, b"to descriptor 1\\n")
    subprocess.run(["echo", "from a child"], check=True)
    return 1

@agent
def reading() -> str:
    '''Read what the shell has.'''
    return sys.stdin.read() + os.read(0, 100).decode() + subprocess.run(["cat"], capture_output=True, text=True).stdout

noisy = Job("noisy", goal="Write and read in every way")
noisy.phase("all", agents=[in_a_thread, on_the_loop, elsewhere, reading])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "noisy.py").write_text(JOB)
    return tmp_path


def echelon(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "echelon", *arguments],
        cwd=folder,
        env=clean_environment(ECHELON_HOME=str(folder / "home"), ECHELON_PICTURE="false", **environment),
        input="what the shell has",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_result_of_agents_that_write_and_read_everywhere_is_one_json_document(folder: Path) -> None:
    ended = echelon(folder, "run", "noisy.py:noisy", "--json")

    document = json.loads(ended.stdout)
    assert document["output"] == {"all/in_a_thread": 1, "all/on_the_loop": 1, "all/elsewhere": 1, "all/reading": ""}
    assert ended.stderr.count("to descriptor 1") == 3
    assert ended.stderr.count("from a child") == 2


@pytest.mark.parametrize("columns", ["60", "80"])
def test_ids_and_commands_are_left_whole_in_a_narrow_pipe(folder: Path, columns: str) -> None:
    ran = echelon(folder, "run", "noisy.py:noisy", COLUMNS=columns)
    run_id = re.findall(r"noisy-\d{8}-\d{6}-[0-9a-f]{8}", ran.stdout)[0]

    assert f"echelon show {run_id} --output" in ran.stdout
    assert run_id in echelon(folder, "runs", COLUMNS=columns).stdout


def test_a_narrow_pipe_gets_narrow_tables(folder: Path) -> None:
    narrow, wide = (echelon(folder, "plan", "noisy.py:noisy", COLUMNS=columns).stdout for columns in ("60", "200"))

    assert max(map(len, narrow.splitlines())) <= 60 < max(map(len, wide.splitlines()))
