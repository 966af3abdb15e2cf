"""A step that cannot be undone, or has a gate, begins when a person said so, and does just what was approved (O5)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from echelon import AgentFailed, Brief, Gate, Handoffs, Job, agent
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.engine.asking.gate_page import page_of
from echelon.model.errors import InvalidInput
from echelon.model.oversight.gate import GateRecord, Question
from echelon.model.run import RunStatus
from echelon.oversight.gates.answering import answer_gate, extend_gate
from echelon.oversight.gates.answers import AnswerWish
from echelon.testing.oversight import answering, approving
from echelon.testing.runs import a_run, view_so_far
from echelon.visibility.gates import gate_facts, preview_text
from tests.unit.coordination.jobs import ONCE

pytestmark = pytest.mark.anyio


class Money(BaseModel):
    """What the jobs here are given."""

    amount: int = 82_000


class Bank:
    """The world: it counts what was transferred."""

    def __init__(self) -> None:
        self.transfers: list[int] = []
        self.audited = 0
        self.fails: list[BaseException] = []

        @agent(effect="irreversible", preview=self.preview)
        async def transfer(checked: Handoffs[int]) -> str:
            """Transfer the amount."""
            if self.fails:
                raise self.fails.pop(0)
            self.transfers.extend(checked.outputs())
            return f"transferred {self.transfers[-1]}"

        @agent
        async def check(amount: int) -> int:
            self.audited += 1
            return amount

        @agent
        async def confirm(sent: Handoffs[str]) -> str:
            return f"confirmed: {sent.outputs()[0]}"

        self.check, self.transfer, self.confirm = check, transfer, confirm

    @staticmethod
    def preview(checked: Handoffs[int]) -> str:
        return f"transfer {checked.outputs()[0]:,} to ACME"

    def job(self, **phase: Any) -> Job:
        job = Job("pay", goal="Pay the invoice", inputs=Money, defaults=ONCE)
        job.phase("check", agent=self.check)
        job.phase("transfer", agent=self.transfer, needs="check", **phase)
        job.phase("confirm", agent=self.confirm, needs="transfer")
        return job


@pytest.fixture
def bank() -> Bank:
    return Bank()


async def carry_out(job: Job, home: Path, amount: int = 82_000, **more: Any) -> RunContext:
    """Let one process work on the run, as far as it comes."""
    async with a_run(job, home, Money(amount=amount), **more) as run:
        ended = status_after(await run_phases(run))
        assert ended is not None
        vars_of[run.spec.run_id] = ended
        return run


vars_of: dict[str, RunStatus] = {}


async def answer(job: Job, home: Path, wish: AnswerWish, amount: int = 82_000) -> tuple[GateRecord, str]:
    """Answer the last gate of the run from another process; return it and why the answer does not count."""
    async with a_run(job, home, Money(amount=amount)) as run:
        gate = list(run.log.state.gates.values())[-1]
        answered = await answer_gate(run.log.journal, gate.id, wish)
        return answered.gate, answered.answer.refused


def approve(by: str = "mia", **more: Any) -> AnswerWish:
    return AnswerWish(verdict="approve", author=by, reason="seen", **more)


def gates(run: RunContext) -> list[GateRecord]:
    return list(run.log.state.gates.values())


async def test_it_waits_and_everything_that_needs_it_waits_too(bank: Bank, tmp_path: Path) -> None:
    run = await carry_out(bank.job(), tmp_path)

    (gate,) = gates(run)
    assert (bank.audited, bank.transfers, vars_of["run"]) == (1, [], RunStatus.WAITING)
    assert (gate.question, gate.action.agent, gate.action.effect) == (Question.BEGIN, "transfer", "irreversible")
    assert gate.action.preview == "transfer 82,000 to ACME"
    assert gate.action.arguments == {"inputs": {"amount": 82_000}}
    assert [used.task_id for used in gate.action.inputs] == ["check/check"]
    assert gate.is_open
    assert {one.task_id: bool(one.asks) for one in view_so_far(run).missing} == {
        "transfer/transfer": True,
        "confirm/confirm": True,
    }


async def test_an_approved_step_begins_when_the_run_goes_on_and_nothing_else_is_done_again(
    bank: Bank, tmp_path: Path
) -> None:
    await carry_out(bank.job(), tmp_path)
    _, refused = await answer(bank.job(), tmp_path, approve())
    run = await carry_out(bank.job(), tmp_path)

    assert refused == ""
    assert (bank.audited, bank.transfers, vars_of["run"]) == (1, [82_000], RunStatus.COMPLETED)
    (gate,) = gates(run)
    assert gate.used
    (intent,) = run.log.state.intents.values()
    assert intent.gate_id == gate.id


async def test_a_person_who_is_there_is_asked_at_once(bank: Bank, tmp_path: Path) -> None:
    asked: list[GateRecord] = []
    await carry_out(bank.job(), tmp_path, ask=approving(asked=asked))

    assert [one.action.preview for one in asked] == ["transfer 82,000 to ACME"]
    assert (bank.transfers, vars_of["run"]) == ([82_000], RunStatus.COMPLETED)


async def test_a_denied_step_fails_by_name_and_is_not_asked_again(bank: Bank, tmp_path: Path) -> None:
    await carry_out(bank.job(), tmp_path)
    await answer(bank.job(), tmp_path, AnswerWish(verdict="deny", author="mia", reason="wrong account"))
    for _ in range(2):
        run = await carry_out(bank.job(), tmp_path)

    lost = {one.task_id: one for one in view_so_far(run).missing}["transfer/transfer"]
    assert "transfer/transfer was denied by mia (wrong account)" in lost.reason
    assert (bank.transfers, len(gates(run)), vars_of["run"]) == ([], 1, RunStatus.FAILED)


async def test_what_was_approved_is_not_an_approval_of_something_else(bank: Bank, tmp_path: Path) -> None:
    """82,000 was approved; the run is to transfer 820,000 now."""
    await carry_out(bank.job(), tmp_path)
    await answer(bank.job(), tmp_path, approve())
    run = await carry_out(bank.job(), tmp_path, amount=820_000)

    first, second = gates(run)
    assert bank.transfers == []
    assert first.closed == "what it uses has changed since: what was approved was with older inputs"
    assert (second.is_open, second.action.preview) == (True, "transfer 820,000 to ACME")


async def test_what_changes_between_the_gate_and_the_deed_is_not_done(tmp_path: Path) -> None:
    """The agent's preview says something else right before it is carried out."""
    said = iter([82_000, 820_000, 820_000])
    done: list[int] = []

    @agent(effect="irreversible", preview=lambda: f"transfer {next(said)}")
    async def transfer() -> str:
        done.append(1)
        return "done"

    job = Job("pay", goal="Pay", inputs=Money, defaults=ONCE)
    job.phase("transfer", agent=transfer)
    run = await carry_out(job, tmp_path, ask=approving())

    (gate,) = gates(run)
    assert done == []
    assert gate.closed == "what would be done is not what was approved"
    assert "cannot be used: what would be done is not what was approved" in view_so_far(run).missing[0].reason


