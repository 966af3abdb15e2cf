"""Jobs whose models are asked over real HTTP, by a provider that fails in every way providers do (F1, F3, F4)."""

import importlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from echelon import Job, Resilience, agent
from echelon.agents.model import model_agent
from echelon.coordination.job_run import run_phases
from echelon.engine.run import RunOptions, finish, prepared, room_for
from echelon.model.handoff import Handoff
from echelon.settings import Settings
from echelon.testing.faults import (
    after,
    after_date,
    after_milliseconds,
    calls,
    half_a_body,
    overloaded,
    rate_limited,
    resets,
    slow_first_byte,
    stalls_for_ever,
    unavailable,
)
from echelon.testing.llm_server import Answer, LlmServer, babbles, hangs_up, refuses, says
from echelon.testing.runs import a_run
from echelon.testing.scheduler import InlineScheduler

pytestmark = pytest.mark.anyio

#: Stands in for the key of a provider: it must never be seen again.
KEY = "key-that-nobody-may-see-0123456789"

#: Three attempts, with no wait but the one the provider asks for.
QUICK = Resilience(attempts=3, backoff_seconds=0, timeout_seconds=5)

#: A hung provider is given up on soon.
IMPATIENT = Resilience(attempts=3, backoff_seconds=0, timeout_seconds=0.4)


class Finding(BaseModel):
    """What the model is asked for."""

    path: str


class Files(BaseModel):
    """Inputs of the jobs."""

    paths: tuple[str, ...] = ("a.py",)


GOOD = says({"path": "a.py"})


@asynccontextmanager
async def asking(url: str) -> AsyncIterator[PydanticAgent[Any, Finding]]:
    """Give a model of a provider, whose own client would retry twice."""
    async with httpx.AsyncClient() as client:
        openai = AsyncOpenAI(base_url=url, api_key=KEY, http_client=client, max_retries=2)
        model = OpenAIChatModel("local", provider=OpenAIProvider(openai_client=openai))
        yield PydanticAgent(model, output_type=Finding, name="inspect")


def of_paths(inputs: Files) -> list[str]:
    """Find the files."""
    return list(inputs.paths)


def inspecting(model: PydanticAgent[Any, Finding], defaults: Resilience = QUICK, **options: Any) -> Job:
    """Make a job that asks a model about every file."""
    job = Job("inspecting", goal="Know every file", inputs=Files, defaults=defaults)
    job.phase("inspect", each=model_agent(model, **options), over=of_paths)
    return job


@dataclass(frozen=True)
class Story:
    """What came of a job with one agent."""

    handoff: Handoff
    requests: int
    waits: list[float]
    """Seconds between the requests."""


async def story_of(home: Path, *answers: Answer, defaults: Resilience = QUICK) -> Story:
    """Run a job with one agent against these answers."""
    with LlmServer(*answers) as server:
        async with asking(server.url) as model, a_run(inspecting(model, defaults), home, Files()) as run:
            await run_phases(run, InlineScheduler())
            handoff = run.steps[0].handoff
    gaps = [later - earlier for earlier, later in zip(server.arrived, server.arrived[1:], strict=False)]
    return Story(handoff, len(server.requests), gaps)


# What passes is waited for and asked again


@pytest.mark.parametrize(
    ("headers", "at_least", "at_most"),
    [
        (lambda: after(1), 1.0, 2.0),
        (lambda: after("0.3"), 0.3, 1.0),
        (lambda: after_milliseconds(250), 0.25, 1.0),  # wins over the 3 s beside it
        (lambda: after_date(2), 0.9, 3.0),
        (lambda: after("soon"), 0.0, 0.5),
        (lambda: after(-5), 0.0, 0.5),
        (lambda: after("nan"), 0.0, 0.5),
        (dict, 0.0, 0.5),
    ],
    ids=["F3-seconds", "F3-float", "F3-ms", "F3-date", "F3-garbage", "F3-negative", "F3-nan", "F3-none"],
)
async def test_a_rate_limit_is_waited_out_as_long_as_it_says(
    tmp_path: Path, headers: Callable[[], dict[str, str]], at_least: float, at_most: float
) -> None:
    story = await story_of(tmp_path, rate_limited(headers()), GOOD)

    assert (story.handoff.done, story.handoff.attempts, story.requests) == (True, 2, 2)
    assert at_least <= story.waits[0] <= at_most


