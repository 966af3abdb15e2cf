"""What agents log, print and write to stderr is shown by `echelon show RUN AGENT --log`, whoever they are."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

JOB = """
import logging

from prefect import get_run_logger
from pydantic import BaseModel

from echelon import Handoffs, Job, agent, command

log = logging.getLogger("my.agents")


class Inputs(BaseModel):
    n: int


def items(n: int) -> list[int]:
    return list(range(n))


@agent
async def look(item: int) -> int:
    "Look at an item."
    log.info("looking at %d", item)
    print("seen", item)
    get_run_logger().warning("prefect hears %d", item)
    return item


@agent(cpu_bound=True)
def crunch(found: Handoffs[int]) -> int:
    "Add up."
    print("crunching", len(found))
    return sum(found.outputs())


wild = command(["sh", "-c", "for i in $(seq 3000); do echo line $i >&2; done; echo 1"], name="wild", output=int)
telling = ["sh", "-c", "echo the key is $MY_API_KEY >&2; echo 1"]
secret = command(telling, name="secret", output=int, env=["MY_API_KEY"])

logs = Job("logs", goal="Log", inputs=Inputs)
logs.phase("look", each=look, over=items)
logs.phase("next", agents=[crunch, wild, secret], needs="look")
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("logs")
    (folder / "logs.py").write_text(JOB)
    settings = {"ECHELON_HOME": str(folder / "home"), "ECHELON_PICTURE": "false", "MY_API_KEY": "hush-hush-hush"}

    def echelon(*arguments: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "echelon", *arguments, "--json"],
            cwd=folder,
            env=os.environ | settings,
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)  # what agents print is never mixed into it

    run_id = echelon("run", "logs.py:logs", "--param", "n=2")["run_id"]
    return lambda agent: echelon("show", run_id, agent, "--log")["log"]


def test_logging_and_prints_of_an_agent_are_its_log(ran: Any) -> None:
    lines = [(line["source"], line["message"]) for line in ran("look/1")]

    assert lines == [
        ("logging", "my.agents: looking at 1"),
        ("stdout", "seen 1"),
        ("logging", "prefect.task_runs: prefect hears 1"),
    ]


def test_an_agent_in_a_process_of_its_own_is_heard(ran: Any) -> None:
    assert [line["message"] for line in ran("crunch")] == ["crunching 2"]


def test_a_command_that_goes_wild_is_cut_off_and_says_so(ran: Any) -> None:
    lines = ran("wild")

    assert [line["message"] for line in lines[:2]] == ["line 1", "line 2"]
    assert len(lines) <= 1_001
    assert "lines left out" in lines[-1]["message"]


def test_secrets_of_the_environment_are_not_kept(ran: Any) -> None:
    assert [line["message"] for line in ran("secret")] == ["the key is [secret]"]


def test_the_log_of_nobody_is_refused(ran: Any) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        ran("somebody")

    assert refused.value.returncode == 2
    assert "has no agent 'somebody'" in refused.value.stderr
