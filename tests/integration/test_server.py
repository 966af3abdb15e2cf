"""The Prefect server behind a run: real server processes in a temporary home."""

import asyncio
import contextlib
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest
from prefect import flow, task

from echelon.engine.server import settings
from echelon.engine.server.database import database_file
from echelon.engine.server.handle import EmbeddedServer, ServerKind, resolve_server
from echelon.engine.server.kept import LocalServer
from echelon.engine.server.secret import read_credentials
from echelon.engine.server.spawn import listen
from echelon.engine.server.trust import is_trusted, trust
from echelon.model.errors import ServerError

pytestmark = [pytest.mark.engine]

#: A whole run in an interpreter of its own: start, flow, stop.
RUN = """
import asyncio, sys
from pathlib import Path
from echelon.engine.server.handle import resolve_server
with resolve_server(Path(sys.argv[1])) as server:
    assert "prefect" not in sys.modules, "the server boots while Prefect is imported"
    from prefect import flow, task
    @task
    async def one(): return 1
    @flow
    async def trivial(): return await one()
    server.wait_ready()
    with server.connected():
        result = asyncio.run(trivial())
    {meanwhile}
"""


@task
async def wait(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


@flow
async def domain(seconds: float, tasks: int) -> int:
    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(wait(seconds))
    return tasks


# With a storage of its own the flow does not ask the server for one, over a client that Prefect leaves open.
@flow(result_storage=Path("results"), persist_result=False)
async def organisation(domains: int, seconds: float, tasks: int) -> int:
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(domain(seconds, tasks)) for _ in range(domains)]
    return sum(done.result() for done in running)


