"""What changes the world is claimed before it is done; after a crash it is told apart from what was done (F8)."""

import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from echelon import AgentFailed, Brief, Job, Resilience, agent, command
from echelon.agents.agent import Effect
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.coordination.step.intents import OperatorDecision
from echelon.model.errors import InvalidInput, LeaseLost
from echelon.model.exception_report import Trigger
from echelon.model.run import RunStatus
from echelon.model.session import EffectIntent
from echelon.model.status import Status
from echelon.runlog.events import OperatorDecided
from echelon.testing.oversight import approving
from echelon.testing.runs import a_run as run_opened
from tests.unit.coordination.jobs import (
    ONCE,
    Item,
    Items,
    items,
    looking,
    missing_in,
    on_record,
    output_of,
    taken_by_another,
)

pytestmark = pytest.mark.anyio

#: A person is there who lets work begin, and knows nothing of what was cut off.
a_run = partial(run_opened, ask=approving())

#: The task of the jobs here.
PAY = "pay/pay"

PATIENT = Resilience(attempts=3, backoff_seconds=0)


class Counter:
    """The world: it counts what reaches it, by idempotency key, and may fail an agent."""

    def __init__(self, effect: Effect, *fails: BaseException) -> None:
        self.keys: list[str] = []
        self.fails = list(fails)

        @agent(effect=effect)
        async def pay(brief: Brief) -> str:
            self.keys.append(brief.idempotency_key)
            if self.fails:
                raise self.fails.pop(0)
            return f"paid {len(self.keys)}"

        self.agent = pay

    def job(self, policy: Resilience = ONCE) -> Job:
        job = Job("paying", goal="Pay", inputs=Items, defaults=policy)
        job.phase("pay", agent=self.agent)
        return job


class Killed(GeneratorExit):
    """Stands for the death of the process, of which nothing is put on record: it passes whatever contains agents."""


async def intents(run: RunContext) -> list[EffectIntent]:
    """Return what was put on record before it was done."""
    return list((await on_record(run)).intents.values())


async def decisions(run: RunContext, decision: str) -> list[str]:
    """Return the tasks that a person decided about in one way, as often as that was made use of."""
    entries = await run.log.journal.events(run.spec.run_id)
    decided = [entry.event for entry in entries if isinstance(entry.event, OperatorDecided)]
    return [event.task_id for event in decided if event.decision == decision]


async def killed(job: Job, home: Path, **context: Any) -> None:
    with pytest.raises(BaseExceptionGroup) as ended:
        async with a_run(job, home, **context) as run:
            await run_phases(run)
    assert ended.group_contains(Killed)


@pytest.mark.parametrize(("effect", "claimed"), [("read", 0), ("write", 1), ("irreversible", 1)])
async def test_only_what_changes_the_world_is_claimed(tmp_path: Path, effect: Effect, claimed: int) -> None:
    counter = Counter(effect)
    async with a_run(counter.job(), tmp_path) as run:
        await run_phases(run)
        claims = await intents(run)

    assert [(claim.task_id, claim.effect, claim.attempt, claim.token) for claim in claims] == [
        (PAY, effect, 1, 1)
    ] * claimed
    assert [bool(key) for key in counter.keys] == [bool(claimed)]
    assert [claim.idempotency_key for claim in claims] == counter.keys[:claimed]


async def test_a_claim_is_durable_before_the_agent_works(tmp_path: Path) -> None:
    seen: list[int] = []

    @agent(effect="write")
    async def pay() -> str:
        seen.append(len(await intents(run)))
        return "paid"

    job = Job("paying", goal="Pay", inputs=Items, defaults=ONCE)
    job.phase("pay", agent=pay)
    async with a_run(job, tmp_path) as run:
        await run_phases(run)

    assert seen == [1]


async def test_a_write_that_was_cut_off_is_done_again_with_the_same_key(tmp_path: Path) -> None:
    counter = Counter("write", Killed())
    await killed(counter.job(), tmp_path)
    async with a_run(counter.job(), tmp_path) as run:
        await run_phases(run)
        assert output_of(run) == "paid 2"
        claims = await intents(run)

    assert len(set(counter.keys)) == 1
    assert [claim.attempt for claim in claims] == [1, 2]


async def test_every_attempt_in_one_process_has_the_same_key_too(tmp_path: Path) -> None:
    counter = Counter("write", ConnectionError("gone"), ConnectionError("gone"))
    async with a_run(counter.job(PATIENT), tmp_path) as run:
        await run_phases(run)

    assert len(counter.keys) == 3
    assert len(set(counter.keys)) == 1


async def test_runs_and_steps_have_keys_of_their_own(tmp_path: Path) -> None:
    counter = Counter("write")
    for run_id in ("one", "two"):
        async with a_run(counter.job(), tmp_path, run_id=run_id) as run:
            await run_phases(run)

    assert len(set(counter.keys)) == 2


