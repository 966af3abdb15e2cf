"""`echelon show RUN AGENT --messages`: what a model was asked and answered, for people and for machines."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

Echelon = Callable[..., subprocess.CompletedProcess[str]]

JOB = r'''
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel

from echelon import Job, agent, model_agent


class Inputs(BaseModel):
    n: int = 1


def answer(messages, info):
    """Call a tool, then answer; what it says would clear the screen, and pass for a line of ours."""
    if len(messages) == 1:
        calls = [ToolCallPart("weigh\x1b[2J", {"stone": 1}, "c1"), ToolCallPart("weigh", {"stone": 2}, "c2")]
        return ModelResponse(parts=calls)
    return ModelResponse(parts=[TextPart("\x1b[2J\rnine\n  response 12:00:00 \u202e· forged")], finish_reason="stop")


def refuse(messages, info):
    raise ConnectionError("the provider is away")


scales = Agent(FunctionModel(answer, model_name="double"), name="scales", system_prompt="You weigh.")


@scales.tool_plain
def weigh(stone: int) -> str:
    return "y" * 50_000


broken = model_agent(Agent(FunctionModel(refuse)), name="broken", attempts=1)
unasked = model_agent(Agent(FunctionModel(answer)), name="unasked", prompt=lambda call: 1 / 0, attempts=1)


@agent
async def count() -> int:
    "Count."
    return 1


shop = Job("shop", goal="Weigh stones", inputs=Inputs)
shop.phase("weigh", agents=[scales, broken, count, unasked])
quiet = Job("quiet", goal="Say nothing", transcripts=False)
quiet.phase("weigh", agent=scales)
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "shop.py").write_text(JOB)
    return folder


@pytest.fixture(scope="module")
def echelon(folder: Path) -> Echelon:
    settings = {"ECHELON_HOME": str(folder / "home"), "ECHELON_PICTURE": "false", "COLUMNS": "100"}

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "echelon", *arguments],
            cwd=folder,
            env=os.environ | settings,
            capture_output=True,
            text=True,
            check=False,
        )

    return call


@pytest.fixture(scope="module")
def run_id(echelon: Echelon) -> str:
    return json.loads(echelon("run", "shop.py:shop", "--json").stdout)["run_id"]


def test_a_person_reads_the_conversation_in_its_order(echelon: Echelon, run_id: str) -> None:
    shown = echelon("show", run_id, "scales", "--messages")

    assert shown.returncode == 0
    lines = [line.strip() for line in shown.stdout.splitlines()]
    order = ["system-prompt", "You weigh.", "user-prompt", "tool-call weigh", '{"stone": 2}', "tool-return weigh"]
    places = [lines.index(line) for line in order]
    assert places == sorted(places)
    assert lines[0].startswith("weigh/scales: conversation 1 of 1 · scales · double · ")
    assert any("ended by stop" in line for line in lines)
    assert any(line.endswith("KB left out") for line in lines)


def test_a_terminal_shows_what_a_model_says_and_never_obeys_it(echelon: Echelon, run_id: str) -> None:
    shown = echelon("show", run_id, "scales", "--messages").stdout

    assert not {"\x1b", "\r", "\u202e"} & set(shown)
    assert "tool-call weigh\\x1b[2J" in shown
    forged = [line for line in shown.splitlines() if "forged" in line]
    assert [line[:8].strip() for line in forged] == [""], "a line of a model is set in deeper than ours"


def test_a_machine_reads_one_document(echelon: Echelon, run_id: str) -> None:
    document = json.loads(echelon("show", run_id, "scales", "--messages", "--json").stdout)

    assert (document["run_id"], document["agent"], document["why_none"]) == (run_id, "weigh/scales", "")
    (conversation,) = document["conversations"]
    assert {"agent", "model", "began", "answers", "error", "not_kept", "lost", "transcript"} <= conversation.keys()
    said = conversation["transcript"]["messages"]
    assert [message["role"] for message in said] == ["request", "response", "request", "response"]
    assert said[-1]["parts"][0]["text"].startswith("\x1b[2J\rnine\n")
    assert said[-1]["finish_reason"] == "stop"
    assert sum(part["left_out_bytes"] for part in said[2]["parts"]) > 0


def test_one_agent_says_that_there_are_messages(echelon: Echelon, run_id: str) -> None:
    assert "1 conversation, see --messages" in echelon("show", run_id, "scales").stdout
    document = json.loads(echelon("show", run_id, "scales", "--json").stdout)
    assert document["conversations"][0]["transcript"]["location"].startswith(f"{run_id}/")
    assert "messages" not in echelon("show", run_id, "count").stdout


def test_a_failed_call_shows_what_was_asked_and_why_there_is_no_answer(echelon: Echelon, run_id: str) -> None:
    shown = echelon("show", run_id, "broken", "--messages").stdout

    assert "no answer: ConnectionError: the provider is away" in shown
    assert "# Task" in shown


def test_an_agent_without_a_model_says_so_in_one_line(echelon: Echelon, run_id: str) -> None:
    why = "weigh/count is done without a model: a function or a command has a log (`--log`), and no messages"
    shown = echelon("show", run_id, "count", "--messages")
    document = json.loads(echelon("show", run_id, "count", "--messages", "--json").stdout)

    assert (shown.returncode, shown.stdout) == (0, f"{why}\n")
    assert (document["conversations"], document["why_none"]) == ([], why)


def test_a_model_that_was_not_asked_says_why(echelon: Echelon, run_id: str) -> None:
    lines = [line.strip() for line in echelon("show", run_id, "unasked", "--messages").stdout.splitlines()]

    assert lines[1:] == ["no answer: ZeroDivisionError: division by zero", "not kept: the model was not asked anything"]


def test_where_it_was_switched_off_the_agent_says_so(echelon: Echelon) -> None:
    run_id = json.loads(echelon("run", "shop.py:quiet", "--json").stdout)["run_id"]

    assert "not kept: transcripts are switched off by Job(transcripts=False)" in (
        echelon("show", run_id, "scales", "--messages").stdout
    )


def test_a_run_of_an_older_version_is_read_and_says_so(echelon: Echelon, folder: Path) -> None:
    """As a version left it that knew no such event: the run is shown, and the agent says why it has no messages."""
    run_id = json.loads(echelon("run", "shop.py:quiet", "--json").stdout)["run_id"]
    with closing(sqlite3.connect(folder / "home" / "journal.db")) as journal, journal:
        assert journal.execute("delete from events where run_id = ? and kind = 'model_asked'", [run_id]).rowcount == 1

    assert echelon("show", run_id, "--json").returncode == 0
    assert echelon("show", run_id, "scales", "--messages").stdout == (
        "what the model of weigh/scales was asked is not on record: it was done by an older version of Echelon\n"
    )


def test_without_an_agent_what_all_models_were_asked_is_shown(echelon: Echelon, run_id: str) -> None:
    shown = echelon("show", run_id, "--messages").stdout
    document = json.loads(echelon("show", run_id, "--messages", "--json").stdout)

    assert {"weigh/scales: conversation 1", "weigh/broken: conversation 1"} <= {
        line.split(" · ")[0] for line in shown.splitlines()
    }
    assert document["agent"] is None
    assert sorted(one["agent"] for one in document["conversations"]) == ["broken", "scales", "unasked"]


def test_what_was_changed_or_removed_is_said_and_the_rest_is_shown(echelon: Echelon, folder: Path) -> None:
    run_id = json.loads(echelon("run", "shop.py:shop", "--json").stdout)["run_id"]
    document = json.loads(echelon("show", run_id, "scales", "--json").stdout)
    file = folder / "home" / "outputs" / document["conversations"][0]["transcript"]["location"]
    file.write_text(file.read_text().replace("nine", "none"))

    shown = echelon("show", run_id, "scales", "--messages")
    as_json = echelon("show", run_id, "scales", "--messages", "--json")

    assert shown.returncode == as_json.returncode == 1
    assert "not kept" not in shown.stdout
    assert "cannot be read: transcript" in shown.stdout
    assert "is damaged" in shown.stderr
    assert "the run itself does not need it" in json.loads(as_json.stdout)["conversations"][0]["lost"]