async def test_a_provider_that_wants_more_patience_than_anybody_has_is_not_asked_again(tmp_path: Path) -> None:
    story = await story_of(tmp_path, rate_limited(after(121)), GOOD)

    assert (story.handoff.done, story.requests) == (False, 1)


@pytest.mark.parametrize(
    ("fault", "defaults"),
    [
        (unavailable(), QUICK),
        (overloaded(), QUICK),
        (hangs_up(), QUICK),
        (half_a_body(), QUICK),
        (resets(), QUICK),
        (babbles(), QUICK),
        (slow_first_byte(60), IMPATIENT),
        (stalls_for_ever(), IMPATIENT),
    ],
    ids=["F3-503", "F3-529", "F3-hangs-up", "F3-half", "F3-reset", "F3-no-json", "F4-slow", "F4-stalled"],
)
async def test_a_fault_that_passes_costs_one_more_attempt(tmp_path: Path, fault: Answer, defaults: Resilience) -> None:
    story = await story_of(tmp_path, fault, GOOD, defaults=defaults)

    assert (story.handoff.done, story.handoff.attempts, story.requests) == (True, 2, 2)
    assert story.handoff.usage.calls == 2
    assert story.handoff.usage.tokens == 15


async def test_an_answer_that_comes_in_time_is_no_fault(tmp_path: Path) -> None:
    story = await story_of(tmp_path, slow_first_byte(0.1, GOOD))

    assert (story.handoff.done, story.handoff.attempts, story.requests) == (True, 1, 1)


async def test_a_provider_that_stays_down_is_asked_as_often_as_told_and_no_more(tmp_path: Path) -> None:
    story = await story_of(tmp_path, unavailable())

    assert (story.handoff.done, story.handoff.attempts, story.requests) == (False, 3, 3)
    assert story.handoff.error is not None
    assert story.handoff.error.can_pass


@pytest.mark.parametrize("fault", [rate_limited(), unavailable(), half_a_body(), resets()])
async def test_who_is_told_to_try_once_tries_once(tmp_path: Path, fault: Answer) -> None:
    story = await story_of(tmp_path, fault, GOOD, defaults=Resilience(attempts=1))

    assert (story.handoff.done, story.requests) == (False, 1)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_what_cannot_pass_is_not_asked_again(tmp_path: Path, status: int) -> None:
    story = await story_of(tmp_path, refuses(status), GOOD)

    assert (story.handoff.done, story.requests) == (False, 1)


# What the model says wrongly


@pytest.mark.parametrize(
    "wrong",
    [calls("final_result", '{"path": '), calls("final_result", '{"file": 1}'), calls("delete_everything", "{}")],
    ids=["no JSON", "other arguments", "a tool nobody offered"],
)
async def test_a_wrong_call_is_corrected_in_the_same_attempt_and_paid(tmp_path: Path, wrong: Answer) -> None:
    story = await story_of(tmp_path, wrong, GOOD)

    assert (story.handoff.done, story.handoff.attempts, story.requests) == (True, 1, 2)
    assert story.handoff.usage.calls == 2


async def test_a_model_that_never_finds_the_right_words_breaks_its_contract(tmp_path: Path) -> None:
    story = await story_of(tmp_path, calls("final_result", '{"file": 1}'))

    assert not story.handoff.done
    assert story.handoff.error is not None
    assert story.handoff.error.kind == "ContractViolation"


# Outages stay where they are


@agent
async def count(item: str) -> Finding:
    """Do without any provider."""
    return Finding(path=item)


async def test_in_an_outage_the_breaker_opens_and_nobody_else_notices(tmp_path: Path) -> None:
    """40 agents ask a provider that is down, two at a time; 40 others do without it."""
    paths = tuple(f"{n}.py" for n in range(40))
    with LlmServer(unavailable()) as server:
        async with asking(server.url) as model:
            job = inspecting(model, Resilience(attempts=1), breaker="provider")
            job.phase("count", each=count, over=of_paths)
            async with a_run(job, tmp_path, Files(paths=paths), limit=room_for(2)) as run:
                delivered = await run_phases(run, InlineScheduler())
                blocked = [step.handoff for step in run.steps if "breaker 'provider' is open" in _reason(step.handoff)]

    assert len(server.requests) <= 5 + 2  # five failures in a row open it; one more may be under way
    assert len(blocked) == len(paths) - len(server.requests)
    assert all(handoff.attempts == 0 for handoff in blocked)
    assert (len(delivered["inspect"].missing), len(delivered["count"].handoffs)) == (40, 40)


