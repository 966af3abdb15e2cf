"""X15: forty models raise a concern, read an output and propose a task over real HTTP; all of it is on record."""

import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from echelon import Job, Need, Proposals, Resilience, agent, model_agent
from echelon.coordination.job_run import run_phases
from echelon.model.adapter import JsonObject
from echelon.model.status import Status
from echelon.runlog.events import OutputRead
from echelon.runlog.state import RunState
from echelon.testing.llm_server import Answer, LlmServer, calls, says
from echelon.testing.runs import a_run

pytestmark = pytest.mark.anyio

#: More than is given by value.
BIG = 200_000

MODELS = 40


@agent
def survey() -> str:
    """Survey the code."""
    return "x" * BIG


@agent
def follow(goal: str) -> str:
    """Do what was proposed."""
    return goal


def task_in(request: JsonObject) -> str:
    """Return the item that a request is about."""
    prompt = next(one["content"] for one in request["messages"] if one["role"] == "user")
    return json.loads(prompt.partition("# Item\n```json\n")[2].partition("\n```")[0])


def working(request: JsonObject) -> Answer:
    """Answer as a model does that raises a concern, reads what it was referred to, and proposes a task."""
    item, done = task_in(request), sum(one["role"] == "tool" for one in request["messages"])
    steps = [
        calls("raise_concern", {"message": f"{item} is odd", "confidence": 0.3, "impact": "high"}),
        calls("state_confidence", {"confidence": 0.7}),
        calls("read_output", {"reference": "survey/survey"}),
        calls("propose_task", {"goal": f"look at {item} again", "reason": "it is odd"}),
    ]
    return steps[done] if done < len(steps) else says(f"{item} is done")


def asked_by(server: LlmServer, **options: Any) -> Any:
    provider = OpenAIProvider(base_url=server.url, api_key="none")
    return model_agent(PydanticAgent(OpenAIChatModel("local", provider=provider), name="judge"), **options)


def judging(model: Any, items: int = MODELS) -> Job:
    job = Job("judging", goal="Judge", defaults=Resilience(attempts=1))
    job.phase("survey", agent=survey)
    job.phase("judge", each=model, over=lambda: [f"m{n}" for n in range(items)], needs="survey")
    job.phase("more", each=follow, over=Proposals(str, limit=items), needs=(Need("judge"),))
    return job


async def judged(job: Job, home: Path) -> RunState:
    async with a_run(job, home) as run:
        await run_phases(run)
        return await run.log.refresh()


async def test_forty_models_are_heard_each_with_its_step(tmp_path: Path) -> None:
    with LlmServer(Answer(body=lambda request: working(request).body(request))) as server:
        state = await judged(judging(asked_by(server)), tmp_path)

    steps = {step.key: step for step in state.steps if step.phase == "judge"}
    assert Counter(record.source for record in state.concerns.values()) == Counter(f"judge/m{n}" for n in range(MODELS))
    assert {record.step for record in state.concerns.values()} == set(steps)
    assert {step.handoff.confidence for step in steps.values()} == {0.7}
    read = Counter(event.task_id for event in state.reads if isinstance(event, OutputRead))
    assert all(read[f"judge/m{n}"] == 1 for n in range(MODELS))
    taken = [one.decision.task_id for one in state.proposals.values() if one.decision and one.decision.taken]
    assert sorted(taken) == sorted(f"more/look at m{n} again" for n in range(MODELS))
    assert sum(step.phase == "more" and step.handoff.done for step in state.steps) == MODELS + 1  # and who takes them


async def test_an_output_is_read_page_by_page_and_none_that_was_not_handed_on(tmp_path: Path) -> None:
    asked = [
        calls("read_output", {"reference": "survey/survey", "start": BIG - 10}),
        calls("read_output", {"reference": "survey/survey"}),
        calls("read_output", {"reference": "../../journal.db"}),
        says("done"),
    ]
    with LlmServer(*asked) as server:
        state = await judged(judging(asked_by(server), items=1), tmp_path)
        told = [one["content"] for one in server.requests[-1]["messages"] if one["role"] == "tool"]

    assert told[0] == "x" * 11 + '"'
    assert told[1].startswith('"xxx')
    assert told[1].endswith(f"[{BIG + 2 - 16_000:,} characters more: start=16000]")
    assert "there is no such output; those that you may read: survey/survey" in told[2]
    assert next(step for step in state.steps if step.phase == "judge").handoff.done


async def test_a_model_that_is_blocked_ends_so_and_pays_for_what_it_asked(tmp_path: Path) -> None:
    with LlmServer(calls("report_blocked", {"on": "mia", "reason": "only she knows"})) as server:
        state = await judged(judging(asked_by(server), items=1), tmp_path)

    handoff = next(step.handoff for step in state.steps if step.phase == "judge")
    assert (handoff.status, handoff.usage.tokens) == (Status.BLOCKED, 15)
    assert handoff.error is not None
    assert handoff.error.message == "blocked on mia: only she knows"


async def test_a_model_without_a_voice_is_offered_no_tools_of_ours(tmp_path: Path) -> None:
    with LlmServer(says("done")) as server:
        await judged(judging(asked_by(server, voice=False), items=1), tmp_path)

        assert "tools" not in server.requests[0]
        assert "cannot be opened from here" in str(server.requests[0]["messages"])


async def test_a_call_that_makes_no_sense_is_said_to_the_model_and_it_may_try_again(tmp_path: Path) -> None:
    asked = [
        calls("raise_concern", {"message": "", "confidence": 0.3, "impact": 0.9}),
        calls("raise_concern", {"message": "it is odd", "confidence": 0.3, "impact": 0.9}),
        says("done"),
    ]
    with LlmServer(*asked) as server:
        state = await judged(judging(asked_by(server), items=1), tmp_path)

    assert [record.concern.message for record in state.concerns.values()] == ["it is odd"]


async def test_forty_models_that_are_cut_off_by_their_time_limit_have_said_what_they_said(tmp_path: Path) -> None:
    def speaking_and_stalling(request: JsonObject) -> bytes:
        item, done = task_in(request), sum(one["role"] == "tool" for one in request["messages"])
        steps = [
            calls("raise_concern", {"message": f"{item} is odd", "confidence": 0.3, "impact": "high"}),
            calls("propose_task", {"goal": f"look at {item} again"}),
        ]
        if done == len(steps):
            still_at_work.wait()
        return (steps[done] if done < len(steps) else says("too late")).body(request)

    still_at_work = threading.Event()
    with LlmServer(Answer(body=speaking_and_stalling)) as server:
        state = await judged(judging(asked_by(server, timeout=10)), tmp_path)
        still_at_work.set()

    ended = [step.handoff for step in state.steps if step.phase == "judge"]
    assert Counter(one.error.kind for one in ended if one.error) == {"AgentTimeout": MODELS}
    assert Counter(record.source for record in state.concerns.values()) == Counter(f"judge/m{n}" for n in range(MODELS))
    assert {record.step for record in state.concerns.values()} == {
        step.key for step in state.steps if step.phase == "judge"
    }
    assert Counter(one.task_id for one in state.proposals.values()) == Counter(f"judge/m{n}" for n in range(MODELS))
