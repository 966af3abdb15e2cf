"""A model goes on with its item in the conversation that is on record, or says why it begins a new one (D1, V2)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from echelon import Job, agent, model_agent
from echelon.agents.transcript.transcript import MESSAGE_BYTES
from echelon.coordination.job_run import run_phases
from echelon.model.handoff import Handoff
from echelon.redaction import register_secrets_in
from echelon.testing.runs import a_run
from tests.unit.coordination.jobs import ONCE, Item, Items, items

pytestmark = pytest.mark.anyio


class Finding(BaseModel):
    risk: str


class Patch(BaseModel):
    change: str


class Double:
    """One model for both tasks; `heard` is what it was sent for each, with the system prompt it had."""

    def __init__(self, *, fails: bool = False, risk: str = "of everything") -> None:
        self.heard: dict[str, list[ModelMessage]] = {}
        self.fails = fails
        self.risk = risk
        self.model = FunctionModel(self.answer, model_name="double")

    async def answer(self, messages: Sequence[ModelMessage], info: AgentInfo) -> ModelResponse:
        (tool,) = info.output_tools
        is_patch = "change" in tool.parameters_json_schema["properties"]
        self.heard["fix" if is_patch else "find"] = list(messages)
        if self.fails and not is_patch:
            raise ConnectionError("the provider is gone")
        return ModelResponse(parts=[ToolCallPart(tool.name, {"change": "done"} if is_patch else {"risk": self.risk})])

    def agent(self, output: Any, name: str, **options: Any) -> Any:
        inner = PydanticAgent(self.model, output_type=output, retries=0)
        return model_agent(inner, name=name, prompt=lambda call: f"{name} {call.item.id}", **options)

    @property
    def said(self) -> list[str]:
        """What was said to the second agent, part by part."""
        return [
            str(getattr(part, "args", None) or getattr(part, "content", ""))
            for message in self.heard["fix"]
            for part in message.parts
        ]


def mending(double: Double, **options: Any) -> Job:
    job = Job("mending", goal="Mend", inputs=Items, defaults=ONCE, merge="auto")
    job.phase("find", each=double.agent(Finding, "find", **options), over=lambda items: items)
    job.phase("fix", each=double.agent(Patch, "fix"), over=lambda items: items, needs={"find": "loose"})
    return job


async def fixed(job: Job, home: Path) -> Handoff:
    """Let a job run on one item, and return what the second agent handed on."""
    async with a_run(job, home, items(1)) as run:
        await run_phases(run)
        return next(step.handoff for step in run.log.state.latest.values() if step.handoff.task_id == "fix/i0")


async def test_the_model_has_its_own_answer_before_it(tmp_path: Path) -> None:
    double = Double()
    handoff = await fixed(mending(double), tmp_path)

    assert double.said == ["find i0", '{"risk": "of everything"}', "Final result processed.", "fix i0"]
    assert "conversation" not in handoff.summary


async def test_a_secret_is_not_said_again(tmp_path: Path) -> None:
    register_secrets_in({"token": "sk-0123456789abcdefghijklmnop"})
    double = Double(risk="of sk-0123456789abcdefghijklmnop")
    await fixed(mending(double), tmp_path)

    assert "sk-0123456789" not in "".join(double.said)


async def test_what_was_cut_off_says_so(tmp_path: Path) -> None:
    double = Double()
    job = Job("mending", goal="Mend", inputs=Items, defaults=ONCE, merge="auto")
    find = model_agent(
        PydanticAgent(double.model, output_type=Finding), name="find", prompt=lambda _: "x" * 2 * MESSAGE_BYTES
    )
    job.phase("find", each=find, over=lambda items: items)
    job.phase("fix", each=double.agent(Patch, "fix"), over=lambda items: items, needs="find")
    handoff = await fixed(job, tmp_path)

    assert double.said[0].endswith("left out]")
    assert "conversation" not in handoff.summary


@pytest.mark.parametrize(
    ("risk", "reason"),
    [("x" * 2 * MESSAGE_BYTES, "in a new conversation: that about find/i0 has a call of a tool that is too long")],
)
async def test_what_was_too_long_to_be_kept_is_begun_anew_and_that_is_said(
    tmp_path: Path, risk: str, reason: str
) -> None:
    double = Double(risk=risk)
    handoff = await fixed(mending(double), tmp_path)

    assert double.said == ["fix i0"]
    assert reason in handoff.summary


async def test_where_another_agent_stood_in_a_new_conversation_is_begun(tmp_path: Path) -> None:
    @agent
    async def guess(item: Item) -> Finding:
        return Finding(risk="a guess")

    double = Double(fails=True)
    handoff = await fixed(mending(double, fallback=guess), tmp_path)

    assert double.said == ["fix i0"]
    assert "in a new conversation: agent guess stands in for find/i0" in handoff.summary


async def test_after_a_failure_nothing_is_gone_on_with(tmp_path: Path) -> None:
    double = Double(fails=True)
    handoff = await fixed(mending(double), tmp_path)

    assert double.said == ["fix i0"]
    assert "conversation" not in handoff.summary


async def test_a_conversation_that_is_gone_is_begun_anew(tmp_path: Path) -> None:
    """The run was stopped between the two tasks, and the files of its transcripts were deleted."""
    double = Double()
    job = mending(double)
    first = Job("mending", goal="Mend", inputs=Items, defaults=ONCE)
    first.phases["find"] = job.phases["find"]
    async with a_run(first, tmp_path, items(1)) as run:
        await run_phases(run)
    for file in tmp_path.rglob("*.transcript.json"):
        file.unlink()
    handoff = await fixed(job, tmp_path)

    assert double.said == ["fix i0"]
    assert "in a new conversation: " in handoff.summary
    assert "transcript" in handoff.summary
