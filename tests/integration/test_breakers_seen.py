"""F1: what breakers do is seen in the record of a run, and a person's hand reaches a run at work; real processes."""

import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SharedServer
from tests.integration.test_cli import Terminal
from tests.own_redis import Server, eventually, own_redis

pytestmark = [pytest.mark.engine]

JOBS = """
import socket

from pydantic import BaseModel

from echelon import Job, Resilience, agent
from echelon.model.errors import DependencyFailed
from echelon.model.policy import BreakerPolicy


class Inputs(BaseModel):
    port: int = 0


FIRM = Resilience(attempts=1, breaker_policy=BreakerPolicy(consecutive_failures=3, open_seconds=600, open_jitter=0))


@agent(breaker="openai")
async def ask(item: int) -> int:
    "Ask a provider that is down."
    raise DependencyFailed("it is down", passing=True)


@agent(breaker="openai")
def hold(inputs: Inputs) -> int:
    "Ask a provider that is there, and take as long as the test wants."
    with socket.create_connection(("127.0.0.1", inputs.port)) as line:
        return len(line.recv(1))


@agent(breaker="openai")
async def conclude() -> int:
    "Ask again."
    return 1


@agent
async def alone(item: int) -> int:
    "Need nobody."
    return item


def numbers(inputs: Inputs) -> list[int]:
    return list(range(6))


down = Job("down", goal="Ask", inputs=Inputs, defaults=FIRM)
down.phase("ask", each=ask, over=numbers)

held = Job("held", goal="Ask", inputs=Inputs, defaults=FIRM)
held.phase("hold", agent=hold)
held.phase("conclude", agent=conclude, needs={"hold": "loose"})

without = Job("without", goal="Do it alone", inputs=Inputs)
without.phase("alone", each=alone, over=numbers)
"""


@pytest.fixture
def echelon(tmp_path: Path, shared_server: SharedServer) -> Iterator[Terminal]:
    project = tmp_path / "project"
    (project / "flows").mkdir(parents=True)
    (project / "flows" / "__init__.py").touch()
    (project / "flows" / "asking.py").write_text(JOBS)
    (project / "pyproject.toml").touch()
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ECHELON_"))}
    mine |= {"ECHELON_HOME": str(tmp_path / "home"), "PREFECT_PROFILES_PATH": str(tmp_path / "no-profiles.toml")}
    terminal = Terminal(project, mine | shared_server.client)
    yield terminal
    terminal.end()


@pytest.fixture
def redis(echelon: Terminal, tmp_path: Path) -> Iterator[Server]:
    with own_redis(tmp_path) as server:
        echelon.environment["ECHELON_REDIS_URL"] = server.url
        yield server


def told(echelon: Terminal, run_id: str) -> list[str]:
    """Return what a run has pushed upwards about breakers."""
    reports = echelon.json("exceptions", run_id)["exceptions"]
    return [report["message"] for report in reports if report["trigger"] == "breaker"]


def test_a_breaker_that_opens_is_in_the_exceptions_and_in_the_record_of_the_run(echelon: Terminal) -> None:
    run_id = echelon.json("run", "flows/asking.py:down", code=1)["run_id"]

    (message,) = told(echelon, run_id)
    assert message.startswith("breaker 'openai' is open, calls are refused: 3 failures in a row, the last with")
    assert "next probe in" in message
    (shown,) = echelon.json("show", run_id)["breakers"]
    assert (shown["opened"], shown["state"], shown["shared"]) == (1, "open", "process")
    assert "openai opened 1 time, open" in echelon("show", run_id).stdout


def test_a_run_without_breakers_shows_none(echelon: Terminal) -> None:
    run_id = echelon.json("run", "flows/asking.py:without")["run_id"]

    assert told(echelon, run_id) == []
    assert echelon.json("show", run_id)["breakers"] == []
    assert re.search("^breakers", echelon("show", run_id).stdout, re.MULTILINE) is None


def test_a_run_at_work_takes_notice_of_a_hand_and_goes_on_after_the_reset(echelon: Terminal, redis: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        run = echelon.start("run", "flows/asking.py:held", "--param", f"port={listener.getsockname()[1]}", "--json")
        line = listener.accept()[0]  # the run is at work
        run_id = echelon.json("runs")["runs"][0]["run_id"]
        echelon("breakers", "isolate", "openai", "--reason", "it moves", "--by", "ann")
        eventually(lambda: len(told(echelon, run_id)) == 1, 60)
        assert "calls are refused to: openai" in echelon("doctor").stdout
        echelon("breakers", "reset", "openai")
        eventually(lambda: len(told(echelon, run_id)) == 2, 60)
        line.sendall(b"!")
        line.close()
        out, err = run.communicate(timeout=100)

    assert (run.returncode, json.loads(out)["missing"]) == (0, []), err
    assert told(echelon, run_id) == [
        "breaker 'openai' is isolated by ann: it moves; calls are refused until it is reset",
        "breaker 'openai' is closed, calls are let through again",
    ]
    assert "openai was isolated 1 time, closed; shared through redis" in echelon("show", run_id).stdout


def test_what_one_run_learnt_and_a_person_wants_holds_for_the_runs_of_other_processes(
    echelon: Terminal, redis: Server
) -> None:
    echelon("run", "flows/asking.py:down", code=1)
    (learnt,) = echelon.json("breakers")["breakers"]
    echelon("breakers", "isolate", "openai", "--reason", "it moves", "--by", "ann")
    refused = echelon.json("run", "flows/asking.py:down", code=1)

    assert (learnt["name"], learnt["state"], learnt["trips"]) == ("openai", "open", 1)
    assert "isolated by ann: it moves" in json.dumps(told(echelon, refused["run_id"]))
