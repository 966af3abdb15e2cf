"""Tasks of a run are done again, whatever came of them; what used them follows, the rest is recalled (F8)."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from echelon import AgentFailed, Brief, Budget, Fallback, Handoffs, Job, Outcome, Resilience, Usage, agent, integrator
from echelon.agents.agent import Effect
from echelon.coordination.job_run import run_phases
from echelon.coordination.step.intents import OperatorDecision
from echelon.coordination.step.retries import RetryRequest
from echelon.engine.run import RunOptions, finish, prepare_run
from echelon.journal.journal import SqlJournal
from echelon.model.errors import InvalidInput, RunHeld
from echelon.model.run import RunRecord, RunResult, RunStatus
from echelon.runlog.events import LoggedEvent
from echelon.runlog.state import RunState, fold
from echelon.settings import Settings
from echelon.testing.oversight import answering, approval_of

pytestmark = pytest.mark.anyio

ONCE = Resilience(attempts=1)

Asked = list[str]


class Inputs(BaseModel):
    """Four words in two domains."""

    words: tuple[str, ...] = ("north-0", "north-1", "south-0", "south-1")


class Desk:
    """Agents that note who was asked, and say what `says` tells them to say."""

    def __init__(self) -> None:
        self.asked: Asked = []
        self.broken: set[str] = set()
        self.says: dict[str, str] = {}

    def note(self, task: str) -> str:
        """Note that a task is asked, and return what is said; `AgentFailed` for a broken one."""
        self.asked.append(task)
        if task in self.broken:
            raise AgentFailed("not today")
        return self.says.get(task, f"{task} as ever")

    def job(self, *, concludes: bool = True) -> Job:
        """Make a job of two phases: words are looked at and integrated in stages, then there is a conclusion."""
        desk = self

        @agent
        async def look(item: str) -> str:
            return desk.note(item)

        @integrator
        async def merge(seen: Handoffs[str]) -> str:
            desk.asked.append(f"merge {len(seen)}")
            return "+".join(seen.outputs())

        @merge.combine
        async def combine(seen: Handoffs[str]) -> str:
            desk.asked.append(f"combine {len(seen)}")
            return "|".join(seen.outputs())

        @agent
        async def conclude(look: Handoffs[str]) -> str:
            desk.asked.append("conclude")
            return f"so: {look.outputs()[0]}"

        job = Job("looking", goal="See", inputs=Inputs, defaults=ONCE, span=2)
        job.phase("look", each=look, over=words, domain=lambda item: item.partition("-")[0], integrate=combine)
        if concludes:
            job.phase("conclude", agent=conclude, needs="look")
        return job


def words(words: Sequence[str]) -> list[str]:
    """Find the items."""
    return [*words]


async def carried_out(job: Job, home: Path, *tasks: str, redo: Sequence[str] = (), **options: Any) -> RunResult:
    """Begin the run of a job, go on with it, or do tasks of it again."""
    retry = RetryRequest(tasks=tasks, redo=tuple(redo), by="mia") if tasks else None
    inputs = job.inputs_type()
    options = {"ask": answering(begin="approve", again="deny"), **options}
    async with prepare_run(job, inputs, RunOptions(run_id="r", retry=retry, **options), Settings(home=home)) as run:
        return await finish(run, await run_phases(run.context))


async def log_of(home: Path) -> tuple[LoggedEvent, ...]:
    async with SqlJournal.open(Settings(home=home)) as journal:
        return await journal.events("r")


async def state_of(home: Path) -> RunState:
    return fold(entry.event for entry in await log_of(home))


async def record_of(home: Path) -> RunRecord:
    async with SqlJournal.open(Settings(home=home)) as journal:
        return await journal.run("r")


async def stopped(job: Job, home: Path, *tasks: str, redo: Sequence[str] = ()) -> None:
    """Stop a process that was to do tasks again, as soon as that is on record."""
    retry = RetryRequest(tasks=tasks, redo=tuple(redo))
    with pytest.raises(asyncio.CancelledError):
        async with prepare_run(job, job.inputs_type(), RunOptions(run_id="r", retry=retry), Settings(home=home)):
            raise asyncio.CancelledError


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def done_once(desk: Desk, home: Path) -> Job:
    """Let the run of a desk be completed, and forget who was asked."""
    job = desk.job()
    result = await carried_out(job, home)
    assert result.status is RunStatus.COMPLETED
    desk.asked.clear()
    return job


async def test_a_task_is_done_again_and_what_used_it_follows_while_the_rest_is_recalled(
    desk: Desk, tmp_path: Path
) -> None:
    job = await done_once(desk, tmp_path)
    desk.says["north-1"] = "something new"
    result = await carried_out(job, tmp_path, "look/north-1")

    assert desk.asked == ["north-1", "merge 2", "combine 2", "conclude"]
    assert result.run_id == "r"
    assert result.status is RunStatus.COMPLETED
    assert result.output == "so: north-0 as ever+something new|south-0 as ever+south-1 as ever"


async def test_where_it_delivers_the_same_as_before_nothing_else_is_done(desk: Desk, tmp_path: Path) -> None:
    job = await done_once(desk, tmp_path)
    before = (await record_of(tmp_path)).finished
    result = await carried_out(job, tmp_path, "look/north-1")

    assert desk.asked == ["north-1"]
    assert (result.status, result.launched, len(result.missing)) == (RunStatus.COMPLETED, 8, 0)
    assert result.output == "so: north-0 as ever+north-1 as ever|south-0 as ever+south-1 as ever"
    finished = (await record_of(tmp_path)).finished
    assert before is not None
    assert finished is not None
    assert finished > before


async def test_an_integration_alone_is_made_anew(desk: Desk, tmp_path: Path) -> None:
    job = await done_once(desk, tmp_path)
    result = await carried_out(job, tmp_path, "look/combine/primary")

    assert desk.asked == ["combine 2"]
    assert result.status is RunStatus.COMPLETED


async def test_a_part_that_comes_out_the_same_leaves_the_output_whole(desk: Desk, tmp_path: Path) -> None:
    """The output is the integration of everything, which is recalled, and not the part that was made last."""
    job = desk.job(concludes=False)
    first = await carried_out(job, tmp_path)
    part = next(one for one in (await state_of(tmp_path)).latest if "merge" in one.task_id).task_id
    desk.asked.clear()
    again = await carried_out(job, tmp_path, part)

    assert desk.asked == ["merge 2"]
    assert again.output == first.output


async def test_patterns_mean_many_with_their_integrations(desk: Desk, tmp_path: Path) -> None:
    job = await done_once(desk, tmp_path)
    await carried_out(job, tmp_path, "look/*")

    assert sorted(desk.asked) == sorted([*Inputs().words, "merge 2", "merge 2", "combine 2"])


async def test_what_is_done_again_and_fails_is_missing_and_a_resume_makes_it_good(desk: Desk, tmp_path: Path) -> None:
    job = await done_once(desk, tmp_path)
    desk.broken = {"north-1"}
    failed = await carried_out(job, tmp_path, "look/north-1")

    assert failed.status is RunStatus.PARTIAL
    assert [one.task_id for one in failed.missing] == ["look/north-1"]
    desk.broken.clear()
    desk.asked.clear()
    mended = await carried_out(job, tmp_path)

    assert (desk.asked[0], mended.status, mended.missing) == ("north-1", RunStatus.COMPLETED, ())


async def test_what_nobody_delivers_any_more_leaves_no_output_of_before(desk: Desk, tmp_path: Path) -> None:
    job = await done_once(desk, tmp_path)
    desk.broken = set(Inputs().words)
    failed = await carried_out(job, tmp_path, "look/[ns]*-?")

    assert (failed.status, failed.output) == (RunStatus.FAILED, None)


async def test_a_run_that_was_retried_is_recalled_as_a_whole(desk: Desk, tmp_path: Path) -> None:
    job = await done_once(desk, tmp_path)
    await carried_out(job, tmp_path, "look/north-1")
    for times in (1, 2):
        desk.asked.clear()
        await carried_out(job, tmp_path)
        assert desk.asked == []
        await carried_out(job, tmp_path, "look/north-1")
        assert desk.asked == ["north-1"]
        assert (await state_of(tmp_path)).retried["look/north-1"].times == times + 1


async def test_it_is_on_record_and_shown_who_wanted_what_done_again(desk: Desk, tmp_path: Path) -> None:
    job = await done_once(desk, tmp_path)
    await carried_out(job, tmp_path, "look/north-*")
    retries = [(one.tasks, one.by) for one in (await state_of(tmp_path)).retries]

    assert retries == [(("look/north-0", "look/north-1"), "mia")]
    report = (tmp_path / "runs" / "r" / "report" / "report.md").read_text(encoding="utf-8")
    assert "- look/north-0, look/north-1, on 20" in report
    assert "asked for by mia" in report


@pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.PARTIAL])
async def test_a_retry_that_is_interrupted_is_gone_on_with(desk: Desk, tmp_path: Path, status: RunStatus) -> None:
    desk.broken = {"south-0"} if status is RunStatus.PARTIAL else set()
    job = desk.job()
    assert (await carried_out(job, tmp_path)).status is status
    desk.broken.clear()
    desk.asked.clear()
    desk.says["north-1"] = "something new"
    await stopped(job, tmp_path, "look/north-1")

    assert (await record_of(tmp_path)).status is RunStatus.INTERRUPTED
    result = await carried_out(job, tmp_path)
    assert "north-1" in desk.asked
    assert result.status is RunStatus.COMPLETED
    assert "something new" in str(result.output)


async def test_what_a_fallback_stood_in_for_is_tried_itself_again(tmp_path: Path) -> None:
    asked: Asked = []
    broken = {"main"}

    def trying(name: str) -> Any:
        @agent(name=name)
        async def work() -> str:
            asked.append(name)
            if name in broken:
                raise AgentFailed("not today")
            return f"by {name}"

        return work

    job = Job("falling", goal="Try", inputs=Inputs, defaults=ONCE)
    job.phase("work", agent=trying("main"), fallback=Fallback.agent(trying("other")))
    for tasks, outcome in (((), "by other"), (("work/main",), "by other"), ((), "by other")):
        result = await carried_out(job, tmp_path, *tasks)
        assert result.output == outcome
    assert asked == ["main", "other"] * 2 + ["main"]
    broken.clear()
    result = await carried_out(job, tmp_path, "work/main")

    assert (result.status, result.output, asked[-1]) == (RunStatus.COMPLETED, "by main", "main")


@settings(max_examples=8, deadline=None)
@given(
    st.lists(
        st.tuples(st.sets(st.sampled_from(Inputs().words), min_size=1), st.booleans()),
        min_size=1,
        max_size=3,
    )
)
def test_whatever_is_retried_the_output_is_made_of_the_last_answers(turns: list[tuple[set[str], bool]]) -> None:
    """Each turn some are done again, at once or after the process was stopped; everybody would say something new."""

    async def tried(home: Path) -> None:
        desk, counts = Desk(), dict.fromkeys(Inputs().words, "0")
        desk.says = dict(counts)
        job = desk.job()
        await carried_out(job, home)
        for number, (again, is_stopped) in enumerate(turns, start=1):
            desk.asked.clear()
            desk.says = dict.fromkeys(Inputs().words, str(number))
            counts |= dict.fromkeys(again, str(number))
            tasks = [f"look/{word}" for word in sorted(again)]
            if is_stopped:
                await stopped(job, home, *tasks)
            result = await carried_out(job, home, *([] if is_stopped else tasks))

            assert {one for one in desk.asked if one in counts} == again
            assert result.output == "so: {}+{}|{}+{}".format(*(counts[word] for word in Inputs().words))

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(tried(Path(folder)))


async def test_what_finds_items_is_asked_again_when_what_it_is_given_has_changed(desk: Desk, tmp_path: Path) -> None:
    """Items that are found on the way are tasks like others: they may be named, and new ones are begun (X12)."""

    @agent
    async def survey() -> str:
        return desk.note("survey")

    def found(survey: Handoffs[str]) -> list[str]:
        desk.asked.append("found")
        return survey.outputs()[0].split()

    @agent
    async def look(item: str) -> str:
        return desk.note(item)

    job = Job("finding", goal="See", inputs=Inputs, defaults=ONCE)
    job.phase("survey", agent=survey)
    job.phase("look", each=look, over=found, needs="survey")
    for said, tasks, asked in (
        ("a b", (), ["a", "b", "found", "survey"]),
        ("a b", ("look/b",), ["b"]),
        ("a b", ("survey/survey",), ["survey"]),
        ("a b c", ("survey/survey",), ["a", "b", "c", "found", "survey"]),
    ):
        desk.asked.clear()
        desk.says["survey"] = said
        result = await carried_out(job, tmp_path, *tasks)

        assert sorted(desk.asked) == asked
        assert result.status is RunStatus.COMPLETED
        assert isinstance(result.output, dict)
        assert list(result.output) == [f"look/{one}" for one in said.split()]


# What changes the world


class Shop:
    """Pays; then something that cannot be undone is made from that. Counts by idempotency key."""

    def __init__(self, effect: Effect, then: Effect = "read") -> None:
        self.keys: Asked = []
        self.sent: Asked = []
        shop = self

        @agent(effect=effect)
        async def pay(brief: Brief) -> str:
            shop.keys.append(brief.idempotency_key)
            return f"paid {len(shop.keys)}"

        @agent(effect=then)
        async def send(pay: Handoffs[str]) -> str:
            shop.sent.append(pay.outputs()[0])
            return f"receipt for {shop.sent[-1]}"

        self.job = Job("paying", goal="Pay", inputs=Inputs, defaults=ONCE)
        self.job.phase("pay", agent=pay)
        self.job.phase("send", agent=send, needs="pay")


async def test_a_write_that_a_person_wants_again_is_a_new_order(tmp_path: Path) -> None:
    shop = Shop("write")
    await carried_out(shop.job, tmp_path)
    await carried_out(shop.job, tmp_path, "pay/pay")

    assert len(set(shop.keys)) == 2


async def test_what_cannot_be_undone_is_refused_and_nothing_is_put_on_record(tmp_path: Path) -> None:
    shop = Shop("irreversible")
    await carried_out(shop.job, tmp_path)
    before = await log_of(tmp_path)
    with pytest.raises(InvalidInput, match="pay/pay: cannot be undone, and was begun at"):
        await carried_out(shop.job, tmp_path, "pay/pay")

    assert (len(shop.keys), await log_of(tmp_path)) == (1, before)


async def test_what_cannot_be_undone_is_done_again_once_where_a_person_says_that_it_may(tmp_path: Path) -> None:
    shop = Shop("irreversible")
    await carried_out(shop.job, tmp_path)
    result = await carried_out(shop.job, tmp_path, "pay/pay", redo=("pay/pay",))

    assert (len(shop.keys), result.output) == (2, "receipt for paid 2")
    await carried_out(shop.job, tmp_path)
    assert len(shop.keys) == 2


async def test_the_word_of_the_person_holds_when_the_process_dies_before_it_is_made_use_of(tmp_path: Path) -> None:
    shop = Shop("irreversible")
    await carried_out(shop.job, tmp_path)
    await stopped(shop.job, tmp_path, "pay/pay", redo=("pay/*",))
    await carried_out(shop.job, tmp_path)

    assert len(shop.keys) == 2


async def test_what_was_done_again_and_cut_off_is_asked_about(tmp_path: Path) -> None:
    shop = Shop("irreversible")
    await carried_out(shop.job, tmp_path)
    retry = RetryRequest(tasks=("pay/pay",), redo=("pay/pay",))
    async with prepare_run(shop.job, Inputs(), RunOptions(run_id="r", retry=retry), Settings(home=tmp_path)) as run:
        key = run.context.memo.key_of("pay/pay", "the key of the step")
        used = await approval_of(run.context, key, "pay/pay")
        await run.context.intents.begin(key, "pay/pay", "irreversible", approved=used)
    result = await carried_out(shop.job, tmp_path)

    assert result.status is RunStatus.WAITING
    assert len(shop.keys) == 1
    done = await carried_out(shop.job, tmp_path, decision=OperatorDecision(done={"pay/pay": "paid by hand"}))
    assert (done.status, len(shop.keys)) == (RunStatus.COMPLETED, 1)


async def test_what_cannot_be_undone_and_used_what_has_changed_is_kept(tmp_path: Path) -> None:
    shop = Shop("read", then="irreversible")
    await carried_out(shop.job, tmp_path)
    result = await carried_out(shop.job, tmp_path, "pay/pay")

    assert (len(shop.keys), shop.sent) == (2, ["paid 1"])
    assert (result.status, result.output) == (RunStatus.PARTIAL, "receipt for paid 1")


# Refusals


async def test_only_a_run_that_is_on_record_is_retried(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="only a run that is on record can be retried"):
        await carried_out(desk.job(), tmp_path, "look/north-0")


async def test_a_run_at_work_is_not_retried_and_it_is_said_who_holds_it(desk: Desk, tmp_path: Path) -> None:
    job = await done_once(desk, tmp_path)
    async with prepare_run(job, Inputs(), RunOptions(run_id="r"), Settings(home=tmp_path)):
        with pytest.raises(RunHeld, match="process"):
            await carried_out(job, tmp_path, "look/north-0")

    assert (await state_of(tmp_path)).retries == ()


async def test_what_was_used_before_counts_as_spent(tmp_path: Path) -> None:
    @agent
    async def think() -> Outcome[str]:
        return Outcome(output="thought", usage=Usage(tokens_in=60, tokens_out=0))

    job = Job("thinking", goal="Think", inputs=Inputs, defaults=ONCE, budget=Budget(tokens=100))
    job.phase("think", agent=think)
    spent = [(await carried_out(job, tmp_path, *tasks)).measures.tokens for tasks in ((), ("think/think",))]
    result = await carried_out(job, tmp_path, "think/think")

    assert spent == [60, 120]
    assert [one.reason for one in result.missing if "budget" in one.reason]
    assert result.measures.tokens == 120


async def test_a_job_retries_its_runs_from_python(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path))
    monkeypatch.setenv("ECHELON_PICTURE", "false")
    job = await done_once(desk, tmp_path)
    result = await job.retry("r", "look/south-0", by="mia")

    assert (desk.asked, result.run_id, result.status) == (["south-0"], "r", RunStatus.COMPLETED)
    for run_id, tasks, line in (("s", ("look/*",), "no run 's'"), ("r", (), "no task is named")):
        with pytest.raises(InvalidInput, match=line):
            await job.retry(run_id, *tasks)