async def test_what_cannot_be_undone_is_not_done_again_when_it_may_have_happened(tmp_path: Path) -> None:
    counter = Counter("irreversible", Killed())
    await killed(counter.job(), tmp_path)
    async with a_run(counter.job(), tmp_path) as run:
        await run_phases(run)
        (step,) = run.log.state.steps

    assert len(counter.keys) == 1
    assert step.handoff.status is Status.BLOCKED
    assert step.handoff.error is not None
    assert "pay/pay cannot be undone and may have happened: it was begun at 20" in step.handoff.error.message
    assert "echelon gates approve ID --reason WHY" in step.handoff.error.next_step


async def test_a_person_can_let_it_be_done_again_once(tmp_path: Path) -> None:
    counter = Counter("irreversible", Killed(), Killed())
    await killed(counter.job(), tmp_path)
    redo = OperatorDecision(redo=frozenset({PAY}))
    await killed(counter.job(), tmp_path, decision=redo)
    async with a_run(counter.job(), tmp_path) as run:
        await run_phases(run)
        assert run.log.state.steps[-1].handoff.status is Status.BLOCKED
    async with a_run(counter.job(), tmp_path, decision=redo) as run:
        await run_phases(run)
        assert output_of(run) == "paid 3"
        assert await decisions(run, "redo") == [PAY, PAY]


async def test_a_person_can_say_that_it_happened_and_what_came_of_it(tmp_path: Path) -> None:
    counter = Counter("irreversible", Killed())
    await killed(counter.job(), tmp_path)
    async with a_run(counter.job(), tmp_path, decision=OperatorDecision(done={PAY: "paid by hand"})) as run:
        await run_phases(run)
        assert output_of(run) == "paid by hand"
        assert await decisions(run, "done") == [PAY]

    assert len(counter.keys) == 1


async def test_what_a_person_says_must_fit_the_contract(tmp_path: Path) -> None:
    counter = Counter("irreversible", Killed())
    await killed(counter.job(), tmp_path)
    async with a_run(counter.job(), tmp_path, decision=OperatorDecision(done={PAY: ["no", "text"]})) as run:
        await run_phases(run)

        assert [(step.handoff.error and step.handoff.error.kind) for step in run.log.state.steps] == ["ApprovalPending"]
        *_, gate = run.log.state.gates.values()
    assert (gate.is_open, [bool(one.refused) for one in gate.answers]) == (True, [True])


async def test_a_run_waits_while_only_a_person_knows_how_it_goes_on(tmp_path: Path) -> None:
    counter = Counter("irreversible", Killed())
    await killed(counter.job(), tmp_path)
    async with a_run(counter.job(), tmp_path) as run:
        delivered = await run_phases(run)

    assert status_after(delivered) is RunStatus.WAITING
    assert ["echelon gates --run run" in missing.asks for missing in missing_in(run)] == [True]


async def test_what_one_death_cut_off_is_told_once(tmp_path: Path) -> None:
    all_have_begun = asyncio.Barrier(3)

    @agent(effect="irreversible")
    async def pay(item: Item) -> str:
        await all_have_begun.wait()
        raise Killed

    await killed(looking(each=pay), tmp_path, inputs=items(3))
    async with a_run(looking(each=pay), tmp_path, items(3)) as run:
        await run_phases(run)

    assert [step.handoff.status for step in run.log.state.steps] == [Status.BLOCKED] * 3
    asked = [gate for gate in run.log.state.gates.values() if gate.is_open]
    assert [report.trigger for report in run.log.state.exceptions] == [Trigger.BLOCKED]
    assert len(asked) == 3, "a person is asked about each, and nothing has failed"


@pytest.mark.parametrize(
    ("word", "about"),
    [
        pytest.param(
            OperatorDecision(redo=frozenset({"pay/*"})),
            OperatorDecision(redo=frozenset({"pay/a", "pay/b", "pay/[c]"})),
            id="all-of-a-phase",
        ),
        pytest.param(
            OperatorDecision(redo=frozenset({"pay/[ab]"})),
            OperatorDecision(redo=frozenset({"pay/a", "pay/b"})),
            id="some",
        ),
        pytest.param(
            OperatorDecision(done={"*": 1}),
            OperatorDecision(done={"pay/a": 1, "pay/b": 1, "pay/[c]": 1}),
            id="done-likewise",
        ),
        pytest.param(
            OperatorDecision(redo=frozenset({"pay/[c]"})),
            OperatorDecision(redo=frozenset({"pay/[c]"})),
            id="a-name-is-a-name-first",
        ),
    ],
)
def test_a_person_can_speak_of_many_tasks_by_a_pattern(word: OperatorDecision, about: OperatorDecision) -> None:
    assert word.about(["pay/a", "pay/b", "pay/[c]"], "run") == about


