"""What integration tests share: a place on this machine with a home, a project and a Prefect server of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from echelon.engine.server.kept import LocalServer
from echelon.engine.server.secret import CLIENT_VARIABLE, read_secret
from echelon.journal.failpoints import AT
from tests.unit.audit.building import git, tree

#: What a process may take to end when it is asked to, in seconds; a worker of Prefect gives what it runs 30.
END_SECONDS = 60

#: A little package, and what is wrong with it.
SHOP: dict[str, str | bytes] = {
    "shop/__init__.py": "",
    "shop/prices.py": '"""Prices."""\n\n\ndef total(prices):\n    """Add up."""\n    return sum(prices)\n',
    "shop/orders.py": "from shop.prices import total\n\n\ndef pay(order):\n    return eval(order), total([1])\n",
}


Called = subprocess.CompletedProcess[str]

#: Runs `echelon` with arguments, killed `at` a failpoint if that is said, with more variables by their names.
Echelon = Callable[..., Called]


def calling(folder: Path, **settings: str) -> Echelon:
    """Return what runs `echelon` in a folder, with a home in it and without Prefect's picture."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ECHELON_"))}
    mine |= {"ECHELON_HOME": str(folder / "home"), "ECHELON_PICTURE": "false"} | settings

    def call(*arguments: str, at: str = "", **more: str) -> Called:
        return subprocess.run(
            [sys.executable, "-m", "echelon", *arguments],
            cwd=folder,
            env=mine | more | ({AT: at} if at else {}),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    return call


def project(tmp_path: Path, job: str) -> Path:
    """Make a folder that has a job, beside the home of its runs."""
    made = tmp_path / "project"
    made.mkdir()
    (made / "jobs.py").write_text(job)
    return made


@pytest.fixture
def echelon(tmp_path: Path) -> Echelon:
    """What runs `echelon` beside its home; tests that need more have one of their own."""
    return calling(tmp_path)


def document(said: Called, code: int = 0) -> Any:
    """Return the document that was printed, when it ended as it should."""
    assert said.returncode == code, said.stderr
    return json.loads(said.stdout)


def printed(said: Called) -> Any:
    """Return the document that was printed, however it ended."""
    assert said.stdout, said.stderr
    return json.loads(said.stdout)


@dataclass
class Place:
    """A project in a folder, a home and the API of a Prefect server; and commands that are run with all of them."""

    home: Path
    project: Path
    url: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its processes: nothing of the machine's Prefect, the server of this place."""
        mine = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ECHELON_"))}
        own = {"ECHELON_HOME": str(self.home), "PREFECT_HOME": str(self.home / "prefect"), "DO_NOT_TRACK": "1"}
        own |= {"PREFECT_PROFILES_PATH": str(self.home / "no-profiles.toml"), "PREFECT_WORKER_QUERY_SECONDS": "2"}
        if self.url:
            own |= {"PREFECT_API_URL": self.url, CLIENT_VARIABLE: read_secret(self.home / "prefect")}
        return mine | own

    def command(self, program: str, *arguments: str) -> list[str]:
        return [sys.executable, str(Path(sysconfig.get_path("scripts")) / program), *arguments]

    def run(self, program: str, *arguments: str, folder: Path | None = None) -> str:
        """Run a command to its end; return what it printed."""
        done = subprocess.run(
            self.command(program, *arguments),
            cwd=folder or self.project,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, program: str, *arguments: str, folder: Path | None = None) -> Any:
        return json.loads(self.run(program, *arguments, "--json", folder=folder))

    @contextlib.contextmanager
    def running(self, program: str, *arguments: str, log: Path) -> Iterator[None]:
        """Keep a command running inside the block; then stop it as Ctrl-C does, and see that it leaves nothing."""
        before = self.processes()
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.command(program, *arguments),
                cwd=self.home,  # not the project: what is run has to find it without
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield
            process.send_signal(signal.SIGINT)
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                children = [" ".join(one.cmdline()) for one in psutil.Process(process.pid).children(recursive=True)]
                pytest.fail(f"it did not end within {END_SECONDS} s; its children: {children}; {log.read_text()}")
            assert self.left_behind(before) == []
        finally:
            for left in set(self.processes()) - set(before):
                left.kill()
            process.wait()

    def another_project(self, folder: Path) -> Path:
        """Make a new project under git, with a package in it that has a flaw."""
        self.run("echelon", "init", str(folder), "--template", "audit", folder=self.home)
        tree(folder, SHOP)
        git(folder, "init", "-q")
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", "first")
        return folder

    def left_behind(self, before: Collection[psutil.Process] = ()) -> list[psutil.Process]:
        """Return the processes that were not there before and do not end: who draws a picture ends soon after it."""
        deadline = time.monotonic() + END_SECONDS
        while (left := [one for one in self.processes() if one not in before]) and time.monotonic() < deadline:
            time.sleep(0.2)
        return left

    def processes(self) -> list[psutil.Process]:
        """Return the processes that belong to this place."""
        return [process for process in psutil.process_iter() if self._is_mine(process)]

    def _is_mine(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error, OSError):
            told = [*process.cmdline(), process.environ().get("ECHELON_HOME", "")]
            return process.status() != psutil.STATUS_ZOMBIE and any(str(self.home) in text for text in told)
        return False


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A new project with a package to audit in it, and a kept server; nothing is left of them at the end."""
    folder = tmp_path_factory.mktemp("served")
    place = Place(home=folder / "home", project=folder / "project")
    place.home.mkdir()
    place.another_project(place.project)
    server = LocalServer(place.home)
    place.url = server.up(port=0)[0].url
    try:
        yield place
    finally:
        server.down()
    assert place.left_behind() == []


def approved(echelon: Echelon, waits: Any) -> Any:
    """Let everything begin that a run waits with for a person, and return the document of its end."""
    assert waits["status"] == "waiting", waits
    said = echelon("gates", "approve", "--run", waits["run_id"], "--reason", "looked at")
    assert said.returncode == 0, said.stderr
    return document(echelon("resume", waits["run_id"], "--json"))
