"""What models were asked and answered is on record by reference, however the step ends (V2). With a real journal."""

import asyncio
import contextlib
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel

from echelon import Budget, Job, Resilience, agent, model_agent
from echelon.agents.transcript.transcript import Transcript
from echelon.coordination.job_run import run_phases
from echelon.model.run import Conversation, RunView
from echelon.redaction import register_secrets_in
from echelon.settings import Settings
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import Item, items, looking, on_record

pytestmark = pytest.mark.anyio


class Finding(BaseModel):
    lines: int


def answering(*answers: Any, output: Any = Finding, **options: Any) -> Any:
    """Return a model that gives these answers, call by call, the last one again and again; an error is raised."""
    left = list(answers)

    async def answer(_messages: Sequence[ModelMessage], info: AgentInfo) -> ModelResponse:
        one = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(one, BaseException):
            raise one
        if one == "hang":
            await asyncio.Event().wait()
        part = ToolCallPart(info.output_tools[0].name, one) if info.output_tools else TextPart(one)
        return ModelResponse(parts=[part])

    inner = PydanticAgent(FunctionModel(answer, model_name="double"), output_type=output, retries=0)
    return model_agent(inner, name="review", prompt=lambda call: f"look at {call.item}", **options)


async def done_by(who: Any, home: Path, job: Job | None = None) -> RunView:
    """Let an agent look at one item, and return what everybody is shown of that."""
    async with a_run(job or looking(each=who), home, items(1)) as run:
        await run_phases(run)
        state = await on_record(run)
        view = view_so_far(run)
    assert state.conversations == view.conversations
    return view


def read(home: Path, conversation: Conversation) -> Transcript:
    reference = conversation.transcript
    assert reference is not None
    return Transcript.model_validate_json((home / "outputs" / reference.location).read_bytes())


def told(home: Path, view: RunView) -> list[list[str]]:
    """Return what was said in each conversation."""
    return [[part.text for message in one.messages for part in message.parts] for one in transcripts(home, view)]


def transcripts(home: Path, view: RunView) -> list[Transcript]:
    return [read(home, one) for one in view.conversations]


async def test_a_conversation_is_kept_beside_the_outputs_of_its_run_for_its_owner_only(tmp_path: Path) -> None:
    view = await done_by(answering({"lines": 3}), tmp_path)

    (kept,) = view.conversations
    reference = kept.transcript
    assert reference is not None
    file = tmp_path / "outputs" / reference.location
    assert (kept.task_id, kept.agent, kept.model, kept.answers, kept.error) == ("look/i0", "review", "double", 1, "")
    assert kept.key == view.steps[0].key
    assert file.parent == tmp_path / "outputs" / "run"
    assert reference.content is None
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert told(tmp_path, view)[0][1:] == ['{"lines": 3}', "Final result processed."]


async def test_each_attempt_is_a_conversation_and_says_why_it_has_no_answer(tmp_path: Path) -> None:
    failing = answering(ConnectionError("away"), {"lines": 3}, attempts=2)
    view = await done_by(failing, tmp_path)

    assert [one.error for one in view.conversations] == ["ConnectionError: away", ""]
    assert [one.answers for one in view.conversations] == [0, 1]
    assert told(tmp_path, view)[0] == ["look at id='i0' domain='d0' fails=False"]


async def test_what_a_model_was_asked_is_kept_when_its_time_is_over(tmp_path: Path) -> None:
    view = await done_by(answering("hang", timeout=0.5), tmp_path)

    assert view.steps[0].handoff.error is not None
    assert view.steps[0].handoff.error.kind == "AgentTimeout"
    assert [one.error for one in view.conversations] == ["cut off: its time was over, or the run was stopped"]
    assert told(tmp_path, view) == [["look at id='i0' domain='d0' fails=False"]]


async def test_a_model_that_ignores_its_cancellation_is_given_up_and_its_conversation_kept(tmp_path: Path) -> None:
    seen = asyncio.Event()

    async def stubborn(_messages: Sequence[ModelMessage], _info: AgentInfo) -> ModelResponse:
        while not seen.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await seen.wait()
        raise ConnectionError("too late for anybody")

    inner = PydanticAgent(FunctionModel(stubborn), name="review")
    view = await done_by(model_agent(inner, prompt=lambda _: "look", timeout=0.5), tmp_path)
    seen.set()

    assert view.steps[0].handoff.error is not None
    assert "was given up" in view.steps[0].handoff.error.message
    assert [one.error for one in view.conversations] == ["cut off: its time was over, or the run was stopped"]
    assert told(tmp_path, view) == [["look"]]


