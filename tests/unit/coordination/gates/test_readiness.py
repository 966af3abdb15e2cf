"""Before something irreversible all who did the work are asked, and urgent concerns come first (O5, X13)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent as Model
from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from echelon import Brief, Concern, Gate, Handoffs, Job, agent, model_agent
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.step.record import raised
from echelon.model.concern import Disposition
from echelon.model.oversight.gate import GateRecord
from echelon.oversight.gates.answering import answer_gate
from echelon.oversight.gates.answers import AnswerWish
from echelon.runlog.events import ConcernDisposed, ConcernReopened
from echelon.testing.oversight import approving
from echelon.testing.runs import a_run
from tests.unit.coordination.jobs import ONCE

pytestmark = pytest.mark.anyio

APPROVE = AnswerWish(verdict="approve", author="mia", reason="seen")

sent: list[str] = []


@pytest.fixture(autouse=True)
def nothing_sent() -> None:
    sent.clear()


@agent(effect="irreversible")
async def send(drafts: Handoffs[str]) -> str:
    """Send the letter."""
    sent.extend(drafts.outputs())
    return sent[-1]


def sending(*before: Any, **phase: Any) -> Job:
    job = Job("letters", goal="Send a letter", defaults=ONCE)
    job.phase("write", agents=before)
    job.phase("send", agent=send, needs="write", **phase)
    return job


def gate_in(run: RunContext) -> GateRecord:
    return list(run.log.state.gates.values())[-1]


def who_said(run: RunContext) -> dict[str, tuple[str, str]]:
    return {one.agent: (one.answer, one.reason) for one in gate_in(run).readiness}


def write(ready: Any = None, name: str = "write") -> Any:
    @agent(ready=ready, name=name)
    async def draft() -> str:
        return name

    return draft


async def refusal(run: RunContext) -> str:
    return (await answer_gate(run.log.journal, gate_in(run).id, APPROVE)).answer.refused


async def dispose_all(run: RunContext) -> None:
    for record in [one for one in run.log.state.concerns.values() if one.is_open]:
        ended = Disposition(verdict="resolved", author="mia", reason="the figure was corrected", at=datetime.now(UTC))
        await run.log.append(
            ConcernDisposed(run_id=record.run_id, at=ended.at, concern_id=record.id, disposition=ended)
        )


@pytest.mark.parametrize(
    ("ready", "answer"),
    [
        (None, ("not_asked", "")),
        (lambda: True, ("ready", "")),
        (lambda: None, ("ready", "")),
        (lambda: "the figures are of last year", ("not_ready", "the figures are of last year")),
        (lambda: 1 / 0, ("no_answer", "ZeroDivisionError: division by zero")),
        (lambda: 3, ("no_answer", "write-ready returned a int; return True, False, a reason why not, or a Concern")),
    ],
)
async def test_participants_say_whether_they_are_ready_and_silence_is_no_yes(
    tmp_path: Path, ready: Any, answer: tuple[str, str]
) -> None:
    async with a_run(sending(write(ready)), tmp_path) as run:
        await run_phases(run)

        assert who_said(run) == {"write": answer, "send": ("not_asked", "")}


async def test_who_is_not_ready_holds_it_until_a_person_has_looked(tmp_path: Path) -> None:
    job = sending(write(lambda: "the figures are of last year"))
    async with a_run(job, tmp_path) as run:
        await run_phases(run)
        (concern,) = run.log.state.concerns.values()
        assert concern.concern.message == "write is not ready: the figures are of last year"
        assert (await refusal(run)).startswith(
            f"open concerns about it, or about what it uses, come first: {concern.id}"
        )
        await dispose_all(run)
        assert await refusal(run) == ""
    async with a_run(job, tmp_path) as run:
        await run_phases(run)

    assert sent == ["write"]


async def test_a_model_is_asked_in_one_short_call_without_its_tools(tmp_path: Path) -> None:
    asked: list[tuple[int, int]] = []

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        (tool,) = info.output_tools
        asked.append((len(messages), len(info.function_tools)))
        is_ready = "ready" in tool.parameters_json_schema["properties"]
        arguments = {"ready": False, "reason": "I guessed the amount"} if is_ready else {"text": "a letter"}
        return ModelResponse(parts=[ToolCallPart(tool.name, arguments)])

    class Letter(BaseModel):
        text: str

    @agent(effect="irreversible")
    async def post(letters: Handoffs[Letter]) -> str:
        sent.append("posted")
        return "posted"

    job = Job("letters", goal="Send a letter", defaults=ONCE)
    job.phase("write", agent=model_agent(Model(FunctionModel(answer), output_type=Letter, name="writer")))
    job.phase("post", agent=post, needs="write")
    async with a_run(job, tmp_path) as run:
        await run_phases(run)

        assert who_said(run)["writer"] == ("not_ready", "I guessed the amount")
    assert len(asked) == 2
    assert asked[1] == (1, 0)
    assert sent == []


async def test_the_round_is_made_once_however_many_gates_a_phase_has(tmp_path: Path) -> None:
    asked: list[str] = []

    def ready(brief: Brief) -> bool:
        asked.append(brief.phase)
        return True

    @agent(effect="irreversible")
    async def pay(item: int) -> int:
        sent.append(str(item))
        return item

    job = Job("pay", goal="Pay", defaults=ONCE)
    job.phase("check", agent=write(ready))
    job.phase("pay", each=pay, over=lambda: [1, 2, 3], needs="check")
    async with a_run(job, tmp_path, ask=approving()) as run:
        await run_phases(run)

    assert asked == ["pay"]
    assert sorted(sent) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("confidence", "impact", "held"), [(0.9, 0.9, True), (0.2, 0.9, True), (0.9, 0.1, False), (0.1, 0.1, False)]
)
async def test_urgent_concerns_about_what_it_uses_come_first(
    tmp_path: Path, confidence: float, impact: float, held: bool
) -> None:
    @agent
    async def doubt(brief: Brief) -> str:
        brief.raise_concern("the address is old", about="address.txt", confidence=confidence, impact=impact)
        return "dear sir"

    async with a_run(sending(doubt), tmp_path) as run:
        await run_phases(run)

        assert bool(gate_in(run).concerns) is held
        assert bool(await refusal(run)) is held


async def test_concerns_of_work_that_it_does_not_use_do_not_hold_it(tmp_path: Path) -> None:
    @agent
    async def doubt(brief: Brief) -> str:
        brief.raise_concern("the other thing is broken", about="other.txt", confidence=0.9, impact=0.9)
        return "other"

    job = sending(write())
    job.phase("aside", agent=doubt)
    async with a_run(job, tmp_path, ask=approving()) as run:
        await run_phases(run)

    assert sent == ["write"]


async def test_a_concern_that_is_raised_after_the_approval_holds_it_too(tmp_path: Path) -> None:
    job = sending(write(), gate=Gate(reason="it is sent to customers"))
    async with a_run(job, tmp_path) as run:
        await run_phases(run)
        assert await refusal(run) == ""
    async with a_run(job, tmp_path) as run:
        late = Concern(about="write", message="the template was wrong", confidence=0.9, impact=0.9)
        await run.log.append(raised(run, "mia", late, run.now()))
        await run_phases(run)
        error = run.log.state.steps[-1].handoff.error

        assert error is not None
        assert "was approved by mia (seen), and open concerns hold it: " in error.message
    assert sent == []


class Desk:
    """The world of a letter: what is to be sent, and what says that it may be."""

    def __init__(self) -> None:
        self.text = "one"
        self.says: str | bool = "no flag"
        self.asked = 0

        @agent(effect="irreversible", preview=lambda: f"send {self.text}", name="post")
        async def post() -> str:
            sent.append(self.text)
            return self.text

        self.post = post

    def ready(self) -> str | bool:
        """Say whether the desk is ready."""
        self.asked += 1
        return self.says

    def job(self) -> Job:
        """Return the job: the desk is prepared, then the letter is sent."""
        job = Job("letters", goal="Send a letter", defaults=ONCE)
        job.phase("prep", agent=write(self.ready, "prep"))
        job.phase("send", agent=self.post, needs="prep")
        return job

    async def go_on(self, home: Path) -> RunContext:
        """Let another process go on with the run."""
        async with a_run(self.job(), home) as run:
            await run_phases(run)
            return run


async def dispose_in(home: Path, desk: Desk) -> None:
    async with a_run(desk.job(), home) as run:
        await dispose_all(run)


async def test_a_new_gate_asks_again_and_who_is_ready_now_takes_its_own_concern_back(tmp_path: Path) -> None:
    desk = Desk()
    await desk.go_on(tmp_path)
    desk.text, desk.says = "two", True
    run = await desk.go_on(tmp_path)

    (concern,) = run.log.state.concerns.values()
    end = concern.disposition
    assert end is not None
    assert desk.asked == 2
    assert who_said(run)["prep"] == ("ready", "")
    assert (end.verdict, end.author, end.looked_at) == ("resolved", "prep", ("send/ready/prep/2: ready",))
    assert end.reason == "prep was asked again, and says that it is ready now"
    assert gate_in(run).concerns == ()
    assert not [one for one in run.log.state.exceptions if "done again" in one.message]


async def test_a_gate_that_still_stands_asks_nobody_again(tmp_path: Path) -> None:
    desk = Desk()
    await desk.go_on(tmp_path)
    desk.says = True
    run = await desk.go_on(tmp_path)

    assert desk.asked == 1
    assert len(run.log.state.gates) == 1
    assert len(gate_in(run).concerns) == 1


async def test_who_is_still_not_ready_for_the_same_reason_holds_the_new_gate_with_one_concern(tmp_path: Path) -> None:
    desk = Desk()
    await desk.go_on(tmp_path)
    desk.text = "two"
    run = await desk.go_on(tmp_path)

    (concern,) = run.log.state.concerns.values()
    assert concern.is_open
    assert gate_in(run).concerns == (concern.id,)
    assert desk.asked == 2


async def test_what_a_person_ended_is_raised_anew_for_another_action_only(tmp_path: Path) -> None:
    desk = Desk()
    await desk.go_on(tmp_path)
    await dispose_in(tmp_path, desk)
    desk.text = "two"
    await desk.go_on(tmp_path)  # another letter: it is raised for that
    await dispose_in(tmp_path, desk)
    desk.text = "one"
    run = await desk.go_on(tmp_path)  # a person has seen it beside this one

    assert desk.asked == 3
    assert [one.is_open for one in run.log.state.concerns.values()] == [False, False]
    assert who_said(run)["prep"] == ("not_ready", "no flag")


async def test_who_took_its_concern_back_and_is_not_ready_after_all_opens_it_again(tmp_path: Path) -> None:
    desk = Desk()
    for text, says in (("one", "no flag"), ("two", True), ("three", "no flag")):
        desk.text, desk.says = text, says
        run = await desk.go_on(tmp_path)

    (concern,) = run.log.state.concerns.values()
    assert concern.is_open
    assert [(one.by, one.disposition.author) for one in concern.reopened] == [("prep", "prep")]
    assert gate_in(run).concerns == (concern.id,)


async def test_what_a_person_has_opened_again_is_not_taken_back_by_its_raiser(tmp_path: Path) -> None:
    desk = Desk()
    await desk.go_on(tmp_path)
    async with a_run(desk.job(), tmp_path) as run:
        await dispose_all(run)
        (concern,) = run.log.state.concerns
        again = ConcernReopened(
            run_id="run",
            at=run.now(),
            concern_id=concern,
            by="tom",
            reason="the flag is a fake",
            evidence=("the flag",),
        )
        await run.log.append(again)
    desk.text, desk.says = "two", True
    run = await desk.go_on(tmp_path)

    assert run.log.state.concerns[concern].is_open
    assert gate_in(run).concerns == (concern,)
