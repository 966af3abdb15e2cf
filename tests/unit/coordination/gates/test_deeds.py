"""However a deed that cannot be undone ends, it is done once under one approval, also in a process of its own (O5, F8).

Only an agent that says itself that it could not do its task, with `AgentFailed`, gives its approval back.
"""

from pathlib import Path
from typing import Any

import pytest

from echelon import Job, Resilience
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.model.oversight.gate import GateRecord, Question
from echelon.model.run import RunStatus
from echelon.oversight.gates.answering import answer_gate
from echelon.oversight.gates.answers import AnswerWish
from echelon.testing.oversight import approving
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.gates import deeds
from tests.unit.coordination.gates.deeds import Order
from tests.unit.coordination.jobs import on_record

pytestmark = pytest.mark.anyio

PATIENT = Resilience(attempts=3, backoff_seconds=0)

#: Endings that do not say what happened, and those with which an agent says that nothing did.
UNKNOWN = (
    *("OSError", "ValueError", "MemoryError", "os._exit", "sys.exit", "kill", "no JSON", "another thing there"),
    *("AgentBlocked", "blocked"),
)
NOTHING = ("AgentFailed", "InvalidInput")


@pytest.fixture
def order(tmp_path: Path) -> Order:
    return Order(ending="", ledger=tmp_path / "ledger")


def doing(who: Any) -> Job:
    job = Job("deeds", goal="Do it", inputs=Order, defaults=PATIENT)
    job.phase("do", agent=who)
    return job


async def carry_out(who: Any, order: Order, **more: Any) -> tuple[RunStatus | None, list[GateRecord], str]:
    """Let one process work on the run; return how it ended, its gates, and why its task is not delivered."""
    async with a_run(doing(who), order.ledger.parent / "home", order, **more) as run:
        ended = status_after(await run_phases(run))
        return ended, list(run.log.state.gates.values()), "".join(one.reason for one in view_so_far(run).missing)


@pytest.mark.parametrize("ending", UNKNOWN)
async def test_a_deed_that_does_not_say_that_nothing_happened_is_done_once_and_a_person_is_asked(
    order: Order, ending: str
) -> None:
    order.ending = ending
    for ask in (approving(), None):
        ended, (begin, *others), _ = await carry_out(deeds.deed, order, ask=ask)

        assert (order.deeds, ended, begin.used) == (["done"], RunStatus.WAITING, True)
        assert [(gate.question, gate.is_open) for gate in others] == [(Question.CUT_OFF, True)]


@pytest.mark.parametrize("ending", NOTHING)
async def test_a_deed_that_says_that_nothing_happened_keeps_its_approval(order: Order, ending: str) -> None:
    order.ending = ending
    for times, ask in enumerate((approving(), None), start=1):
        ended, gates, _ = await carry_out(deeds.deed, order, ask=ask)

        assert (len(order.deeds), ended, len(gates), gates[0].used) == (times, RunStatus.FAILED, 1, False)


async def test_a_deed_that_says_that_it_can_be_tried_again_is(order: Order) -> None:
    order.ending = "AgentFailed, passing"
    ended, gates, reason = await carry_out(deeds.deed, order, ask=approving())

    assert (len(order.deeds), ended, len(gates), reason) == (3, RunStatus.FAILED, 1, "the bank is closed")


async def test_a_person_lets_a_deed_be_done_again_and_once_more_only(order: Order) -> None:
    order.ending = "OSError"
    _, gates, _ = await carry_out(deeds.deed, order, ask=approving())
    async with a_run(doing(deeds.deed), order.ledger.parent / "home", order) as run:
        await answer_gate(run.log.journal, gates[-1].id, AnswerWish(verdict="approve", author="mia"))
    for _ in range(2):
        ended, (_, cut_off, again), _ = await carry_out(deeds.deed, order)

        assert (order.deeds, ended) == (["done", "done"], RunStatus.WAITING)
        assert (cut_off.used, again.question, again.is_open) == (True, Question.CUT_OFF, True)


async def test_who_is_blocked_behind_the_deed_does_not_get_its_approval_back(order: Order) -> None:
    for ask in (approving(), None):
        ended, (begin, *others), reason = await carry_out(deeds.publish, order, ask=ask)

        assert (order.deeds, ended, begin.used) == (["done"], RunStatus.WAITING, True)
        assert [(gate.question, gate.is_open) for gate in others] == [(Question.CUT_OFF, True)]
        assert "do/publish cannot be undone and may have happened" in reason


@pytest.mark.parametrize(
    ("ending", "attempts", "reason"),
    [
        ("OSError", 3, "OSError: the disk is full"),
        ("ValueError", 1, "ValueError: odd"),
        ("os._exit", 1, "its process died with exit code 3 in tests.unit.coordination.gates.deeds.note"),
        ("AgentFailed", 1, "the account is locked"),
    ],
)
async def test_work_that_can_be_done_again_is_tried_as_often_and_says_the_same(
    order: Order, ending: str, attempts: int, reason: str
) -> None:
    order.ending = ending
    ended, gates, told = await carry_out(deeds.note, order)

    assert (len(order.deeds), ended, gates, told) == (attempts, RunStatus.FAILED, [], reason)


@pytest.mark.parametrize(("ending", "settled"), [("OSError", 0), ("kill", 0), ("AgentFailed", 1), ("AgentBlocked", 1)])
async def test_only_what_an_agent_says_itself_is_on_record_as_nothing_happened(
    order: Order, ending: str, settled: int
) -> None:
    order.ending = ending
    async with a_run(doing(deeds.note), order.ledger.parent / "home", order) as run:
        await run_phases(run)
        intents = (await on_record(run)).intents.values()

    assert sum(one.settled for one in intents) == settled
