"""F1: a run outlasts a provider that is down for a time; where something stands in, it does not wait for it."""

import asyncio
import time
from pathlib import Path

import pytest

from echelon import Fallback, Resilience, agent
from echelon.coordination.job_run import run_phases
from echelon.model.policy import BreakerPolicy
from echelon.model.status import Status
from echelon.resilience.registry import BreakerRegistry
from echelon.testing.clock import FakeClock
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import Item, items, looking

pytestmark = pytest.mark.anyio

#: How long the provider is down, in seconds; it is tried again sooner than that.
DOWN_SECONDS = 0.5
CALLS = 30

#: Opens at the first failure, so that no call is lost before it does; attempts are made again after a moment.
POLICY = Resilience(
    attempts=3,
    backoff_seconds=0.01,
    breaker="provider",
    breaker_policy=BreakerPolicy(consecutive_failures=1, open_seconds=0.1, open_growth=1.5),
)


class Provider:
    """Does not answer for a time from its first call on."""

    def __init__(self, down_seconds: float = DOWN_SECONDS) -> None:
        self._down_seconds = down_seconds
        self._up_at: float | None = None
        self.calls = 0

    async def ask(self, item: Item) -> str:
        self.calls += 1
        self._up_at = self._up_at or time.monotonic() + self._down_seconds
        await asyncio.sleep(0.001)
        if time.monotonic() < self._up_at:
            raise ConnectionError("the provider does not answer")
        return item.id


async def test_a_nightly_run_completes_when_the_provider_comes_back(tmp_path: Path) -> None:
    provider = Provider()
    job = looking(each=agent(provider.ask, goal="Ask"), defaults=POLICY)
    async with a_run(job, tmp_path, items(CALLS)) as run:
        await run_phases(run)
        state, view = run.log.state, view_so_far(run)

    assert [step.handoff.status for step in state.steps] == [Status.COMPLETED] * CALLS
    assert provider.calls == sum(step.handoff.attempts for step in state.steps)
    (waits,) = [wait for wait in view.waits if wait.limiter == "breaker provider"]
    assert waits.steps >= CALLS - 1
    assert waits.longest_seconds >= DOWN_SECONDS / 2


@pytest.mark.parametrize("fallback", [Fallback.default("from memory"), Fallback.skip("it can be lived without")])
async def test_with_a_fallback_it_ends_at_once(tmp_path: Path, fallback: Fallback) -> None:
    provider = Provider(down_seconds=3600)
    policy = POLICY.model_copy(update={"breaker_policy": BreakerPolicy(consecutive_failures=1, open_seconds=3600)})
    job = looking(each=agent(provider.ask, goal="Ask", fallback=fallback), defaults=policy)
    async with asyncio.timeout(60), a_run(job, tmp_path, items(CALLS)) as run:
        await run_phases(run)
        waits = view_so_far(run).waits

    assert not [wait for wait in waits if wait.limiter == "breaker provider"]


async def test_an_agent_that_stands_in_and_is_the_last_to_do_so_waits_itself(tmp_path: Path) -> None:
    """The own provider is down for good, that of the other agent for a moment."""
    other, gone = Provider(), Provider(down_seconds=3600)

    async def instead(item: Item) -> str:
        return await other.ask(item)

    long = BreakerPolicy(consecutive_failures=1, open_seconds=3600)
    first = agent(
        gone.ask,
        goal="Ask",
        resilience=Resilience(breaker="gone", breaker_policy=long),
        fallback=agent(instead, resilience=POLICY),
    )
    async with asyncio.timeout(60), a_run(looking(each=first), tmp_path, items(9)) as run:
        delivered = (await run_phases(run))["look"]

    assert len(delivered.handoffs) == 9
    assert not delivered.missing


async def test_a_call_whose_deadline_comes_first_says_for_what_it_waited(tmp_path: Path) -> None:
    breakers = BreakerRegistry(clock=FakeClock())  # by the wall clock the next probe is in 600.0 or in 599.9 s
    policy = BreakerPolicy(consecutive_failures=1, open_seconds=600, open_jitter=0)
    breakers.get("provider", policy).admit().end(ConnectionError("refused"))
    stated = POLICY.model_copy(update={"breaker_policy": policy, "timeout_seconds": 20.0})
    job = looking(each=agent(Provider().ask, goal="Ask"), defaults=stated)
    async with asyncio.timeout(60), a_run(job, tmp_path, items(1), breakers=breakers) as run:
        await run_phases(run)
        (step,) = run.log.state.steps

    assert step.handoff.status is Status.BLOCKED
    assert step.handoff.error is not None
    assert "breaker 'provider' is open (1 failures in a row" in step.handoff.error.message
    assert "waited 0.0 s of the 20.0 s that its timeout allows; next probe in 600.0 s" in step.handoff.error.message


async def test_a_run_that_is_stopped_while_it_waits_leaves_nobody_in_line_and_holds_nothing(tmp_path: Path) -> None:
    breakers = BreakerRegistry()
    long = BreakerPolicy(consecutive_failures=1, open_seconds=60, open_jitter=0)
    breaker = breakers.get("provider", long)
    breaker.admit().end(ConnectionError("refused"))
    job = looking(each=agent(Provider().ask, goal="Ask"), defaults=POLICY.model_copy(update={"breaker_policy": long}))
    async with a_run(job, tmp_path, items(CALLS), breakers=breakers) as run:
        stopped = asyncio.create_task(run_phases(run))
        async with asyncio.timeout(60):
            while breaker.line.waiting < CALLS:  # noqa: ASYNC110 - a line tells nobody that it grows
                await asyncio.sleep(0)
        held = run.guarding.account.reserved["calls"]
        stopped.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopped

    assert not held
    assert breaker.line.waiting == 0
    assert not [step for step in run.log.state.steps if step.handoff.done]