async def test_an_approval_is_good_for_one_time(bank: Bank, tmp_path: Path) -> None:
    bank.fails = [ConnectionError("gone while transferring")]
    run = await carry_out(bank.job(), tmp_path, ask=approving())
    again = await carry_out(bank.job(), tmp_path)

    assert bank.transfers == []
    assert [(gate.question, gate.used) for gate in gates(again)] == [(Question.BEGIN, True), (Question.CUT_OFF, False)]
    assert "may have happened: it was begun at" in gates(run)[-1].note


@pytest.mark.parametrize(
    ("wish", "output", "transfers"),
    [
        (approve(), "confirmed: transferred 82000", [82_000]),
        (AnswerWish(verdict="done", author="mia", output="paid by hand"), "confirmed: paid by hand", []),
    ],
    ids=["do it again", "it was done"],
)
async def test_a_person_says_what_became_of_what_was_cut_off(
    bank: Bank, tmp_path: Path, wish: AnswerWish, output: str, transfers: list[int]
) -> None:
    bank.fails = [ConnectionError("gone while transferring")]
    await carry_out(bank.job(), tmp_path, ask=approving())
    _, refused = await answer(bank.job(), tmp_path, wish)
    run = await carry_out(bank.job(), tmp_path)

    assert refused == ""
    assert (view_so_far(run).output, bank.transfers) == (output, transfers)