async def test_what_was_said_before_a_budget_ended_it_is_kept(tmp_path: Path) -> None:
    inner = PydanticAgent(TestModel(), output_type=Finding, name="review")

    @inner.tool_plain
    def count_lines(path: str) -> int:
        return len(path)

    view = await done_by(model_agent(inner, budget=Budget(calls=1), attempts=1), tmp_path)

    assert view.steps[0].handoff.error is not None
    assert view.steps[0].handoff.error.kind == "BudgetExhausted"
    assert told(tmp_path, view)[0][1:] == ['{"path": "a"}', "1"]


async def test_an_answer_that_is_asked_for_once_more_is_two_conversations(tmp_path: Path) -> None:
    view = await done_by(answering({"lines": "many"}, {"lines": 3}, contract="flexible", attempts=1), tmp_path)

    first, second = told(tmp_path, view)
    assert view.steps[0].handoff.done
    assert '{"lines": "many"}' in first
    assert "Your last answer was refused" in second[0]
    assert '{"lines": 3}' in second


async def test_a_call_that_wraps_up_is_a_conversation_too(tmp_path: Path) -> None:
    inner = PydanticAgent(TestModel(custom_output_args={"lines": 1}), output_type=Finding, name="review")

    @inner.tool_plain
    def count_lines(path: str) -> int:
        return len(path)

    budget = Budget(calls=2, final_call=0.5)
    view = await done_by(model_agent(inner, budget=budget, attempts=1), tmp_path)

    assert view.steps[0].handoff.wrapped_up
    assert len(view.conversations) == 2
    assert any("this is your last answer" in text for text in told(tmp_path, view)[1])


async def test_a_model_that_stands_in_is_heard_under_the_task_it_does(tmp_path: Path) -> None:
    @agent(fallback=answering({"lines": 1}))
    async def look(item: Item) -> Finding:
        raise RuntimeError(item.id)

    view = await done_by(look, tmp_path)

    assert [(one.task_id, one.agent) for one in view.conversations] == [("look/i0", "review")]


async def test_what_is_kept_stays_when_the_run_is_resumed(tmp_path: Path) -> None:
    job = looking(each=answering({"lines": 3}))
    first = await done_by(None, tmp_path, job)
    again = await done_by(None, tmp_path, job)

    assert again.conversations == first.conversations


async def test_functions_have_no_conversations(tmp_path: Path) -> None:
    @agent
    async def look(item: Item) -> str:
        return item.id

    assert (await done_by(look, tmp_path)).conversations == ()


@pytest.mark.parametrize("by", ["Job(transcripts=False)", "ECHELON_TRANSCRIPTS"])
async def test_nothing_is_kept_where_it_is_switched_off_and_the_record_says_by_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    if by == "ECHELON_TRANSCRIPTS":
        monkeypatch.setenv("ECHELON_TRANSCRIPTS", "false")
    job = Job("quiet", goal="Say nothing", transcripts=by == "ECHELON_TRANSCRIPTS")
    job.phase("look", agent=answering({"lines": 3}))
    async with a_run(job, tmp_path) as run:
        await run_phases(run)
        (kept,) = view_so_far(run).conversations

    assert (kept.transcript, kept.not_kept) == (None, f"transcripts are switched off by {by}")
    assert not list(tmp_path.rglob("*.transcript.json"))


def test_settings_keep_transcripts_unless_they_say_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().transcripts
    monkeypatch.setenv("ECHELON_TRANSCRIPTS", "0")
    assert not Settings().transcripts


class Unreadable(BaseModel):
    """What a tool returns, and cannot be dumped a second time."""

    n: int

    def model_dump(self, **_options: Any) -> Any:
        raise SystemError("no")


async def test_a_conversation_that_cannot_be_written_costs_nothing_but_itself(tmp_path: Path) -> None:
    inner = PydanticAgent(TestModel(custom_output_args={"lines": 1}), output_type=Finding, name="review")

    @inner.tool_plain
    def measure() -> Unreadable:
        return Unreadable(n=1)

    view = await done_by(inner, tmp_path)

    assert view.steps[0].handoff.done
    assert [one.not_kept for one in view.conversations] == ["it could not be written: SystemError: no"]


async def test_a_file_in_the_place_of_the_folder_costs_the_transcript_only(tmp_path: Path) -> None:
    (tmp_path / "outputs").write_text("not a folder")
    view = await done_by(answering({"lines": 3}), tmp_path)

    assert view.steps[0].handoff.done
    assert view.conversations[0].not_kept.startswith("it could not be written: cannot write transcript")


