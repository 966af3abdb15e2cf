"""X15, F8: a run of forty agents that speak is killed in the middle: nothing that was said is lost, or there twice."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from echelon.model.adapter import JsonObject
from echelon.testing.llm_server import Answer, LlmServer, calls, says

AGENTS = 40

#: What each says in its first attempt only: after a kill nobody says it again, and it must be on record all the same.
FIRST, AGAIN = "is odd for the first time", "is odd"

MODELS = """
import os

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from echelon import Job, Need, Proposals, Resilience, agent, model_agent

provider = OpenAIProvider(base_url=os.environ["LLM_URL"], api_key="none")
judge = model_agent(Agent(OpenAIChatModel("local", provider=provider), name="judge"))


@agent
def survey() -> str:
    \"\"\"Survey the code.\"\"\"
    return "x" * 200_000


@agent
def follow(goal: str) -> str:
    \"\"\"Do what was proposed.\"\"\"
    return goal


job = Job("judging", goal="Judge", defaults=Resilience(attempts=1))
job.phase("survey", agent=survey)
job.phase("judge", each=judge, over=lambda: [f"m{n}" for n in range(AGENTS)], needs="survey")
job.phase("more", each=follow, over=Proposals(str, limit=AGENTS), needs=(Need("judge"),))
"""

#: Every fourth speaks through the command line, the others through the file.
SPEAK = """
import json, os, pathlib, subprocess, sys
item, world = sys.argv[1], pathlib.Path(sys.argv[2])
uses_command_line = int(item[1:]) % 4 == 0

def say(kind, text):
    if uses_command_line:
        more = ["--confidence", "0.3", "--impact", "high"] if kind == "concern" else ["--reason", "it is odd"]
        subprocess.run([sys.executable, "-m", "echelon", "say", kind, text, *more], check=True)
        return
    said = {"about": item, "message": text, "confidence": 0.3, "impact": "high"}
    line = {"kind": "concern", "concern": said} if kind == "concern" else {"kind": "task", "proposal": {"goal": text}}
    with open(os.environ["ECHELON_VOICE"], "a") as voice:
        voice.write(json.dumps(line) + "\\n")

begun = world / f"{item}.begun"
if not begun.exists():
    begun.touch()
    say("concern", f"{item} is odd for the first time")
    (world / f"{item}.said").touch()
say("concern", f"{item} is odd")
say("task", f"look at {item} again")
print(f"{item} is done", end="")
"""

COMMANDS = """
import os, sys

from echelon import Job, Proposals, Resilience, agent, command

speak = command([sys.executable, "speak.py", "{item}", os.environ["WORLD"]], name="judge")


@agent
def follow(goal: str) -> str:
    \"\"\"Do what was proposed.\"\"\"
    return goal