async def test_an_approval_is_there_still_when_nothing_happened(bank: Bank, tmp_path: Path) -> None:
    bank.fails = [AgentFailed("the account is locked")]
    await carry_out(bank.job(), tmp_path, ask=approving())
    run = await carry_out(bank.job(), tmp_path)

    assert (bank.transfers, len(gates(run))) == ([82_000], 1)


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.mark.parametrize(("default", "transfers"), [("deny", []), ("approve", [82_000])])
async def test_nobody_answers_in_time(bank: Bank, tmp_path: Path, default: Any, transfers: list[int]) -> None:
    clock, job = Clock(), bank.job(gate=Gate(expires_seconds=60, on_expiry=default, approvers=("mia",)))
    await carry_out(job, tmp_path, now=clock)
    clock.now += timedelta(seconds=61)
    run = await carry_out(job, tmp_path, now=clock)

    (gate,) = gates(run)
    assert bank.transfers == transfers
    assert [(one.verdict, one.author, one.channel, one.refused) for one in gate.answers] == [
        (default, "default", "expiry", "")
    ]


async def test_an_approval_ends_too(bank: Bank, tmp_path: Path) -> None:
    clock, job = Clock(), bank.job(gate=Gate(expires_seconds=60))
    await carry_out(job, tmp_path, now=clock)
    await answer(job, tmp_path, approve())
    clock.now += timedelta(seconds=61)
    run = await carry_out(job, tmp_path, now=clock)

    first, second = gates(run)
    assert bank.transfers == []
    assert first.closed.startswith("the approval ended at")
    assert second.is_open


async def test_anybody_may_give_it_more_time(bank: Bank, tmp_path: Path) -> None:
    clock, job = Clock(), bank.job(gate=Gate(expires_seconds=60, approvers=("mia",)))
    await carry_out(job, tmp_path, now=clock)
    async with a_run(job, tmp_path, Money()) as run:
        await extend_gate(run.log.journal, gates(run)[0].id, timedelta(hours=1), "tom", "mia is at lunch")
    clock.now += timedelta(seconds=61)
    run = await carry_out(job, tmp_path, now=clock)

    assert gates(run)[0].is_open


async def test_what_has_no_end_gets_no_end_by_more_time(bank: Bank, tmp_path: Path) -> None:
    """Else whoever may not answer could let a default answer."""
    job = bank.job(gate=Gate(approvers=("mia",)))
    await carry_out(job, tmp_path)
    async with a_run(job, tmp_path, Money()) as run:
        with pytest.raises(InvalidInput, match="has no end, so it needs no more time"):
            await extend_gate(run.log.journal, gates(run)[0].id, timedelta(seconds=1), "mallory")
        (gate,) = gates(run)

    assert (gate.is_open, gate.expires) == (True, None)


