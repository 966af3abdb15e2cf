"""`done` says what came of a deed: what its contract or its checks refuse is no answer, and it is asked again (O5)."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, cast

import pytest

from echelon import Gate, Job, agent
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.coordination.step.intents import OperatorDecision
from echelon.model.errors import InvalidInput
from echelon.model.oversight.gate import GateRecord, Question, Verdict
from echelon.model.run import RunStatus
from echelon.oversight.gates.answering import Answered, answer_gate
from echelon.oversight.gates.answers import AnswerWish
from echelon.testing.oversight import approving
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import ONCE, Items

pytestmark = pytest.mark.anyio

MISFIT = (
    "what is said to have come of it does not fit the contract of the work: the output: 'posted' is not in its "
    "vocabulary: 'sent by hand, 1', 'sent by hand, 7'"
)
#: The shape on record of the contract knows no words, and objects to kinds alone.
UNNUMBERED = "posted"


@agent(effect="irreversible", preview=lambda: "send it")
async def send() -> Literal["sent by hand, 1", "sent by hand, 7"]:
    """Send it, and lose the line."""
    raise ConnectionError("gone while sending")


@agent(effect="irreversible", preview=lambda: "post it")
async def post() -> str:
    """Post it, and lose the line."""
    raise ConnectionError("gone while posting")


def names_seven(output: str) -> bool:
    """Does it say that it was sent under number 7?"""
    return "7" in output


def sending(**phase: Any) -> Job:
    job = Job("send", goal="Send it", inputs=Items, defaults=ONCE)
    job.phase("send", **{"agent": send, **phase})
    return job


class Sent:
    """A run whose only step was cut off."""

    def __init__(self, job: Job, home: Path) -> None:
        self.job, self.home = job, home

    async def go_on(self, **more: Any) -> tuple[RunStatus | None, list[GateRecord], Any, str]:
        """Return how one process leaves the run: its status, gates, output, and why the step is missing."""
        async with a_run(self.job, self.home, Items(), **more) as run:
            ended = status_after(await run_phases(run))
            view = view_so_far(run)
            return ended, list(view.gates), view.output, "".join(one.reason for one in view.missing)

    async def answer(self, verdict: Verdict, output: object) -> Answered:
        """Answer from elsewhere, where nobody knows the contract, as `echelon gates` does."""
        async with a_run(self.job, self.home, Items()) as run:
            (gate,) = [one for one in run.log.state.gates.values() if one.is_open]
            wish = AnswerWish(verdict=verdict, author="mia", reason="seen", output=output)
            return await answer_gate(run.log.journal, gate.id, wish)


@pytest.fixture
async def sent(tmp_path: Path) -> Sent:
    run = Sent(sending(), tmp_path)
    await run.go_on(ask=approving())
    return run


async def test_an_output_that_does_not_fit_is_asked_for_again_with_the_reason(sent: Sent) -> None:
    assert (await sent.answer("done", UNNUMBERED)).counts, "nobody knows the contract there"
    for _ in range(2):
        ended, (_, wrong, again), _, reason = await sent.go_on()

        assert ended is RunStatus.WAITING
        assert wrong.closed.startswith(MISFIT)
        assert (again.question, again.is_open) == (Question.CUT_OFF, True)
        assert again.note.startswith(wrong.closed)
        assert wrong.closed in reason

    assert (await sent.answer("done", "sent by hand, 1")).counts
    ended, gates, output, _ = await sent.go_on()
    assert (ended, len(gates), output) == (RunStatus.COMPLETED, 3, "sent by hand, 1")


async def test_an_output_of_another_kind_is_refused_at_once_also_where_nobody_has_the_contract(tmp_path: Path) -> None:
    posted = Sent(sending(agent=post), tmp_path)
    await posted.go_on(ask=approving())
    refused = await posted.answer("done", [1, 2])

    assert (refused.counts, refused.gate.is_open, refused.gate.takes) == (False, True, {"": "text"})
    assert refused.answer.refused == (
        "what is said to have come of it does not fit the contract of the work: the output must be text, and is list; "
        "give text"
    )


async def test_behind_an_output_that_does_not_fit_it_can_be_done_again_or_denied(sent: Sent) -> None:
    await sent.answer("done", UNNUMBERED)
    await sent.go_on()
    await sent.answer("approve", None)
    ended, gates, _, _ = await sent.go_on()
    assert (ended, [gate.used for gate in gates]) == (RunStatus.WAITING, [True, False, True, False])

    await sent.answer("deny", None)
    ended, _, _, reason = await sent.go_on()
    assert (ended, "was denied by mia" in reason) == (RunStatus.FAILED, True)


async def test_an_output_given_when_the_run_is_resumed_is_refused_at_once(sent: Sent) -> None:
    ended, (_, gate), _, reason = await sent.go_on(decision=OperatorDecision(done={"send/send": UNNUMBERED}, by="mia"))

    assert (ended, gate.is_open) == (RunStatus.WAITING, True)
    assert [one.refused.startswith(MISFIT) for one in gate.answers] == [True]
    assert f"the answer given with this run does not count: {MISFIT}" in reason


async def test_a_person_who_is_there_is_told_at_once_and_asked_again(sent: Sent) -> None:
    outputs: list[Any] = [UNNUMBERED, "sent by hand, 1"]
    told: list[str] = []

    async def ask(gate: GateRecord) -> AnswerWish:
        told.extend(one.refused for one in gate.answers)
        return AnswerWish(verdict="done", author="mia", output=outputs.pop(0), channel="terminal")

    ended, gates, output, _ = await sent.go_on(ask=ask)
    assert (ended, len(gates), output) == (RunStatus.COMPLETED, 2, "sent by hand, 1")
    assert [one.startswith(MISFIT) for one in told] == [True]


async def test_a_program_that_has_the_job_is_told_at_once(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHELON_HOME", str(sent.home))
    _, (_, gate), _, _ = await sent.go_on()
    wrong = await sent.job.answer(gate.id, "done", by="mia", reason="seen", output=UNNUMBERED)
    assert (wrong.answer.refused, wrong.gate.is_open) == (MISFIT, True)

    assert (await sent.job.answer(gate.id, "done", by="mia", reason="seen", output="sent by hand, 1")).counts
    ended, gates, output, _ = await sent.go_on()
    assert (ended, len(gates), output) == (RunStatus.COMPLETED, 2, "sent by hand, 1")


async def test_a_program_is_told_in_one_line_what_an_answer_needs(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHELON_HOME", str(sent.home))
    _, (_, gate), _, _ = await sent.go_on()
    with pytest.raises(InvalidInput, match=r"^'maybe' is no answer to a gate; say 'approve', 'done', 'deny'$"):
        await sent.job.answer(gate.id, cast("Any", "maybe"), by="mia", reason="seen")
    with pytest.raises(InvalidInput, match="the reason is empty; say why"):
        await sent.job.answer(gate.id, "deny", by="mia", reason=" ")


async def test_a_program_gives_a_gate_more_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path))
    timed, endless = Sent(sending(gate=Gate(expires_seconds=60)), tmp_path), Sent(sending(), tmp_path / "endless")
    _, (gate,), _, _ = await timed.go_on()
    extended = await timed.job.extend(gate.id, hours=2, by="mia", reason="she is on a train")
    assert gate.expires is not None
    assert extended.expires == gate.expires + timedelta(hours=2)

    _, (gate,), _, _ = await endless.go_on()
    monkeypatch.setenv("ECHELON_HOME", str(endless.home))
    with pytest.raises(InvalidInput, match="has no end, so it needs no more time"):
        await endless.job.extend(gate.id, hours=2, by="mia")


async def test_an_output_that_a_check_rejects_is_asked_for_again(tmp_path: Path) -> None:
    sent = Sent(sending(success=[names_seven]), tmp_path)
    await sent.go_on(ask=approving())
    await sent.answer("done", "sent by hand, 1")
    for _ in range(2):
        ended, (_, wrong, again), _, _ = await sent.go_on()

        assert (ended, again.question, again.is_open) == (RunStatus.WAITING, Question.CUT_OFF, True)
        assert "what send delivered was rejected by names_seven" in wrong.closed
        assert again.note.startswith(wrong.closed)

    await sent.answer("done", "sent by hand, 7")
    ended, _, output, _ = await sent.go_on()
    assert (ended, output) == (RunStatus.COMPLETED, "sent by hand, 7")
