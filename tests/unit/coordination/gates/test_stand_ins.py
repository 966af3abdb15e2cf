"""What cannot be undone and stands in for lost work waits at its gate, like everything that has one (F2, O5)."""

from pathlib import Path
from typing import Any

import pytest

from echelon import AgentFailed, Handoffs, Job, agent
from echelon.agents.fallback import Fallback
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.model.oversight.gate import Question
from echelon.model.run import RunStatus, RunView
from echelon.oversight.gates.answering import answer_gate
from echelon.oversight.gates.answers import AnswerWish
from echelon.runlog.view import view_of
from echelon.testing.runs import a_run
from tests.unit.coordination.jobs import ONCE, Items

pytestmark = pytest.mark.anyio


@agent
async def other() -> str:
    """Send it in another way."""
    return "sent by another one"


class Office:
    """The world: it keeps what was sent on paper."""

    def __init__(self, *behind: Any, **asked: Any) -> None:
        self.sent: list[str] = []
        self.fails: list[Exception] = []

        @agent(effect="irreversible", preview=lambda: "send it on paper")
        async def paper() -> str:
            if self.fails:
                raise self.fails.pop(0)
            self.sent.append("paper")
            return "sent on paper"

        @agent(fallback=[Fallback.agent(paper), *behind])
        async def mail() -> str:
            raise AgentFailed("the mail is down")

        @agent
        async def archive(send: Handoffs[str]) -> str:
            return f"archived: {send.outputs()[0]}"

        self.job = Job("send", goal="Send it", inputs=Items, defaults=ONCE)
        self.job.phase("send", agent=mail, **asked)
        self.job.phase("archive", agent=archive, needs={"send": "loose"})

    async def work(self, home: Path) -> tuple[RunStatus | None, RunView]:
        """Let one process work on the run, as far as it comes."""
        async with a_run(self.job, home, Items()) as run:
            ended = status_after(await run_phases(run))
            return ended, view_of(run.log.state, run.outputs.read_json)

    async def answer(self, home: Path, wish: AnswerWish) -> None:
        async with a_run(self.job, home, Items()) as run:
            (gate,) = [one for one in run.log.state.gates.values() if one.is_open]
            assert (await answer_gate(run.log.journal, gate.id, wish)).counts


def says(verdict: Any) -> AnswerWish:
    return AnswerWish(verdict=verdict, author="mia", reason="seen", output="sent by hand")


async def test_a_stand_in_at_its_gate_is_waited_for_and_so_is_what_uses_it(tmp_path: Path) -> None:
    office = Office()
    ended, view = await office.work(tmp_path)

    (gate,) = view.gates
    assert (ended, office.sent, gate.is_open, gate.action.preview) == (RunStatus.WAITING, [], True, "send it on paper")
    assert {one.task_id: bool(one.asks) for one in view.missing} == {"send/mail": True, "archive/archive": True}
    assert "the mail is down; agent paper is asked about: send/mail waits for a person" in view.missing[0].reason


async def test_an_approved_stand_in_is_done_once_and_used(tmp_path: Path) -> None:
    office = Office()
    await office.work(tmp_path)
    await office.answer(tmp_path, says("approve"))
    for _ in range(2):
        ended, view = await office.work(tmp_path)

        assert (ended, office.sent, view.output) == (RunStatus.COMPLETED, ["paper"], "archived: sent on paper")


async def test_a_stand_in_that_is_denied_leaves_its_place_to_the_next_one(tmp_path: Path) -> None:
    """As long as nobody has said no, nothing else takes its place."""
    office = Office(Fallback.default("not sent"))
    ended, _ = await office.work(tmp_path)
    assert ended is RunStatus.WAITING

    await office.answer(tmp_path, says("deny"))
    ended, view = await office.work(tmp_path)
    assert (ended, office.sent, view.output) == (RunStatus.PARTIAL, [], "archived: not sent")


@pytest.mark.parametrize(
    ("verdict", "output", "sent"),
    [("approve", "archived: sent on paper", ["paper"]), ("done", "archived: sent by hand", [])],
)
async def test_a_stand_in_that_was_cut_off_is_asked_about(
    tmp_path: Path, verdict: str, output: str, sent: list[str]
) -> None:
    office = Office()
    office.fails = [ConnectionError("gone while sending")]
    await office.work(tmp_path)
    await office.answer(tmp_path, says("approve"))
    ended, view = await office.work(tmp_path)
    assert (ended, view.gates[-1].question) == (RunStatus.WAITING, Question.CUT_OFF)

    await office.answer(tmp_path, says(verdict))
    ended, view = await office.work(tmp_path)
    assert (ended, view.output, office.sent) == (RunStatus.COMPLETED, output, sent)


@pytest.mark.parametrize("stand_in", [Fallback.default("not sent"), other], ids=["a default", "another agent"])
async def test_nothing_stands_in_for_what_waits_at_its_gate(tmp_path: Path, stand_in: Any) -> None:
    """A second gate, of the stand-in, closed the first one, and each resume asked about the other one again."""

    @agent(fallback=stand_in)
    async def courier() -> str:
        return "sent by courier"

    job = Job("send", goal="Send it", inputs=Items, defaults=ONCE)
    job.phase("send", agent=courier, gate="it is expensive")
    for _ in range(2):
        async with a_run(job, tmp_path, Items()) as run:
            assert status_after(await run_phases(run)) is RunStatus.WAITING
            (gate,) = run.log.state.gates.values()
    assert (gate.is_open, gate.action.agent) == (True, "courier")

    async with a_run(job, tmp_path, Items()) as run:
        await answer_gate(run.log.journal, gate.id, says("approve"))
        assert status_after(await run_phases(run)) is RunStatus.COMPLETED
