"""A model that integrates, asked over real HTTP, and a command that does, from the command line (D6, F7, F8, M1)."""

import signal
from pathlib import Path

import httpx
import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from echelon import AgentFailed, Job, Outcome, Resilience, Usage, agent, integrator, model_agent
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.model.run import RunStatus, StepKind
from echelon.testing.llm_server import LlmServer, says
from echelon.testing.runs import a_run, view_so_far
from tests.integration.conftest import Echelon, calling, printed
from tests.unit.coordination.jobs import missing_in, output_of

pytestmark = pytest.mark.anyio

#: Files of two domains, which are too many for one coordinator.
FILES = tuple(f"{folder}/f{number}.py" for folder in ("api", "web") for number in range(7))


class Files(BaseModel):
    """Inputs of the job."""

    paths: tuple[str, ...] = FILES


class Report(BaseModel):
    """What the model makes of findings, and of reports."""

    headline: str


@agent
async def inspect(path: str) -> Outcome[str]:
    """Inspect a file."""
    if path == "web/f3.py":
        raise AgentFailed("the file is encrypted")
    return Outcome(output=f"risk of {path}", usage=Usage(tokens_in=90))


def of_paths(paths: tuple[str, ...]) -> list[str]:
    return list(paths)


def folder(path: str) -> str:
    return path.partition("/")[0]


async def test_a_model_integrates_in_two_levels_and_knows_what_is_missing(tmp_path: Path) -> None:
    async with httpx.AsyncClient() as client:
        with LlmServer(says({"headline": "all of it"}, tokens_in=100, tokens_out=20)) as server:
            openai = AsyncOpenAI(base_url=server.url, api_key="none", http_client=client)
            chat = OpenAIChatModel("local", provider=OpenAIProvider(openai_client=openai))
            editor = model_agent(PydanticAgent(chat, output_type=Report, name="editor"), goal="Say what is risky")
            job = Job("inspecting", goal="Know every file", inputs=Files, defaults=Resilience(attempts=1))
            integrate = integrator(editor).combine(editor)
            job.phase("inspect", each=inspect, over=of_paths, domain=folder, integrate=integrate)
            async with a_run(job, tmp_path, Files()) as run:
                delivered = await run_phases(run)
                output, measures = output_of(run), view_so_far(run).measures
    asked = [str(request["messages"][-1]["content"]) for request in server.requests]
    parts = [sorted(path for path in FILES if f'"risk of {path}"' in prompt) for prompt in asked]

    assert (output, status_after(delivered)) == ({"headline": "all of it"}, RunStatus.PARTIAL)
    assert [(one.task_id, one.reason) for one in missing_in(run)] == [("inspect/web/f3.py", "the file is encrypted")]
    assert sorted(map(len, parts)) == [0, 6, 7]
    assert ["inspect/web/f3.py: the file is encrypted" in prompt for prompt in asked] == [
        not part or "web/f0.py" in part for part in parts
    ]
    assert ['"headline": "all of it"' in prompt or '{"headline":"all of it"}' in prompt for prompt in asked] == [
        not part for part in parts
    ]
    integrated = {step.node: step for step in run.log.state.steps if step.kind is StepKind.INTEGRATION}
    assert set(integrated) == {"domain:api", "domain:web", "primary"}
    assert {step.model for step in integrated.values()} == {"local"}
    # 13 files of 90 tokens; 3 answers of 120 to put them together.
    assert measures.tokens == 13 * 90 + 3 * 120
    assert measures.coordination_ratio == pytest.approx(360 / (13 * 90 + 360))


JOB = """
import os, sys
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from echelon import AgentFailed, Job, agent, command, integrator, model_agent


class Report(BaseModel):
    headline: str


@agent
async def inspect(n: int) -> str:
    "Inspect a file."
    if n == 3:
        raise AgentFailed("the file is encrypted")
    return f"risk of {n}"


def numbers() -> list[int]:
    return list(range(14))


def domain(n: int) -> str:
    return "even" if n % 2 == 0 else "odd"


url = os.environ.get("LLM_URL", "http://127.0.0.1:9/v1")
chat = OpenAIChatModel("local", provider=OpenAIProvider(base_url=url, api_key="none"))
editor = model_agent(Agent(chat, output_type=Report, name="editor"))
edited = Job("edited", goal="Know every file")
edited.phase("inspect", each=inspect, over=numbers, domain=domain, integrate=integrator(editor).combine(editor))

count = command(["grep", "--count", "--", "risk of", "{brief}"], parse=int)
counted = Job("counted", goal="Know every file")
counted.phase("inspect", each=inspect, over=numbers, domain=domain, integrate=count)
"""


@pytest.fixture
def echelon(tmp_path: Path) -> Echelon:
    (tmp_path / "work.py").write_text(JOB)
    return calling(tmp_path, COLUMNS="100")


def test_a_command_integrates_what_is_in_its_brief(echelon: Echelon) -> None:
    done = echelon("run", "work.py:counted", "--json")

    assert (done.returncode, printed(done)["output"]) == (3, 13)
    assert printed(echelon("plan", "work.py:counted", "--json"))["phases"][0]["integration"] == "primary"


def test_a_run_killed_behind_the_integrations_of_a_model_asks_for_none_of_them_again(echelon: Echelon) -> None:
    """Killed as the second of three is on record: only the third is asked for (F8)."""
    with LlmServer(says({"headline": "all of it"})) as server:
        killed = echelon("run", "work.py:edited", LLM_URL=server.url, ECHELON_FAILPOINT_AT="integration.ended:2")
        before = len(server.requests)
        (record,) = printed(echelon("runs", "--json"))["runs"]
        resumed = echelon("resume", record["run_id"], "--json", LLM_URL=server.url)
        shown = echelon("show", record["run_id"], "primary", "--messages")

    assert (killed.returncode, before) == (-signal.SIGKILL, 2)
    assert (resumed.returncode, printed(resumed)["output"]) == (3, {"headline": "all of it"})
    assert len(server.requests) == 3
    assert printed(resumed)["missing"][0]["reason"] == "the file is encrypted"
    assert "editor · local" in shown.stdout, shown.stderr
