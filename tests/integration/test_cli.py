"""The command line as people meet it: real processes, real signals, real Prefect servers."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SharedServer

pytestmark = [pytest.mark.engine]

#: Jobs that tell a test, over a socket, that an agent is at work; and leave a trace of every call.
JOBS = """
import asyncio
import os
import socket
import time
from pathlib import Path

from pydantic import BaseModel

from echelon import AgentFailed, Job, Resilience, agent


class Inputs(BaseModel):
    trace: Path
    port: int = 0
    n: int = 4
    held: int = 99


def at_work(inputs: Inputs, item: int) -> None:
    with inputs.trace.open("a") as file:
        file.write(f"{item}\\n")
    if item >= inputs.held and not (inputs.trace.parent / "released").exists():
        with socket.create_connection(("127.0.0.1", inputs.port)):
            pass


def items(inputs: Inputs) -> list[int]:
    return list(range(inputs.n))


@agent
async def nap(inputs: Inputs, item: int) -> int:
    "Go on for ever once held."
    at_work(inputs, item)
    if item >= inputs.held and not (inputs.trace.parent / "released").exists():
        await asyncio.sleep(3600)
    return item


@agent
def block(inputs: Inputs, item: int) -> int:
    "Hold a thread, which nobody can interrupt."
    at_work(inputs, item)
    time.sleep(3600)
    return item


@agent(cpu_bound=True)
def spin(inputs: Inputs, item: int) -> int:
    "Hold a process."
    at_work(inputs, item)
    time.sleep(3600)
    return item


@agent
async def odd(inputs: Inputs, item: int) -> int:
    "Refuse what is even."
    if item % 2 == 0:
        raise AgentFailed("even")
    return item


@agent
async def never(inputs: Inputs, item: int) -> int:
    "Refuse everything."
    raise AgentFailed("never")


def job(name, who):
    made = Job(name, goal="Try", inputs=Inputs, defaults=Resilience(attempts=1))
    made.phase("try", each=who, over=items)
    return made


napping, blocking, spinning = job("nap", nap), job("block", block), job("spin", spin)
halving, failing = job("odd", odd), job("never", never)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "flows").mkdir(parents=True)
    (root / "pyproject.toml").touch()
    (root / "flows" / "__init__.py").touch()
    (root / "flows" / "trying.py").write_text(JOBS)
    return root


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ECHELON_"))}
    return mine | {"ECHELON_HOME": str(tmp_path / "home"), "PREFECT_PROFILES_PATH": str(tmp_path / "no-profiles.toml")}


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(45)
        yield server


