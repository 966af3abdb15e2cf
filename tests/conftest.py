"""What tests of real runs share: one embedded Prefect server for all of them that run in this process."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

from echelon.engine.server.handle import EmbeddedServer
from echelon.engine.server.secret import CLIENT_VARIABLE, read_secret

# What the caller's shell and git say is theirs: the tests say themselves what they need.
for _name in [name for name in os.environ if name.startswith(("ECHELON_", "PREFECT_", "XDG_", "GIT_"))]:
    if not _name.startswith("ECHELON_TEST_"):
        del os.environ[_name]
os.environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
# Readline says in the environment of every process below pytest how wide its terminal is, or that it has none.
for _name in ("COLUMNS", "LINES"):
    os.environ.pop(_name, None)

# Who starts the tests in the background of a shell ignores Ctrl-C, and so would every process that they stop by it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# A sample that fits into the time of the suite; HYPOTHESIS_EXAMPLES=1000 looks longer.
hypothesis.settings.register_profile("sample", max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "50")))
hypothesis.settings.load_profile("sample")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass(frozen=True)
class SharedServer:
    """A server that is up, and the environment of those who run on it."""

    home: Path
    url: str
    environment: dict[str, str]

    @property
    def client(self) -> dict[str, str]:
        """What another process needs to use it as a server that somebody configured, as its environment."""
        return {"PREFECT_API_URL": self.url, CLIENT_VARIABLE: read_secret(self.home / "prefect")}


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedServer]:
    """Keep one embedded server up; a run in its home takes it instead of starting another."""
    home = tmp_path_factory.mktemp("engine") / "home"
    before = dict(os.environ)
    with pytest.MonkeyPatch.context() as patched:
        for name in [name for name in before if name.startswith("PREFECT_")]:
            patched.delenv(name)
        patched.setenv("PREFECT_PROFILES_PATH", str(home / "profiles.toml"))
        server = EmbeddedServer.of(home).start()
        during = dict(os.environ) | {"ECHELON_HOME": str(home)}
        server.wait_ready()
        os.environ.clear()  # other tests must not find this server
        os.environ.update(before)
        yield SharedServer(home=home, url=server.url, environment=during)
        server.stop()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def engine(shared_server: SharedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SharedServer:
    """Let jobs of this test run on the shared server, with the records of earlier tests left alone."""
    for name in [name for name in os.environ if name.startswith(("PREFECT_", "ECHELON_"))]:
        monkeypatch.delenv(name)
    for name, value in shared_server.environment.items():
        if name.startswith(("PREFECT_", "ECHELON_", "DO_NOT_TRACK")):
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return shared_server
