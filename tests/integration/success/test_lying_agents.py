"""Agents that claim what they did not do, and checks that cannot tell: each run ends, and names what is wrong (D11)."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from echelon.testing.llm_server import Answer, LlmServer, calls, says
from tests.integration.conftest import Echelon, calling, document

pytestmark = pytest.mark.engine

JOB = """
import asyncio
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from echelon import Evidence, Job, Outcome, Resilience, Verdict, agent, command, model_agent

TWICE = Resilience(attempts=2, backoff_seconds=0.001, backoff_max_seconds=0.001)


class Inputs(BaseModel):
    folder: Path


def a_job(name, who, **phase):
    job = Job(name, goal="Fix it", inputs=Inputs, defaults=TWICE)
    job.phase("fix", agent=who, **phase)
    return job


chat = OpenAIChatModel("local", provider=OpenAIProvider(base_url=os.environ.get("LLM_URL", "http://x/v1"), api_key="-"))
author = model_agent(Agent(chat, name="author"), success=[Evidence(calls=1)])
writer = model_agent(Agent(chat, name="writer"))
judge = model_agent(Agent(chat, name="judge", output_type=Verdict))
LIES = "print('patched app.py, all tests pass')"
coder = command([sys.executable, "-c", LIES], name="coder", cwd="{folder}", success=[Evidence(changes="*.py")])


@agent
def talker() -> str:
    print("reading app.py")
    print("running pytest")
    return "done, all tests pass"


@agent
def worker() -> str:
    return "done"


@dataclass(frozen=True)
class Oracle:
    name: str = "oracle"
    goal: str = "Know"
    effect: str = "read"
    resilience: Resilience = Resilience()
    output_type: object = str
    success: tuple = (Evidence(calls=1),)

    def bind(self, shape):
        return self

    async def perform(self, call):
        return Outcome(output="done")


def accepts_all(output: str) -> bool:
    return True


def raises(output: str) -> bool:
    raise ZeroDivisionError("division by zero")


@agent(timeout=0.5)
async def hangs(output: str) -> bool:
    await asyncio.sleep(3600)
    return True


@agent(timeout=0.5)
def blocks(output: str) -> bool:
    time.sleep(20)
    return True


claims = a_job("claims", author)
prints = a_job("prints", coder)
talks = a_job("talks", talker, success=[Evidence(calls=1)])
unseen = a_job("unseen", Oracle())
anything = a_job("anything", worker, success=[accepts_all])
broken = a_job("broken", worker, success=[raises])
hanging = a_job("hanging", worker, success=[hangs])
blocking = a_job("blocking", worker, success=[blocks])
alike = a_job("alike", writer, verify=judge)
words = a_job("words", worker, success=["it is polite"])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    (made / "app.py").write_text("x = 1\n")
    (tmp_path / "jobs.py").write_text(JOB)
    return made


@pytest.fixture
def echelon(tmp_path: Path) -> Echelon:
    return calling(tmp_path, COLUMNS="200")


@contextmanager
def a_model(*answers: Answer) -> Generator[LlmServer]:
    with LlmServer(*answers) as server:
        yield server


def run(echelon: Echelon, folder: Path, job: str, code: int, **env: str) -> Any:
    return document(echelon("run", f"jobs.py:{job}", "--param", f"folder={folder}", "--json", **env), code)


def why(said: Any) -> str:
    return str(said["missing"][0]["reason"])


def test_a_model_that_only_claims_is_asked_again_with_what_is_missing_and_then_has_failed(
    folder: Path, echelon: Echelon
) -> None:
    with a_model(says("done, all tests pass")) as server:
        said = run(echelon, folder, "claims", 1, LLM_URL=server.url)
        asked = [str(one["messages"]) for one in server.requests]

    assert len(asked) == 2  # as often as attempts allow
    assert ["0 calls of at least 1" in one for one in asked] == [False, True]
    assert "author delivered was rejected by Evidence(calls=1): the work shows 0 calls of at least 1" in why(said)


def test_a_model_that_only_speaks_up_shows_no_work(folder: Path, echelon: Echelon) -> None:
    concern = {"about": "app.py", "message": "I looked at it", "confidence": 0.9, "impact": 0.5}
    with a_model(calls("raise_concern", concern), says("done")) as server:
        said = run(echelon, folder, "claims", 1, LLM_URL=server.url)

    assert "the work shows 0 calls of at least 1" in why(said)
    assert [one["concern"]["message"] for one in said["concerns"]][:1] == ["I looked at it"]  # heard, and no evidence


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        ("prints", "no changes fit '*.py' (it shows none)"),
        ("talks", "the work shows 0 calls of at least 1 (it shows none)"),
    ],
)
def test_who_prints_success_and_did_nothing_has_failed(folder: Path, echelon: Echelon, job: str, reason: str) -> None:
    assert reason in why(run(echelon, folder, job, 1))


@pytest.mark.parametrize(
    ("job", "task", "reason"),
    [
        ("unseen", "fix/oracle", "cannot be verified: Evidence(calls=1): the work of this kind of agent leaves no"),
        ("anything", "fix/worker", "cannot be verified: check 'accepts_all' accepts an empty output too"),
        ("broken", "fix/worker", "its check failed: raises: ZeroDivisionError: division by zero"),
        ("hanging", "fix/worker", "its check failed: hangs: "),
        ("blocking", "fix/worker", "its check failed: blocks: "),
        ("words", "fix/worker", "cannot be verified: success is stated in words only ('it is polite')"),
    ],
)
def test_what_nobody_can_tell_is_partial_and_named(
    folder: Path, echelon: Echelon, job: str, task: str, reason: str
) -> None:
    said = run(echelon, folder, job, 3)

    assert said["status"] == "partial"
    assert said["unverified"][task].startswith(reason)


def test_a_model_that_verifies_its_own_kind_is_said_to_be_no_independent_confirmation(
    folder: Path, echelon: Echelon
) -> None:
    answers = [says("done"), says({"result": "accepted"}), says({"result": "rejected", "gap": "it is empty"})]
    with a_model(*answers) as server:
        said = run(echelon, folder, "alike", 0, LLM_URL=server.url)
        lint = echelon("lint", "jobs.py:alike", "--param", f"folder={folder}", LLM_URL=server.url)
    shown = " ".join(echelon("show", said["run_id"], "fix/writer").stdout.split())

    assert "judge is not independent: the same model as the author, and nothing else confirms it" in shown
    assert "'judge' checks 'writer' with the same model" in " ".join(lint.stdout.split())


def test_lint_names_phases_whose_success_is_in_words_only(folder: Path, echelon: Echelon) -> None:
    said = echelon("lint", "jobs.py:words", "--param", f"folder={folder}")

    assert "the success is stated in words only, and nobody checks words" in " ".join(said.stdout.split())