@pytest.fixture(autouse=True)
def nothing_configured(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(tmp_path / "profiles.toml"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def home(tmp_path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def local(home):
    server = LocalServer(home)
    yield server
    server.down()


def run_script(script: str, home: Path, **options) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(
        [sys.executable, "-c", script, str(home)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def count(api_url: str, what: str, home: Path) -> int:
    credentials = read_credentials(home / "prefect")
    response = httpx.post(f"{api_url}/{what}/count", json={}, auth=credentials, trust_env=False)
    response.raise_for_status()
    return response.json()


def ended(pid: int, within_seconds: float = 10) -> bool:
    try:
        psutil.Process(pid).wait(within_seconds)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


@contextlib.contextmanager
def http_statuses():
    """Collect the status of every HTTP response that any client of this process gets."""
    statuses: list[int] = []

    class Collect(logging.Handler):
        def emit(self, record):
            statuses.extend(int(code) for code in re.findall(r"HTTP/1.1 (\d+)", record.getMessage()))

    logger = logging.getLogger("httpx")
    level, handler = logger.level, Collect()
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield statuses
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def test_a_server_is_spawned_before_prefect_is_imported_and_a_run_says_nothing_on_the_console(home):
    output, errors = run_script(RUN.format(meanwhile=""), home).communicate(timeout=90)

    assert (output, errors) == ("", "")


def test_eight_subflows_at_once_meet_no_locked_database_and_all_is_recorded_when_the_server_has_stopped(home):
    with resolve_server(home) as server, http_statuses() as statuses:
        server.wait_ready()
        with server.connected():
            started = time.perf_counter()
            assert asyncio.run(organisation(8, 0.5, 12)) == 96
            print(f"8 subflows of 12 tasks of 0.5 s: {time.perf_counter() - started:.1f} s")
        assert server.lasting

    assert len(statuses) > 8 * 5
    assert [code for code in statuses if code >= 500] == []
    with resolve_server(home) as server:
        server.wait_ready()

        assert count(server.url, "flow_runs", home) == 8 + 1
        assert count(server.url, "task_runs", home) == 96 + 8  # a subflow has a task run of its own in its parent


def test_the_server_ends_when_its_parent_is_killed(home):
    run = run_script(RUN.format(meanwhile="print(server.pid, flush=True); input()"), home)
    server_pid = int(run.stdout.readline())
    run.send_signal(signal.SIGKILL)
    run.communicate()

    assert ended(server_pid)


def test_the_server_ends_with_its_parent_when_its_home_was_removed(home):
    run = run_script(RUN.format(meanwhile="print(server.pid, flush=True); input()"), home)
    server_pid = int(run.stdout.readline())
    shutil.rmtree(home)
    run.send_signal(signal.SIGKILL)
    run.communicate()

    assert ended(server_pid)


def test_the_server_ends_when_its_parent_is_killed_while_it_starts(home):
    script = RUN.replace("server.wait_ready()", "print(server.pid, flush=True); input()")
    run = run_script(script.format(meanwhile=""), home)
    server_pid = int(run.stdout.readline())
    run.send_signal(signal.SIGKILL)
    run.communicate()

    assert ended(server_pid)


def test_two_processes_in_one_home_run_at_once(home):
    other = run_script(RUN.format(meanwhile="print(server.lasting, flush=True); input()"), home)
    assert other.stdout.readline() == "True\n"
    with resolve_server(home) as server:
        server.wait_ready()
        with server.connected():
            assert asyncio.run(organisation(1, 0.0, 3)) == 3

        assert not server.lasting
    other.communicate("\n", timeout=60)
    assert other.returncode == 0


def test_runs_of_one_process_share_one_server_until_the_last_has_stopped(home):
    before = dict(os.environ)
    with resolve_server(home) as first:
        with resolve_server(home) as second:
            assert second.pid == first.pid
        pid = first.pid
        first.wait_ready()

        assert psutil.pid_exists(pid)
        assert os.getpgid(pid) != os.getpgid(0)  # Ctrl-C in the terminal of the run does not reach it
    assert ended(pid, 0.1)
    assert dict(os.environ) == before


def test_the_environment_is_given_back(home):
    before = dict(os.environ)
    changed = settings.configure(home, "http://127.0.0.1:1/api")
    assert os.environ["PREFECT_API_URL"] == "http://127.0.0.1:1/api"
    settings.restore(changed)

    assert dict(os.environ) == before


def test_what_the_user_has_set_is_kept(home, monkeypatch):
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "DEBUG")
    before = settings.configure(home, "http://127.0.0.1:1/api")

    assert os.environ["PREFECT_LOGGING_LEVEL"] == "DEBUG"
    settings.restore(before)


def test_a_server_that_cannot_start_shows_the_end_of_its_log(home):
    file = database_file(home / "prefect")
    file.parent.mkdir(parents=True)
    file.write_text("this is not a database")
    with resolve_server(home) as server, pytest.raises(ServerError) as caught:
        server.wait_ready()

    assert "file is not a database" in str(caught.value)
    assert "echelon doctor" in str(caught.value)


def test_the_configured_server_is_used_and_named_when_it_cannot_be_reached(home, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    started = time.perf_counter()
    with resolve_server(home) as server, pytest.raises(ServerError) as caught:
        server.wait_ready()

    assert time.perf_counter() - started < 3
    assert server.kind is ServerKind.CONFIGURED
    assert "http://127.0.0.1:9/api" in str(caught.value)
    assert "environment variable PREFECT_API_URL" in str(caught.value)
    assert "start that server" in str(caught.value)


#: Files of the working folder in which Prefect reads settings.
IN_FOLDER = {
    ".env": "PREFECT_API_URL=http://me:hunter22@there/api\n",
    "prefect.toml": '[api]\nurl = "http://me:hunter22@there/api"\n',
    "pyproject.toml": '[tool.prefect.api]\nurl = "http://me:hunter22@there/api"\n',
}


@pytest.mark.parametrize(("file", "text"), IN_FOLDER.items())
def test_files_in_a_folder_choose_no_server_until_it_is_trusted(tmp_path, home, file, text, caplog):
    """Whoever can put one there would choose who gets the inputs and logs of runs."""
    (tmp_path / file).write_text(text)

    assert resolve_server(home).kind is ServerKind.EMBEDDED
    assert "the Prefect server http://me:[secret]@there/api is not used" in caplog.text
    assert file in caplog.text
    assert "--trust-folder" in caplog.text

    trust(home, tmp_path / ".." / tmp_path.name)
    (tmp_path / "elsewhere").mkdir()
    assert resolve_server(home).kind is ServerKind.CONFIGURED
    assert not is_trusted(home, tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("profiles.toml", 'active = "x"\n[profiles.x]\nPREFECT_API_URL = "http://there/api"\n'),
        *IN_FOLDER.items(),
    ],
)
def test_a_server_is_configured_wherever_prefect_reads_its_settings(tmp_path, home, file, text):
    (tmp_path / file).write_text(text)
    trust(home, tmp_path)
    server = resolve_server(home)

    assert (server.kind, server.url.replace("me:hunter22@", "")) == (ServerKind.CONFIGURED, "http://there/api")
    assert file in server.origin


def test_a_broken_profiles_file_configures_nothing(tmp_path, home):
    (tmp_path / "profiles.toml").write_text("][")

    assert resolve_server(home).kind is ServerKind.EMBEDDED


def test_a_database_that_the_user_names_is_used(home, tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", f"sqlite+aiosqlite:///{tmp_path}/own.db")
    with resolve_server(home) as server:
        server.wait_ready()

        assert server.lasting
    assert (tmp_path / "own.db").exists()


def test_a_kept_server_takes_a_free_port_and_is_used_by_runs_until_it_is_taken_down(local, home):
    with listen(0) as other:
        taken = other.getsockname()[1]
        kept, started = local.up(port=taken)
    assert started
    assert not kept.url.startswith(f"http://127.0.0.1:{taken}/")
    assert local.up(port=0) == (kept, False)
    assert httpx.get(kept.ui_url, trust_env=False, follow_redirects=True).status_code == 200
    with resolve_server(home) as server:
        server.wait_ready()
        with server.connected():
            assert asyncio.run(organisation(1, 0.0, 2)) == 2

        assert (server.kind, server.url) == (ServerKind.KEPT, kept.url)
    assert local.down() == kept
    assert ended(kept.pid, 0.1)
    assert local.down() is None
    assert resolve_server(home).kind is ServerKind.EMBEDDED


def test_a_kept_server_that_cannot_start_leaves_no_trace(local, home):
    file = database_file(home / "prefect")
    file.parent.mkdir(parents=True)
    file.write_text("this is not a database")
    with pytest.raises(ServerError, match="file is not a database"):
        local.up(port=0)

    assert local.running() is None


@pytest.mark.parametrize("state", [{"pid": os.getpid(), "created": 1.0}, {"pid": 2**22 + 1, "created": 1.0}, {}])
def test_a_state_file_that_a_crash_left_behind_is_removed(local, state):
    local.folder.mkdir(parents=True)
    if state:
        state |= {"url": "http://127.0.0.1:1/api", "started": "2026-01-01T00:00:00+00:00"}
    local.state_file.write_text(json.dumps(state))

    assert local.running() is None
    assert not local.state_file.exists()


def test_a_run_that_is_at_work_keeps_its_home_to_itself_and_no_other(shared_server, tmp_path):
    """A kept server is not started on the records of a run; another home has another server."""
    running = EmbeddedServer.of(shared_server.home)
    with pytest.raises(ServerError, match=f"server process {running.pid}"):
        LocalServer(shared_server.home).up(port=0)
    other = resolve_server(tmp_path / "other")

    assert (other.kind, other is running) == (ServerKind.EMBEDDED, False)
