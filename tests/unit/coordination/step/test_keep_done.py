"""What cannot be undone and was done from older inputs: where a person says no, its output is kept, and it is said."""

import re
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from echelon import Handoffs, Job, agent
from echelon.agents.agent import Effect
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.coordination.step.intents import OperatorDecision
from echelon.model.exception_report import Trigger
from echelon.model.handoff import Missing
from echelon.model.run import RunStatus
from echelon.testing.oversight import answering
from echelon.testing.runs import a_run as run_opened
from tests.unit.coordination.jobs import Item, Items, looking, missing_in, output_of

pytestmark = pytest.mark.anyio

#: A person is there who lets work begin, and does not let it be done again with other inputs.
a_run = partial(run_opened, ask=answering(begin="approve", again="deny"))

REDO = OperatorDecision(redo=frozenset({"look/i0"}))


class Killed(GeneratorExit):
    """Stands for the death of the process."""


class Ended(NamedTuple):
    """How a run stands when a process has ended."""

    status: RunStatus
    output: Any
    missing: tuple[Missing, ...]
    kept: list[str]


class Shop:
    """Pays for items, each by what it was given; counts what it paid, and can die while it pays."""

    def __init__(self, home: Path, effect: Effect = "irreversible") -> None:
        self.home = home
        self.paid: list[str] = []
        self.dies = False
        self.receipts: list[str] = []

        @agent(effect=effect)
        async def look(item: Item) -> str:
            self.paid.append(item.domain)
            if self.dies:
                raise Killed
            return f"paid {item.domain}"

        self.pay = look

    def job(self) -> Job:
        return looking(each=self.pay)

    async def carry_out(self, domain: str, job: Job | None = None, decision: OperatorDecision | None = None) -> Ended:
        """Let a process work on the run, with one item that belongs to `domain`."""
        given = Items(items=(Item(id="i0", domain=domain),))
        async with a_run(job or self.job(), self.home, given, decision=decision) as run:
            status = status_after(await run_phases(run))
            reports = (await run.log.refresh()).exceptions
            kept = [report.message for report in reports if report.trigger is Trigger.KEPT]
            output = output_of(run)
            alone = output["look/i0"] if isinstance(output, dict) else output
            return Ended(status, alone, missing_in(run), kept)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


async def test_it_is_said_when_it_was_done_and_its_output_stays(shop: Shop) -> None:
    await shop.carry_out("here")
    ended = await shop.carry_out("there")

    (missing,) = ended.missing
    assert shop.paid == ["here"]
    assert ended.output == "paid here"
    assert ended.status is RunStatus.PARTIAL
    assert re.fullmatch(r"done on \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC from older inputs", missing.instead)
    assert "cannot be undone, and a person said that it is not done again" in missing.reason
    assert "echelon retry run 'look/i0'" in missing.reason
    assert missing.asks == ""


async def test_it_is_said_once_however_often_the_run_is_resumed(shop: Shop) -> None:
    await shop.carry_out("here")
    first = await shop.carry_out("there")
    second = await shop.carry_out("there")

    assert (second.status, second.output, second.missing) == (first.status, first.output, first.missing)
    assert len(second.kept) == 1
    assert "look/i0 was done on" in second.kept[0]


async def test_with_its_first_inputs_it_is_whole_again(shop: Shop) -> None:
    await shop.carry_out("here")
    await shop.carry_out("there")
    ended = await shop.carry_out("here")

    assert (ended.status, ended.output, ended.missing) == (RunStatus.COMPLETED, "paid here", ())


async def test_each_change_of_the_inputs_shows_what_belongs_to_it(shop: Shop) -> None:
    ends = [await shop.carry_out(domain) for domain in ("here", "there", "here", "there")]

    assert [ended.status for ended in ends] == [RunStatus.COMPLETED, RunStatus.PARTIAL] * 2


async def test_what_is_done_from_changed_inputs_and_from_the_first_again_shows_the_first(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "read")
    ends = [await shop.carry_out(domain) for domain in ("here", "there", "here")]

    assert [ended.output for ended in ends] == ["paid here", "paid there", "paid here"]


async def test_a_person_may_let_it_be_done_again_from_the_inputs_of_today(shop: Shop) -> None:
    await shop.carry_out("here")
    await shop.carry_out("there")
    ended = await shop.carry_out("there", decision=REDO)
    later = await shop.carry_out("elsewhere")

    assert (ended.status, ended.output) == (RunStatus.COMPLETED, "paid there")
    assert (later.status, later.output) == (RunStatus.PARTIAL, "paid there"), "what was done last is kept"
    assert shop.paid == ["here", "there"]


async def test_a_person_may_say_what_came_of_it(shop: Shop) -> None:
    await shop.carry_out("here")
    ended = await shop.carry_out("there", decision=OperatorDecision(done={"look/i0": "paid by hand"}))

    assert (ended.status, ended.output) == (RunStatus.COMPLETED, "paid by hand")


async def test_what_was_let_do_again_and_cut_off_is_asked_about(shop: Shop) -> None:
    """The older output would hide that the work of today may have happened."""
    await shop.carry_out("here")
    shop.dies = True
    with pytest.raises(BaseExceptionGroup):
        await shop.carry_out("there", decision=REDO)
    ended = await shop.carry_out("there")

    assert ended.status is RunStatus.WAITING
    assert "may have happened" in ended.missing[0].reason
    assert shop.paid == ["here", "there"]


async def test_an_output_of_another_contract_is_not_kept_but_asked_about(shop: Shop) -> None:
    await shop.carry_out("here")

    @agent(name="look", effect="irreversible")
    async def counted(item: Item) -> int:
        return 1

    ended = await shop.carry_out("there", looking(each=counted))

    assert ended.status is RunStatus.WAITING
    assert "was done on 20" in ended.missing[0].reason
    assert "its contract has changed" in ended.missing[0].reason


@pytest.mark.parametrize(("effect", "paid"), [("read", 2), ("write", 2), ("irreversible", 1)])
async def test_only_what_cannot_be_undone_is_kept(tmp_path: Path, effect: Effect, paid: int) -> None:
    shop = Shop(tmp_path, effect)
    await shop.carry_out("here")
    await shop.carry_out("there")

    assert len(shop.paid) == paid


async def test_who_uses_it_gets_it_and_is_not_done_again_either(shop: Shop) -> None:
    """A second thing that cannot be undone, made from the first."""

    @agent(effect="irreversible")
    async def send(paid: Handoffs[str]) -> str:
        shop.receipts.append(paid.outputs()[0])
        return f"receipt for {shop.receipts[-1]}"

    def job() -> Job:
        made = shop.job()
        made.phase("send", agent=send, needs="look")
        return made

    await shop.carry_out("here", job())
    ended = await shop.carry_out("there", job())

    assert shop.receipts == ["paid here"]
    assert ended.output == "receipt for paid here"
    assert ended.status is RunStatus.PARTIAL