async def test_an_error_that_cannot_say_what_it_is_is_named_by_its_class(tmp_path: Path) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise TypeError("no words")

    view = await done_by(answering(Mute(), attempts=1), tmp_path)

    assert [one.error for one in view.conversations] == ["Mute"]


class Given(BaseModel):
    token: SecretStr = SecretStr('correct "horse" battery')


async def test_a_secret_input_is_in_no_transcript_however_it_is_written(tmp_path: Path) -> None:
    """As it is in a prompt, as JSON in arguments, from a tool, and in an error."""
    secret = Given().token.get_secret_value()
    inner = PydanticAgent(TestModel(), name="review", instructions=f"use {secret}")

    @inner.tool_plain
    def fetch(path: str) -> dict[str, str]:
        raise ValueError(f"{path} {secret}")

    async def ask(_messages: Sequence[ModelMessage], _info: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[ToolCallPart("fetch", {"path": secret})])

    job = Job("secret", goal="Use it", inputs=Given, defaults=Resilience(attempts=1))
    job.phase("look", agent=model_agent(inner, prompt=lambda _: f"with {secret}"))
    with inner.override(model=FunctionModel(ask)):
        async with a_run(job, tmp_path, Given()) as run:
            register_secrets_in(Given())
            await run_phases(run)
            view = view_so_far(run)

    (file,) = tmp_path.rglob("*.transcript.json")
    written = file.read_text() + view.conversations[0].model_dump_json()
    assert told(tmp_path, view)[0][:2] == ["use [secret]", "with [secret]"]
    assert written.count("[secret]") >= 4
    assert not any(word in written for word in ("horse", "battery"))


KILLED = """
import asyncio, os, signal, sqlite3, sys
from pathlib import Path

from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.messages import ModelResponse, ToolCallPart
from pydantic_ai.models.function import FunctionModel

from echelon import Job, model_agent
from echelon.coordination.job_run import run_phases
from echelon.testing.runs import a_run

home = Path(sys.argv[1])


class Finding(BaseModel):
    lines: int


async def answer(messages, info):
    if "refused" not in str(messages):
        return ModelResponse(parts=[ToolCallPart(info.output_tools[0].name, {"lines": "many"})])
    while True:  # it is asked once more: dies when its first answer is on record
        with sqlite3.connect(home / "journal.db") as journal:
            if journal.execute("select count(*) from events where kind = 'model_asked'").fetchone()[0]:
                os.kill(os.getpid(), signal.SIGKILL)
        await asyncio.sleep(0.01)


job = Job("killed", goal="Be killed")
inner = Agent(FunctionModel(answer), output_type=Finding, retries=0)
job.phase("look", agent=model_agent(inner, name="review", contract="flexible"))


async def main():
    async with a_run(job, home) as run:
        await run_phases(run)

asyncio.run(main())
"""


async def test_what_was_answered_before_the_process_was_killed_is_on_record(tmp_path: Path) -> None:
    """Between an answer and its handoff: here while the model is asked once more."""
    killed = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", KILLED, str(tmp_path)], timeout=60, check=False, capture_output=True
    )
    assert killed.returncode == -9, killed.stderr.decode()

    job = Job("killed", goal="Be killed")
    job.phase("look", agent=answering({"lines": 3}))
    async with a_run(job, tmp_path) as run:
        assert not view_so_far(run).steps
        (kept,) = view_so_far(run).conversations

    assert '{"lines": "many"}' in [part.text for message in read(tmp_path, kept).messages for part in message.parts]


async def test_a_model_that_was_not_asked_is_on_record_with_the_reason(tmp_path: Path) -> None:
    """So that one without any conversation is known to be of an older version, or refused before its first attempt."""

    def no_prompt(_call: object) -> str:
        raise LookupError("no template")

    inner = PydanticAgent(TestModel(), name="review")
    view = await done_by(model_agent(inner, prompt=no_prompt, attempts=1), tmp_path)

    assert [(one.answers, one.error, one.not_kept) for one in view.conversations] == [
        (0, "LookupError: no template", "the model was not asked anything")
    ]


async def test_agents_side_by_side_do_not_hear_of_each_other(tmp_path: Path) -> None:
    async with a_run(looking(each=answering({"lines": 3})), tmp_path, items(5, 5)) as run:
        await run_phases(run)
        view = view_so_far(run)

    assert sorted(one.task_id for one in view.conversations) == sorted(f"look/i{n}" for n in range(10))
    assert [one.not_kept for one in view.conversations] == [""] * 10
    for one in view.conversations:
        said = read(tmp_path, one).messages[0].parts[0].text
        assert f"id='{one.task_id.removeprefix('look/')}'" in said