class Terminal:
    """A place to type commands in, with a process group for each as in a terminal."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "echelon", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def end(self) -> None:
        """End what a failed test left behind."""
        for process in self.started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()

    def __call__(self, *arguments: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
        process = self.start(*arguments)
        out, err = process.communicate(timeout=100)

        assert process.returncode == code, f"{out}\n{err}"
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def json(self, *arguments: str, code: int = 0):
        return json.loads(self(*arguments, "--json", code=code).stdout)


@pytest.fixture
def echelon(project: Path, environment: dict[str, str]) -> Iterator[Terminal]:
    terminal = Terminal(project, environment)
    yield terminal
    terminal.end()


@pytest.fixture
def served(project: Path, environment: dict[str, str], shared_server: SharedServer) -> Iterator[Terminal]:
    """A terminal whose runs find a server that is up: for what does not depend on whose server it is."""
    terminal = Terminal(project, environment | shared_server.client)
    yield terminal
    terminal.end()


def calls(project: Path) -> list[int]:
    return sorted(int(line) for line in (project / "trace").read_text().split())


IMPORTED = "import sys\nfrom echelon.cli.main import main\nmain(sys.argv[1:])\nprint('MODULES', *sys.modules)"


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--help"], {"prefect", "sqlalchemy", "httpx", "fsspec"}),
        (["plan", "--help"], {"prefect", "sqlalchemy", "httpx"}),
        (["plan", "flows/trying.py:napping", "--param", "trace=t"], {"prefect", "sqlalchemy", "httpx"}),
        (["runs"], {"prefect", "httpx"}),
        (["show", "nothing"], {"prefect", "httpx"}),
        (["concerns"], {"prefect", "httpx"}),
    ],
)
def test_commands_that_only_look_import_no_engine(project, environment, arguments, unwanted):
    answered = subprocess.run(
        [sys.executable, "-c", IMPORTED, *arguments],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    imported = set(answered.stdout.rpartition("MODULES")[2].split())
    assert not imported & unwanted


def test_a_run_is_one_json_document_and_can_be_looked_at_afterwards(echelon, project):
    result = echelon.json("run", "flows/trying.py:napping", "--param", "trace=trace", "--out", "report")

    run_id = result["run_id"]
    assert result["status"] == "completed"
    assert (project / "report" / "report.md").is_file()
    assert calls(project) == [0, 1, 2, 3]
    assert echelon.json("runs")["runs"][0]["run_id"] == run_id
    shown = echelon.json("show", run_id)
    assert shown["output"] == result["output"]
    assert shown["measures"] == result["measures"]


def test_a_phase_with_a_single_item_has_the_same_output_when_it_is_run_and_shown(served):
    result = served.json("run", "flows/trying.py:napping", "--param", "trace=trace", "--param", "n=1")

    assert result["output"] == {"try/0": 0}
    assert json.loads(served("show", result["run_id"], "--output").stdout) == result["output"]


@pytest.mark.parametrize(
    ("job", "code", "status", "why"),
    [
        ("halving", 3, "partial", r"  try/[02], try/[02]: even\n"),
        ("failing", 1, "failed", r"  4 agents: never; first: try/\d, try/\d, try/\d\n"),
    ],
)
def test_the_exit_code_says_how_a_run_ended_and_the_summary_says_why(served, job, code, status, why):
    said = served("run", f"flows/trying.py:{job}", "--param", "trace=trace", code=code)

    assert f": {status}" in said.stdout
    assert re.search(why, said.stdout)
    assert f"exit code   {code}" in said.stdout
    assert said.stderr.startswith("phase try: 4 agents\n")
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize(
    ("job", "number"),
    [
        ("napping", signal.SIGINT),
        ("blocking", signal.SIGINT),
        ("spinning", signal.SIGINT),
        ("spinning", signal.SIGTERM),
    ],
)
def test_a_signal_stops_a_run_in_seconds_and_says_how_to_go_on(echelon, listener, job, number):
    port = listener.getsockname()[1]
    process = echelon.start(
        "run", f"flows/trying.py:{job}", "--param", "trace=trace", "--param", f"port={port}", "--param", "held=0"
    )
    listener.accept()[0].close()

    began = time.monotonic()
    os.killpg(process.pid, number)
    out, err = process.communicate(timeout=30)

    assert time.monotonic() - began < 10
    assert (process.returncode, out) == (130, "")
    assert re.search(r"echelon resume (nap|block|spin)-[\w-]+\n$", err)
    assert "Traceback" not in err
    assert "prefect" not in err.lower()
    assert echelon.json("runs")["runs"][0]["status"] == "interrupted"


def test_a_stopped_run_goes_on_from_another_folder_without_repeating_what_is_done(served, project, listener, tmp_path):
    port = listener.getsockname()[1]
    process = served.start(
        "run",
        "flows/trying.py:napping",
        *("--param", "trace=trace", "--param", f"port={port}", "--param", "held=3", "--max-concurrency", "1", "--json"),
    )
    listener.accept()[0].close()
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    stopped = json.loads(out)
    (project / "released").touch()

    elsewhere = Terminal(tmp_path, served.environment)
    result = elsewhere.json("resume", stopped["run_id"])

    assert stopped["status"] == "interrupted"
    assert [missing["task_id"] for missing in stopped["missing"]] == ["try/3"]
    assert (result["run_id"], result["status"]) == (stopped["run_id"], "completed")
    assert calls(project) == [0, 1, 2, 3, 3]


def test_a_second_ctrl_c_stops_at_once(served, listener):
    port = listener.getsockname()[1]
    process = served.start(
        "run", "flows/trying.py:blocking", "--param", "trace=trace", "--param", f"port={port}", "--param", "held=0"
    )
    listener.accept()[0].close()
    assert process.stderr is not None
    process.send_signal(signal.SIGINT)
    while not process.stderr.readline().startswith("stopping"):
        pass
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)

    assert process.returncode in {1, 130}  # 1 when the first one was quicker
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ([], "serve needs either --cron '0 3 * * *' or --interval SECONDS, and not both"),
        (["--cron", "daily"], "--cron 'daily' is not a cron schedule"),
        (["--cron", "0 3 * * *", "--timezone", "Mars/Base"], "--timezone 'Mars/Base' is not known"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_wrong_use(echelon, options, line):
    said = echelon("serve", "flows/trying.py:napping", "--param", "trace=t", *options, code=2)

    assert line in said.stderr
    assert said.stderr.count("\n") == 1


def test_a_kept_server_is_started_once_and_ended(echelon):
    first = echelon.json("up", "--port", "4999")
    second = echelon.json("up")
    ended = echelon.json("down")

    assert (first["already"], second["already"]) == (False, True)
    assert first["url"] == second["url"] == ended["url"]
    assert echelon.json("down")["url"] is None


def test_a_port_that_is_taken_is_said_and_one_that_was_used_before_is_not(echelon):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = echelon("up", "--port", str(port)).stderr
        echelon("down")
    again = [echelon.json("up", "--port", str(port))["url"] for _ in range(2) if echelon("down")]
    echelon("down")

    assert f"{port} is taken" in said
    assert again == [f"http://127.0.0.1:{port}/api"] * 2  # also right behind the one before


def test_a_new_project_runs_at_once(tmp_path, environment):
    Terminal(tmp_path, environment)("init", "fresh", "--template", "audit")

    fresh = Terminal(tmp_path / "fresh", environment)
    planned = fresh.json("plan", "flows/audit.py:audit", "--param", "path=.")
    result = fresh.json("run", "flows/audit.py:audit", "--param", "path=.")

    assert result["status"] == "completed"
    assert result["measures"]["agents"] == planned["n_agents"]