@pytest.mark.parametrize(("default", "transfers"), [("deny", []), ("approve", [82_000])])
async def test_what_is_due_when_its_time_is_up_is_changed_by_nobody(
    bank: Bank, tmp_path: Path, default: Any, transfers: list[int]
) -> None:
    clock, job = Clock(), bank.job(gate=Gate(expires_seconds=60, on_expiry=default))
    clock.now = datetime.now(UTC) - timedelta(days=1)
    await carry_out(job, tmp_path, now=clock)
    _, refused = await answer(job, tmp_path, AnswerWish(verdict="deny", author="tom", reason="no"))
    async with a_run(job, tmp_path, Money()) as run:
        with pytest.raises(
            InvalidInput, match=r"cannot be extended: the time to answer ended at .* when the run goes on"
        ):
            await extend_gate(run.log.journal, gates(run)[0].id, timedelta(hours=1), "mallory")
    clock.now += timedelta(seconds=61)
    await carry_out(job, tmp_path, now=clock)

    assert refused.endswith("counts when the run goes on: echelon resume run")
    assert bank.transfers == transfers


@pytest.mark.parametrize(
    ("about", "held"),
    [
        ("transfer", True),
        ("transfer/transfer", True),
        (" Transfer/transfer ", True),
        ("check", True),
        ("check/check", True),
        ("primary", False),
        ("watch", False),
        ("the weather", False),
    ],
)
async def test_an_urgent_concern_holds_it_however_it_names_what_it_is_about(
    bank: Bank, tmp_path: Path, about: str, *, held: bool
) -> None:
    """Who raised it works beside, and is not used by the step."""

    @agent
    async def watch(brief: Brief) -> str:
        brief.raise_concern("stop this", about=about, confidence=0.9, impact=0.9)
        return "seen"

    job = bank.job()
    job.phase("watch", agent=watch)
    await carry_out(job, tmp_path)
    _, refused = await answer(job, tmp_path, approve())
    await carry_out(job, tmp_path)

    assert refused.startswith("open concerns about it" if held else "") or not held
    assert (bool(refused), bank.transfers) == (held, [] if held else [82_000])


async def test_a_preview_that_is_too_long_says_that_it_is_cut(tmp_path: Path) -> None:
    said = "pay 5 to ACME\n" + "n/a " * 10_000 + "\nand 820,000 to MALLORY"

    @agent(effect="irreversible", preview=lambda: said)
    async def pay() -> str:
        return "paid"

    job = Job("pay", goal="Pay", defaults=ONCE)
    job.phase("pay", agent=pay)
    run = await carry_out(job, tmp_path)

    (gate,) = gates(run)
    cut = f"(the preview is cut: 40,000 of {len(said):,} characters are on record)"
    assert preview_text(gate).endswith(cut)
    assert cut in page_of(gate)
    assert dict(gate_facts(gate, gate.at))["would do"].endswith(cut)


WRONG: list[tuple[str, Callable[[], AnswerWish], str]] = [
    ("wrong approver", lambda: approve("tom"), "tom may not answer it; mia may"),
    ("replayed nonce", lambda: approve(nonce="1234"), "it is an answer to another gate"),
    ("another action", lambda: approve(digest="1234"), "what would be done is not what was read"),
    ("nobody", lambda: approve("ma lory"), "ma lory may not answer it; mia may"),
    ("no such answer", lambda: AnswerWish(verdict="done", author="mia"), "'done' is no answer to it"),
]


@pytest.mark.parametrize(("make", "why"), [pytest.param(make, why, id=name) for name, make, why in WRONG])
async def test_an_answer_that_does_not_count_is_on_record_and_says_why(
    bank: Bank, tmp_path: Path, make: Callable[[], AnswerWish], why: str
) -> None:
    job = bank.job(gate=Gate(approvers=("mia",)))
    await carry_out(job, tmp_path)
    gate, refused = await answer(job, tmp_path, make())
    run = await carry_out(job, tmp_path)

    assert refused.startswith(why)
    assert [one.refused for one in gate.answers] == [refused]
    assert (gates(run)[0].is_open, bank.transfers) == (True, [])