@pytest.mark.parametrize(
    ("word", "line"),
    [
        (
            OperatorDecision(redo=frozenset({"send/*"})),
            r"has started no irreversible or writing work for task 'send/\*'.*: pay/a, pay/b",
        ),
        (OperatorDecision(redo=frozenset({"pay/*"}), done={"pay/a": 1}), "'pay/a' is to be redone and is done"),
    ],
)
def test_a_pattern_that_means_nothing_or_contradicts_another_is_refused(word: OperatorDecision, line: str) -> None:
    with pytest.raises(InvalidInput, match=line):
        word.about(["pay/a", "pay/b"], "run")


@pytest.mark.parametrize("word", [OperatorDecision(redo=frozenset({PAY})), OperatorDecision(done={PAY: "x"})])
async def test_there_is_nothing_to_say_about_what_was_never_begun(tmp_path: Path, word: OperatorDecision) -> None:
    with pytest.raises(InvalidInput, match="run 'run' has started no irreversible or writing work for task 'pay/pay'"):
        async with a_run(Counter("irreversible").job(), tmp_path, decision=word):
            pass


def test_a_person_says_one_thing() -> None:
    with pytest.raises(InvalidInput, match="'pay/pay' is to be redone and is done"):
        OperatorDecision(redo=frozenset({PAY}), done={PAY: 1})


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        pytest.param(AgentFailed("no money", passing=True), 2, id="F8-the-agent-says-that-nothing-happened"),
        pytest.param(ConnectionError("lost while paying"), 1, id="F8-nobody-knows"),
        pytest.param(TimeoutError(), 1, id="F8-no-answer"),
    ],
)
async def test_what_cannot_be_undone_is_retried_only_when_nothing_happened(
    tmp_path: Path, error: Exception, asked: int
) -> None:
    counter = Counter("irreversible", error)
    async with a_run(counter.job(PATIENT), tmp_path) as run:
        await run_phases(run)

        assert run.log.state.steps[-1].handoff.status is (Status.COMPLETED if asked == 2 else Status.BLOCKED)
    assert len(counter.keys) == asked


async def test_what_timed_out_may_have_happened(tmp_path: Path) -> None:
    asked: list[int] = []

    @agent(effect="irreversible", timeout=0.05)
    async def pay() -> str:
        asked.append(1)
        await asyncio.sleep(10)
        return "paid"

    job = Job("paying", goal="Pay", inputs=Items, defaults=PATIENT)
    job.phase("pay", agent=pay)
    for _ in range(2):
        async with a_run(job, tmp_path) as run:
            await run_phases(run)
            assert run.log.state.steps[-1].handoff.status is Status.BLOCKED

    assert len(asked) == 1


async def test_what_was_done_is_not_done_again_unasked_because_it_is_given_something_else(tmp_path: Path) -> None:
    asked: list[str] = []

    @agent(effect="irreversible")
    async def pay(item: Item) -> str:
        asked.append(item.id)
        return item.id

    for domain in ("here", "there"):
        async with a_run(looking(each=pay), tmp_path, Items(items=(Item(id="i0", domain=domain),))) as run:
            await run_phases(run)

    assert asked == ["i0"]
    assert run.log.state.steps[-1].handoff.status is Status.BLOCKED


async def test_a_command_finds_its_key_in_its_environment(tmp_path: Path) -> None:
    program = "import os; print(os.environ['ECHELON_IDEMPOTENCY_KEY'])"
    job = Job("paying", goal="Pay", inputs=Items, defaults=ONCE)
    job.phase("pay", agent=command([sys.executable, "-c", program], effect="write"))
    async with a_run(job, tmp_path) as run:
        await run_phases(run)
        output = output_of(run)
        (claim,) = await intents(run)

    assert output.strip() == claim.idempotency_key


@pytest.mark.parametrize("effect", ["read", "write"])
async def test_a_process_that_lost_its_run_does_nothing_more(tmp_path: Path, effect: Effect) -> None:
    counter = Counter(effect)

    async def sleep_and_wake() -> None:
        async with a_run(counter.job(), tmp_path) as run:
            assert run.lease is not None
            run.lease._proved -= 1000  # this one slept meanwhile
            with taken_by_another(run):
                await run_phases(run)

    with pytest.raises(BaseExceptionGroup) as ended:
        await sleep_and_wake()
    assert ended.group_contains(LeaseLost)
    assert counter.keys == []


async def test_steps_of_other_agents_are_not_claimed(tmp_path: Path) -> None:
    async with a_run(looking(), tmp_path, Items()) as run:
        await run_phases(run)

        assert await intents(run) == []