job = Job("judging", goal="Judge", defaults=Resilience(attempts=1), max_concurrency=4)
job.phase("judge", each=speak, over=lambda: [f"m{n}" for n in range(AGENTS)])
job.phase("more", each=follow, over=Proposals(str, limit=AGENTS), needs="judge")
"""

Start = Callable[..., "subprocess.Popen[str]"]


class Models:
    """Answers as models do that speak, and says when so many requests have come."""

    def __init__(self, until: int) -> None:
        self.certain = set[str]()
        """Items of which it is certain that the first concern was taken: their model was answered."""
        self.reached = threading.Event()
        self._begun = Counter[str]()
        self._left = until
        self._lock = threading.Lock()

    def answer(self, request: JsonObject) -> bytes:
        """Answer one request."""
        messages: list[dict[str, Any]] = request["messages"]
        item = self._item_of(messages)
        done = sum(one["role"] == "tool" for one in messages)
        with self._lock:
            self._begun[item] += done == 0
            said_first = FIRST in json.dumps(messages) or (done == 0 and self._begun[item] == 1)
            if said_first and done:
                self.certain.add(item)
            self._left -= 1
            if self._left == 0:
                self.reached.set()
        return self._steps(item, first=said_first)[done].body(request)

    @staticmethod
    def _item_of(messages: list[dict[str, Any]]) -> str:
        prompt = next(one["content"] for one in messages if one["role"] == "user")
        return json.loads(prompt.partition("# Item\n```json\n")[2].partition("\n```")[0])

    @staticmethod
    def _steps(item: str, *, first: bool) -> list[Answer]:
        def concern(words: str) -> Answer:
            return calls("raise_concern", {"message": f"{item} {words}", "confidence": 0.3, "impact": "high"})

        return [
            *([concern(FIRST)] if first else []),
            concern(AGAIN),
            calls("read_output", {"reference": "survey/survey"}),
            calls("propose_task", {"goal": f"look at {item} again", "reason": "it is odd"}),
            says(f"{item} is done"),
        ]


@pytest.fixture
def start(tmp_path: Path) -> Generator[Start]:
    settings = {"ECHELON_HOME": str(tmp_path / "home"), "ECHELON_PICTURE": "false", "WORLD": str(tmp_path)}
    begun: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
        command, told = [sys.executable, "-m", "echelon", *arguments], os.environ | settings | environment
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        begun.append(subprocess.Popen(command, cwd=tmp_path, env=told, **pipes))
        return begun[-1]

    yield begin
    for process in begun:
        if process.poll() is None:
            process.kill()
            process.communicate()


def document(process: "subprocess.Popen[str]", code: int = 0) -> JsonObject:
    printed = process.communicate()[0]

    assert process.returncode == code, printed
    return json.loads(printed)


def check(run: JsonObject, certain: set[str]) -> None:
    """Look whether all that was said is on record, once, with the step that said it, and was decided."""
    items = [f"m{n}" for n in range(AGENTS)]
    heard = Counter(one["concern"]["message"] for one in run["concerns"])
    assert {f"{item} {AGAIN}" for item in items} | {f"{item} {FIRST}" for item in certain} <= set(heard)
    assert set(heard.values()) == {1}
    source = {one["concern"]["message"].split()[0]: one["source"] for one in run["concerns"]}
    assert source == {item: f"judge/{item}" for item in items}
    assert len({one["step"] for one in run["concerns"]}) == AGENTS
    proposed = Counter(one["proposal"]["goal"] for one in run["proposals"])
    assert proposed == Counter(f"look at {item} again" for item in items)
    assert all(one["decision"]["taken"] for one in run["proposals"])
    assert run["missing"] == []
    assert set(run["output"]) == {f"more/look at {item} again" for item in items}


def only_run(start: Start) -> str:
    (run,) = document(start("runs", "--json"))["runs"]
    return run["run_id"]


def test_forty_models_whose_run_is_killed(start: Start, tmp_path: Path) -> None:
    (tmp_path / "judging.py").write_text(MODELS.replace("AGENTS", str(AGENTS)))
    models = Models(until=AGENTS * 5 // 2)
    with LlmServer(Answer(body=models.answer)) as server:
        running = start("run", "judging.py:job", LLM_URL=server.url)
        assert models.reached.wait(60)
        running.send_signal(signal.SIGKILL)
        running.communicate()
        certain = set(models.certain)
        resumed = document(start("resume", only_run(start), "--json", LLM_URL=server.url))

    assert certain
    check(resumed, models.certain)


def test_forty_commands_whose_run_is_killed(start: Start, tmp_path: Path) -> None:
    (tmp_path / "judging.py").write_text(COMMANDS.replace("AGENTS", str(AGENTS)))
    (tmp_path / "speak.py").write_text(SPEAK)
    running = start("run", "judging.py:job")
    while sum(1 for _ in tmp_path.glob("*.said")) < AGENTS // 4:
        assert running.poll() is None
    running.send_signal(signal.SIGKILL)
    running.communicate()
    resumed = document(start("resume", only_run(start), "--json"))

    certain = {path.stem for path in tmp_path.glob("*.said")}
    assert certain
    check(resumed, certain)