async def test_the_first_answer_counts_and_all_are_kept(bank: Bank, tmp_path: Path) -> None:
    job = bank.job()
    await carry_out(job, tmp_path)
    await answer(job, tmp_path, approve())
    gate, refused = await answer(job, tmp_path, AnswerWish(verdict="deny", author="tom"))

    assert refused.startswith("answered before: approve by mia at ")
    assert [(one.author, bool(one.refused)) for one in gate.answers] == [("mia", False), ("tom", True)]
    assert gate.decision is not None
    assert gate.decision.author == "mia"


async def test_a_gate_may_stand_before_any_phase(tmp_path: Path) -> None:
    done: list[str] = []

    @agent
    async def report() -> str:
        done.append("reported")
        return "reported"

    job = Job("report", goal="Report", inputs=Money, defaults=ONCE)
    job.phase("report", agent=report, gate="it goes to the board")
    run = await carry_out(job, tmp_path)
    assert (done, gates(run)[0].terms.reason) == ([], "it goes to the board")

    await answer(job, tmp_path, approve())
    await carry_out(job, tmp_path)
    assert done == ["reported"]


async def test_two_that_wait_are_both_done_and_completed_siblings_stay(tmp_path: Path) -> None:
    done: list[str] = []

    @agent(effect="irreversible")
    async def left(brief: Brief) -> str:
        done.append("left")
        return brief.idempotency_key

    @agent(effect="irreversible")
    async def right() -> str:
        done.append("right")
        return "right"

    @agent
    async def middle() -> str:
        done.append("middle")
        return "middle"

    job = Job("both", goal="Do both", inputs=Money, defaults=ONCE)
    job.phase("work", agents=[left, middle, right])
    await carry_out(job, tmp_path)
    assert done == ["middle"]
    await answer(job, tmp_path, approve())
    await carry_out(job, tmp_path)
    assert len(done) == 2, "resuming one does not let the other one begin"
    async with a_run(job, tmp_path, Money()) as run:
        (still,) = [gate for gate in gates(run) if gate.is_open]
        await answer_gate(run.log.journal, still.id, approve())
    run = await carry_out(job, tmp_path)

    assert sorted(done) == ["left", "middle", "right"]
    assert vars_of["run"] is RunStatus.COMPLETED


async def test_what_was_done_from_older_inputs_is_asked_about(bank: Bank, tmp_path: Path) -> None:
    await carry_out(bank.job(), tmp_path, ask=approving())
    run = await carry_out(bank.job(), tmp_path, amount=90_000)

    gate = gates(run)[-1]
    assert (bank.transfers, vars_of["run"]) == ([82_000], RunStatus.WAITING)
    assert (gate.question, gate.question.text) == (Question.AGAIN, "do it again with the new ones?")
    assert gate.note.startswith("transfer/transfer was done on 20")

    await carry_out(bank.job(), tmp_path, amount=90_000, ask=answering(again="approve"))
    assert bank.transfers == [82_000, 90_000]


async def test_partial_inputs_need_an_approval_that_says_so(tmp_path: Path) -> None:
    @agent
    async def gather(amount: int) -> int:
        raise AgentFailed("the ledger is locked")

    @agent
    async def other() -> int:
        return 1

    sent: list[int] = []

    @agent(effect="irreversible")
    async def send(found: Handoffs[int]) -> int:
        sent.extend(found.outputs())
        return len(sent)

    job = Job("send", goal="Send", inputs=Money, defaults=ONCE)
    job.phase("gather", agents=[gather, other])
    job.phase("send", agent=send, needs={"gather": "loose"})
    run = await carry_out(job, tmp_path)
    assert gates(run)[0].action.missing == ("gather/gather: the ledger is locked",)

    _, refused = await answer(job, tmp_path, approve())
    assert "not all of its inputs are there (gather/gather: the ledger is locked); with --partial" in refused
    _, refused = await answer(job, tmp_path, approve(partial=True))
    await carry_out(job, tmp_path)
    assert (refused, sent) == ("", [1])
