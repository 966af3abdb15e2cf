"""A model goes through two phases with its item in one conversation, over real HTTP, killed and resumed (D1, F8)."""

import json
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from echelon.testing.llm_server import Answer, LlmServer, says
from tests.integration.conftest import Echelon, calling, printed

JOB = """
import os
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from echelon import Handoffs, Job, Resilience, model_agent


class Finding(BaseModel):
    risk: str


class Patch(BaseModel):
    change: str


def numbers() -> list[int]:
    return [1, 2, 3]


url = os.environ.get("LLM_URL", "http://127.0.0.1:9/v1")
chat = OpenAIChatModel("local", provider=OpenAIProvider(base_url=url, api_key="none"))
find = model_agent(Agent(chat, output_type=Finding, name="find", system_prompt="You find.", instructions="Be brief."))
fix = model_agent(Agent(chat, output_type=Patch, name="fix", system_prompt="You fix.", instructions="Be careful."))


def mending(name: str, **options) -> Job:
    job = Job(name, goal="Mend every file", merge="auto", defaults=Resilience(attempts=1), **options)
    job.phase("find", each=find, over=numbers)
    job.phase("fix", each=fix, over=numbers, needs="find")
    return job


mend = mending("mend", max_concurrency=1)
silent = mending("silent", transcripts=False)
"""


@pytest.fixture
def echelon(tmp_path: Path) -> Echelon:
    (tmp_path / "work.py").write_text(JOB)
    return calling(tmp_path, COLUMNS="100")


def answering() -> Answer:
    """Answer a finding with the item in it, and a patch."""

    def body(request: Mapping[str, Any]) -> bytes:
        said = str(request["messages"])
        kind = says({"change": "mended"} if "You fix." in said else {"risk": f"risk of {item_of(request)}"})
        return kind.body(request)

    return Answer(body=body)


def item_of(request: Mapping[str, Any]) -> str:
    """Return the item that a request is about."""
    prompt = next(str(one["content"]) for one in reversed(request["messages"]) if one["role"] == "user")
    return prompt.partition("# Item\n```json\n")[2].partition("\n")[0]


def roles(request: Mapping[str, Any]) -> list[str]:
    return [message["role"] for message in request["messages"]]


def systems(request: Mapping[str, Any]) -> str:
    return " ".join(str(one["content"]) for one in request["messages"] if one["role"] == "system")


def test_the_second_task_goes_on_in_the_conversation_of_the_first(echelon: Echelon) -> None:
    with LlmServer(answering()) as server:
        done = echelon("run", "work.py:mend", "--json", LLM_URL=server.url)
        fixes = [request for request in server.requests if "You fix." in systems(request)]

    assert (done.returncode, printed(done)["returned"]) == (0, 6), done.stderr
    assert printed(done)["output"] == {f"fix/{n}": {"change": "mended"} for n in (1, 2, 3)}
    assert len(server.requests) == 6
    for request in fixes:
        item = item_of(request)
        called = next(one for one in request["messages"] if one.get("tool_calls"))
        assert json.loads(called["tool_calls"][0]["function"]["arguments"]) == {"risk": f"risk of {item}"}
        assert [role for role in roles(request) if role != "system"] == ["user", "assistant", "tool", "user"]
        assert "You find." not in systems(request)
        assert "Be careful." in systems(request)
        assert "Be brief." not in systems(request)


def test_a_run_killed_between_the_two_tasks_of_an_item_goes_on_in_its_conversation(echelon: Echelon) -> None:
    with LlmServer(answering()) as server:
        killed = echelon("run", "work.py:mend", LLM_URL=server.url, ECHELON_FAILPOINT_AT="step.recorded:1")
        before = list(server.requests)
        (record,) = printed(echelon("runs", "--json"))["runs"]
        resumed = echelon("resume", record["run_id"], "--json", LLM_URL=server.url)
        behind = server.requests[len(before) :]
        shown = echelon("show", record["run_id"], "fix/1", "--messages", "--json")

    assert killed.returncode == -signal.SIGKILL
    assert not any("You fix." in systems(request) for request in before)
    assert (resumed.returncode, printed(resumed)["returned"]) == (0, 6), resumed.stderr
    # What was found of the first item is not asked again: 1 + 5 requests.
    assert len(behind) == 5
    (first,) = [request for request in behind if item_of(request) == "1"]
    assert "risk of 1" in json.dumps(first["messages"])
    assert [role for role in roles(first) if role != "system"] == ["user", "assistant", "tool", "user"]
    assert len(printed(shown)["conversations"]) == 1


def test_where_the_conversation_is_not_kept_a_new_one_is_begun_and_that_is_said(echelon: Echelon) -> None:
    with LlmServer(answering()) as server:
        done = echelon("run", "work.py:silent", "--json", LLM_URL=server.url)
        fixes = [request for request in server.requests if "You fix." in systems(request)]
    shown = printed(echelon("show", printed(done)["run_id"], "fix/1", "--json"))
    plan = printed(echelon("plan", "work.py:silent", "--json"))

    assert done.returncode == 0, done.stderr
    assert all([role for role in roles(request) if role != "system"] == ["user"] for request in fixes)
    assert "in a new conversation: transcripts are switched off" in json.dumps(shown)
    assert any("in a new conversation each time: transcripts are off" in one["text"] for one in plan["reasons"])