async def test_two_providers_share_nothing(tmp_path: Path) -> None:
    with LlmServer(stalls_for_ever()) as bad, LlmServer(GOOD) as good:
        async with asking(bad.url) as slow, asking(good.url) as model:
            job = inspecting(slow, Resilience(attempts=1, timeout_seconds=0.5), breaker="bad")
            job.phase("again", each=model_agent(model, breaker="good"), over=of_paths)
            async with a_run(job, tmp_path, Files(paths=("a.py", "b.py"))) as run:
                delivered = await run_phases(run, InlineScheduler())
                errors = [_reason(step.handoff) for step in run.steps if not step.handoff.done]

    assert errors == ["no answer within its 0.5 s"] * 2
    assert len(delivered["again"].handoffs) == 2


# Secrets


async def test_the_key_of_a_provider_is_nowhere_to_be_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in the journal, the outputs, the report and the workspaces, nor in the log at its most talkative."""
    caplog.set_level(logging.DEBUG)
    for number, answers in enumerate(([GOOD], [refuses(401)], [unavailable()], [resets()], [babbles()])):
        result = await _reported(tmp_path / str(number), answers)
        assert KEY not in repr(result)
    written = [file for file in tmp_path.rglob("*") if file.is_file()]

    assert any(file.name == "journal.db" for file in written)
    assert any(file.suffix == ".md" for file in written)
    assert [file for file in written if KEY.encode() in file.read_bytes()] == []
    assert KEY not in caplog.text


async def _reported(home: Path, answers: Sequence[Answer]) -> Any:
    settings = Settings(home=home)
    with LlmServer(*answers) as server:
        async with asking(server.url) as model:
            job = inspecting(model)
            async with prepared(job, Files(), RunOptions(), settings) as run:
                return await finish(run, await run_phases(run.context, InlineScheduler()))


def _reason(handoff: Handoff) -> str:
    return handoff.error.message if handoff.error else ""


# An independent referee


@pytest.fixture(scope="module")
def referee() -> Iterator[Any]:
    """Another provider, not ours, which watches how its clients behave and judges them."""
    testing = pytest.importorskip("llmock.testing", reason="llmock is not installed: pip install 'echelon[dev]'")
    with testing.LLMockServer() as server:
        yield server


@pytest.mark.parametrize(
    ("fault", "requests", "delivers"),
    [
        ({"type": "fail", "status": 429, "retry_after": 0.4, "times": 2}, 3, True),
        ({"type": "fail", "status": 503}, 2, True),
        ({"type": "fail", "status": 529}, 2, True),
        ({"type": "fail", "status": 503, "times": None, "retry_after": 0.2}, 3, False),
        ({"type": "fail", "status": 400, "code": "context_length_exceeded", "times": None}, 1, False),
        ({"type": "fail", "status": 401, "times": None}, 1, False),
        ({"type": "delay", "seconds": 1.5}, 2, True),
        ({"type": "tool_fault", "kind": "malformed_arguments"}, 2, True),
        ({"type": "tool_fault", "kind": "unknown_tool"}, 2, True),
    ],
    ids=["429", "503", "529", "outage", "too long", "401", "slow", "broken call", "unknown tool"],
)
async def test_the_referee_has_nothing_to_report(
    tmp_path: Path, referee: Any, fault: dict[str, Any], requests: int, delivers: bool
) -> None:
    referee.state.reset()
    referee.state.scenarios.add(importlib.import_module("llmock.scenarios").behavior_from_dict(fault))
    defaults = Resilience(attempts=3, backoff_seconds=0.1, timeout_seconds=1)
    async with (
        asking(referee.base_url("openai")) as model,
        a_run(inspecting(model, defaults), tmp_path, Files()) as run,
    ):
        await run_phases(run, InlineScheduler())
        delivered = run.steps[0].handoff.done
    verdict = importlib.import_module("llmock.verdict").judge(referee.state.journal.records(wait=4))

    assert (delivered, verdict.attempts) == (delivers, requests)
    verdict.assert_ok(strict=True)
