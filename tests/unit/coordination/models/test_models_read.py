"""What models are shown of earlier phases in a run, and how it is counted (C6)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from echelon import AgentFailed, Fallback, Job, Need, Outcome, Repeat, Resilience, agent, command, model_agent
from echelon.agents.call import Call
from echelon.agents.prompt import prompt_of
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.engine.run import RunOptions, prepare_run
from echelon.model.handoff import Handoff
from echelon.runlog.events import LoggedEvent, OutputRead
from echelon.settings import Settings
from echelon.testing.runs import a_run
from tests.unit.coordination.jobs import ONCE

pytestmark = pytest.mark.anyio

BIG = 200_000  # bytes


class Size(BaseModel):
    files: int
    lines: int


@agent
def measure() -> Size:
    """Measure the code."""
    return Size(files=3, lines=120)


@agent
def draw() -> str:
    """Draw the code."""
    return "x" * BIG


@agent
def fail() -> str:
    """Fail."""
    raise AgentFailed("the disk is full")


class Reader:
    """A model that keeps its prompts."""

    def __init__(self, **options: Any) -> None:
        self.prompts: list[str] = []
        self.agent = model_agent(PydanticAgent(FunctionModel(self._answer)), **({"name": "judge"} | options))

    @property
    def prompt(self) -> str:
        (only,) = self.prompts
        return only

    def _answer(self, messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        self.prompts.append(str(messages[-1].parts[-1].content))
        return ModelResponse(parts=[TextPart("ship it")])


def deciding(reader: Reader, *agents: Any, defaults: Resilience = ONCE, **phase: Any) -> Job:
    job = Job("review", goal="Decide whether this code can ship", defaults=defaults, constraints=("read only",))
    job.phase("look", agents=list(agents))
    job.phase("decide", agent=reader.agent, **({"needs": "look"} | phase))
    return job


async def worked(job: Job, home: Path, **spec: Any) -> tuple[RunContext, Handoff]:
    """Do a job; returns its run and the handoff of its last step."""
    async with a_run(job, home, **spec) as run:
        await run_phases(run)
        return run, run.log.state.steps[-1].handoff


async def test_a_judge_sees_what_it_judges(tmp_path: Path) -> None:
    """It saw `measure: Size` and a reference that it could not open, and the run was "completed"."""
    judge = Reader()
    lint = command(["echo", "[]"], name="lint", output=list[int])
    heard: list[LoggedEvent] = []
    _, handoff = await worked(deciding(judge, measure, lint), tmp_path, watch=heard.extend)

    assert '"summary": "files: 3, lines: 120", "output": {"files":3,"lines":120}}' in judge.prompt
    assert '"summary": "0 items", "output": []}' in judge.prompt
    assert "# Constraints\n- read only" in judge.prompt
    assert handoff.received.bytes_by_reference == 0
    shown = len('{"files":3,"lines":120}') + len("[]")
    told = "Phase look: 2 tasks." + "files: 3, lines: 120" + "0 items"
    assert handoff.received.bytes_by_value == len(told) + shown
    read = [one.event.read.task_id for one in heard if isinstance(one.event, OutputRead)]
    assert sorted(read) == ["look/lint", "look/measure"]


async def test_a_large_output_is_named_and_counts_as_by_reference(tmp_path: Path) -> None:
    judge = Reader()
    _, handoff = await worked(deciding(judge, measure, draw), tmp_path)

    assert '"not_given": "200,002 bytes, about 50,001 tokens"' in judge.prompt
    assert '"output": {"files":3,"lines":120}' in judge.prompt
    assert len(judge.prompt) < 5_000
    assert handoff.received.bytes_by_reference == BIG + 2
    assert handoff.received.tokens_by_value < 200


async def test_a_prompt_of_ones_own_counts_what_it_takes_over(tmp_path: Path) -> None:
    wrapping: Callable[[Call], str] = lambda call: f"Be brief.\n\n{prompt_of(call)}"  # noqa: E731
    taken = (await worked(deciding(Reader(prompt=wrapping), measure), tmp_path / "a"))[1].received
    left = (await worked(deciding(Reader(prompt=lambda _: "decide"), measure), tmp_path / "b"))[1].received
    size = len('{"files":3,"lines":120}')

    assert (taken.bytes_by_reference, left.bytes_by_reference) == (0, size)
    assert taken.bytes_by_value == left.bytes_by_value + size


@pytest.mark.parametrize(
    ("bounds", "shown"),
    [
        ({}, True),
        ({"setting": 0}, False),
        ({"setting": 5}, False),  # 23 bytes are 6 tokens
        ({"setting": 0, "job": 6}, True),
        ({"job": False}, False),
        ({"job": False, "phase": 6}, True),
        ({"job": 6, "phase": False, "agent": 6}, True),
        ({"phase": 6, "agent": False}, False),
    ],
    ids=str,
)
async def test_the_nearest_bound_holds(tmp_path: Path, bounds: dict[str, Any], shown: bool) -> None:
    stated = {level: Resilience(by_value_tokens=bounds.get(level)) for level in ("job", "phase")}
    judge = Reader(by_value_tokens=bounds.get("agent"))
    job = deciding(judge, measure, defaults=stated["job"].over(ONCE), resilience=stated["phase"])
    spec = {"by_value_tokens": bounds["setting"]} if "setting" in bounds else {}
    await worked(job, tmp_path, **spec)

    assert ('"output": {"files":3' in judge.prompt) == shown


async def test_the_setting_reaches_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHELON_BY_VALUE_TOKENS", "7")
    job = deciding(Reader(), measure)
    async with prepare_run(job, job.inputs_type(), RunOptions(), Settings(home=tmp_path)) as prepared:
        assert prepared.context.spec.by_value_tokens == 7


async def test_another_model_that_stands_in_is_shown_it_by_its_own_bound(tmp_path: Path) -> None:
    other = Reader(name="other", by_value_tokens=6)

    def refuse(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        raise AgentFailed("not today")

    first = model_agent(
        PydanticAgent(FunctionModel(refuse)), name="judge", by_value_tokens=False, fallback=Fallback.agent(other.agent)
    )
    job = Job("review", goal="Decide", defaults=ONCE)
    job.phase("look", agents=[measure])
    job.phase("decide", agent=first, needs="look")
    _, handoff = await worked(job, tmp_path)

    assert '"output": {"files":3,"lines":120}' in other.prompt
    assert handoff.received.bytes_by_reference == 0


async def test_what_is_missing_or_replaced_is_named(tmp_path: Path) -> None:
    judge = Reader()
    await worked(deciding(judge, measure, fail), tmp_path / "missing")
    assert "look/fail: the disk is full" in judge.prompt

    replacing = agent(fallback=Fallback.default("nothing drawn"))(fail.function)
    judge = Reader()
    await worked(deciding(judge, measure, replacing), tmp_path / "replaced")
    assert '"summary": "the default value stands in: nothing drawn"' in judge.prompt
    assert '"caveat": "not the work itself: the default value stands in, since: the disk is full"' in judge.prompt
    assert '"output": "nothing drawn"' in judge.prompt


async def test_what_a_need_is_filled_with_is_shown(tmp_path: Path) -> None:
    judge = Reader()
    need = Need("look", fallback=Fallback.default("an empty drawing"))
    job = Job("review", goal="Decide", defaults=ONCE)
    job.phase("look", agent=fail)
    job.phase("decide", agent=judge.agent, needs=[need])
    await worked(job, tmp_path)

    assert '"output": "an empty drawing"' in judge.prompt
    assert '"confidence": 0.0' in judge.prompt


async def test_a_summary_that_was_stated_is_kept(tmp_path: Path) -> None:
    @agent
    def say() -> Outcome[int]:
        """Say a number."""
        return Outcome(output=7, summary="seven")

    judge = Reader()
    await worked(deciding(judge, say), tmp_path)

    assert '"summary": "seven", "output": 7' in judge.prompt


async def test_a_model_that_did_not_begin_was_given_nothing(tmp_path: Path) -> None:
    judge = Reader(prompt=lambda _: 1 / 0)
    _, handoff = await worked(deciding(judge, measure), tmp_path)

    assert handoff.error is not None
    assert handoff.received.bytes_by_reference == len('{"files":3,"lines":120}')


async def test_a_model_in_its_second_round_is_given_what_it_delivered_in_the_first(tmp_path: Path) -> None:
    """That is no output it received: taken off from what it had by reference, it made less than nothing of it."""
    judge, said = Reader(), iter(["say why", ""])

    def passes(output: str) -> str:
        return next(said)

    job = Job("review", goal="Decide whether this code can ship", defaults=ONCE)
    job.phase("decide", agent=judge.agent, repeat=Repeat(until=passes))
    run, _ = await worked(job, tmp_path)
    received = [step.handoff.received for step in run.log.state.steps if step.handoff.task_id == "decide/judge"]

    assert ['"ship it"' in prompt for prompt in judge.prompts] == [False, True]
    assert "say why" in judge.prompts[1]
    assert [one.bytes_by_reference for one in received] == [0, 0, 0]
    assert received[1].bytes_by_value == len('"ship it"') + received[0].bytes_by_value
