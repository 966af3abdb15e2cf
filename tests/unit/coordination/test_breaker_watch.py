"""A run puts on record what the breakers do that its agents use (F1, V1)."""

import asyncio
from pathlib import Path

import pytest

from echelon import Handoffs, Job, Resilience, agent
from echelon.coordination.breaker_watch import LEVELS, breakers_on_record, handing_over
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.model.breaker_news import BreakerNews, Turn
from echelon.model.errors import DependencyFailed, LeaseLost
from echelon.model.exception_report import Level, Trigger
from echelon.model.policy import BreakerPolicy
from echelon.resilience.breaker.breaker import Breaker
from echelon.resilience.breaker.watcher import BreakerWatcher
from echelon.resilience.registry import BreakerRegistry
from echelon.runlog.breakers import breakers_of
from echelon.runlog.events import BreakerChanged
from echelon.testing.runs import a_run
from tests.unit.coordination.jobs import Item, Watched, items, looking, on_record, taken_by_another

pytestmark = pytest.mark.anyio

#: Opens at the second failure, and may be tried again at once.
QUICK = BreakerPolicy(consecutive_failures=2, open_seconds=1e-6, half_open_calls=1)
#: Opens at the first failure, for as long as the tests take.
FIRM = BreakerPolicy(consecutive_failures=1, open_seconds=600)


@agent(breaker="provider")
async def ask(item: Item) -> str:
    """Ask a provider that is down for some."""
    if item.fails:
        raise DependencyFailed("it is down", passing=True)
    return item.id


def asking(policy: BreakerPolicy) -> Job:
    return looking(each=ask, defaults=Resilience(attempts=1, breaker_policy=policy))


async def reports(run: RunContext) -> list[tuple[Level, str]]:
    told = await on_record(run)
    return [(one.level, one.message) for one in told.exceptions if one.trigger is Trigger.BREAKER]


async def turns(run: RunContext) -> list[str]:
    return [news.turn for news in (await on_record(run)).breakers]


async def test_a_breaker_that_opens_is_told_once_with_cause_and_next_trial(tmp_path: Path) -> None:
    seen = Watched()
    given = items(8, failing=frozenset(range(8)))
    async with a_run(asking(FIRM), tmp_path, given, watch=seen) as run:
        await run_phases(run)
        told, happened = await reports(run), await turns(run)

        ((level, message),) = told
        assert level is Level.WARNING
        assert message.startswith("breaker 'provider' is open, calls are refused: 1 failures in a row, the last with")
        assert "next probe in" in message
        assert happened == ["opened", "left"]
        assert [one.message for one in run.log.state.exceptions if one.trigger is Trigger.BREAKER] == [message]
        assert [one.news.message for one in seen.of(BreakerChanged) if one.news.turn in LEVELS] == [message]


async def test_its_trials_and_its_recovery_are_told_too(tmp_path: Path) -> None:
    job = Job("two", goal="Ask twice", inputs=type(items()), defaults=Resilience(attempts=1, breaker_policy=QUICK))
    job.phase("bad", each=ask, over=lambda items: items)

    @agent(breaker="provider")
    async def again(bad: Handoffs[str]) -> int:
        return len(bad)

    job.phase("good", agent=again, needs={"bad": "loose"})
    async with a_run(job, tmp_path, items(2, failing=frozenset({0, 1}))) as run:
        await run_phases(run)
        (story,) = breakers_of((await on_record(run)).breakers)

        assert await turns(run) == ["opened", "trying", "closed", "left"]
        assert [level for level, _ in await reports(run)] == [Level.WARNING, Level.INFO, Level.INFO]
        assert story.said == "provider opened 1 time, closed; in its process only"


async def test_a_run_hears_only_of_breakers_that_its_agents_use(tmp_path: Path) -> None:
    breakers = BreakerRegistry()
    async with a_run(asking(FIRM), tmp_path, items(1), breakers=breakers) as run:
        breakers.get("other").isolate("by hand")
        await run_phases(run)
        breakers.isolate("provider", "after its end")
        await asyncio.sleep(0)

        assert await turns(run) == ["left"]
        assert await reports(run) == []


async def test_a_run_without_breakers_has_nothing_to_tell(tmp_path: Path) -> None:
    async with a_run(looking(), tmp_path, items(2)) as run:
        await run_phases(run)

        assert breakers_of((await on_record(run)).breakers) == ()


async def test_a_breaker_that_was_open_before_is_told_but_did_not_open_here(tmp_path: Path) -> None:
    breakers = BreakerRegistry()
    async with a_run(asking(FIRM), tmp_path, items(1), breakers=breakers) as run:
        breakers.get("provider", FIRM).admit().end(DependencyFailed("down"))
        await run_phases(run)
        (story,) = breakers_of((await on_record(run)).breakers)

        assert [level for level, _ in await reports(run)] == [Level.WARNING]
        assert (story.opened, story.state) == (0, "open")


async def test_a_run_that_is_gone_on_with_adds_to_what_is_on_record(tmp_path: Path) -> None:
    given = items(1, failing=frozenset({0}))
    async with a_run(asking(FIRM), tmp_path, given) as run:
        await run_phases(run)
    async with a_run(asking(FIRM), tmp_path, given) as run:  # with the breakers of another process
        await run_phases(run)
        (story,) = breakers_of((await on_record(run)).breakers)

        assert story.opened == 2
        assert len([one for one in run.log.state.exceptions if one.trigger is Trigger.BREAKER]) == 2


async def test_what_another_thread_does_to_a_breaker_is_on_record_when_the_block_ends(tmp_path: Path) -> None:
    breakers = BreakerRegistry()
    async with a_run(asking(FIRM), tmp_path, items(1), breakers=breakers) as run:
        async with breakers_on_record(run):
            breaker = run.guarding.breakers_used.note(breakers.get("provider", FIRM))
            await asyncio.to_thread(breaker.isolate, "maintenance", "ann")

        assert [message for _, message in await reports(run)] == [
            "breaker 'provider' is isolated by ann: maintenance; calls are refused until it is reset"
        ]


async def test_what_happened_before_an_error_is_on_record_all_the_same(tmp_path: Path) -> None:
    async with a_run(asking(FIRM), tmp_path, items(1)) as run:
        with pytest.raises(ZeroDivisionError):
            await _broken(run)

        assert await turns(run) == ["isolated", "left"]


async def _broken(run: RunContext) -> None:
    async with breakers_on_record(run):
        run.guarding.breakers_used.note(BreakerRegistry().get("provider")).isolate("maintenance")
        raise ZeroDivisionError


async def test_who_lost_the_run_to_another_process_writes_nothing_and_hears_so(tmp_path: Path) -> None:
    async with a_run(asking(FIRM), tmp_path, items(1)) as run:
        with taken_by_another(run), pytest.raises(LeaseLost):
            await run_phases(run)

        assert await turns(run) == []


def test_a_run_whose_loop_has_ended_cannot_harm_a_breaker_that_others_use() -> None:
    breaker, loop, told = Breaker("provider"), asyncio.new_event_loop(), asyncio.Queue[BreakerNews | None]()
    loop.close()
    BreakerWatcher(breaker, handing_over(loop, told)).begin()

    breaker.isolate("maintenance")

    assert (breaker.state, told.empty()) == ("open", True)


def test_every_turn_but_leaving_is_told() -> None:
    assert set(Turn) - set(LEVELS) == {Turn.LEFT}
