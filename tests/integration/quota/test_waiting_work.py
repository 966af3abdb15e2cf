"""F10: whatever a used up quota stands in the way of waits for it, and is done once it has reset: nothing twice.

A provider that takes no calls until a time, and a clock that is moved past it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from echelon import AgentFailed, Handoffs, Job, Repeat, Resilience, RunResult, agent, integrator
from echelon.engine.run import RunOptions, run_job
from echelon.model.errors import EffectUncertain, QuotaExhausted
from echelon.model.exception_report import Level
from echelon.model.run import EXIT_CODES, RunStatus
from echelon.resilience.registry import BreakerRegistry

pytestmark = pytest.mark.anyio

POLICY = Resilience(breaker="provider", attempts=2)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Provider:
    """Takes calls, but for the time in which its quota is used up; notes who called, and what was done beside that."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)
        self.until = self.now + timedelta(hours=5)
        self.calls: list[str] = []
        self.done: Counter[str] = Counter()

    def ask(self, who: str) -> str:
        """Answer, or say until when nobody is answered."""
        self.calls.append(who)
        if self.now < self.until:
            raise QuotaExhausted(until=self.until, said="5 hours")
        self.done[who] += 1
        return who


provider = Provider()


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], None]:
    """Begin anew; and let each run be one of a new process, which knows of no window but from the log."""
    provider.__init__()
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path))
    monkeypatch.setenv("ECHELON_PICTURE", "false")

    def new_process() -> None:
        registry = BreakerRegistry()
        registry.quotas.now = lambda: provider.now
        monkeypatch.setattr(BreakerRegistry, "_shared", {None: registry})

    new_process()
    return new_process


@agent
async def look() -> str:
    """Do something that needs no provider."""
    provider.done["look"] += 1
    return "seen"


@agent
async def use(look: Handoffs[str]) -> str:
    """Use what was seen."""
    provider.done["use"] += 1
    return look.outputs()[0].upper()


@agent(resilience=POLICY)
async def ask(look: Handoffs[str]) -> str:
    """Ask the provider."""
    return provider.ask("ask")


def named(name: str) -> Job:
    job = Job(name, goal="Ask a provider that takes no calls", defaults=POLICY)
    job.phase("look", agent=look)
    return job


def asking() -> Job:
    job = named("asking")
    job.phase("ask", agent=ask, needs="look")
    job.phase("use", agent=use, needs="look")
    return job


def conditional() -> Job:
    def is_wanted(look: Handoffs[str]) -> bool:
        return bool(provider.ask("when"))

    job = named("conditional")
    job.phase("use", agent=use, needs="look", when=is_wanted)
    return job


def finding() -> Job:
    def found(look: Handoffs[str]) -> list[str]:
        return [provider.ask("over")]

    @agent
    async def read(item: str) -> str:
        provider.done["read"] += 1
        return item

    job = named("finding")
    job.phase("read", each=read, over=found, needs="look", items=(1, 2))
    return job


def repeating() -> Job:
    def passes(use: Handoffs[str]) -> bool:
        return bool(provider.ask("until"))

    job = named("repeating")
    job.phase("use", agent=use, needs="look", repeat=Repeat(until=passes, rounds=2))
    return job


def repeating_work() -> Job:
    def passes_always(ask: Handoffs[str]) -> bool:
        return bool(ask)

    job = named("repeating-work")
    job.phase("ask", agent=ask, needs="look", repeat=Repeat(until=passes_always, rounds=2))
    return job


def looping() -> Job:
    def passes(use: Handoffs[str]) -> bool:
        return bool(provider.ask("loop"))

    job = named("looping")
    job.phase("use", agent=use, needs="look")
    job.loop(["use"], until=passes, rounds=2)
    return job


def verifying() -> Job:
    def accepts(output: str) -> bool:
        return bool(provider.ask("verify")) and output == "SEEN"

    job = named("verifying")
    job.phase("use", agent=use, needs="look", verify=accepts)
    return job


def integrating() -> Job:
    @integrator
    async def together(found: Handoffs[str]) -> str:
        return f"{provider.ask('integrate')} {len(found)}"

    job = named("integrating")
    job.phase("use", each=use, over=lambda: ["a", "b"], needs="look", integrate=together)
    return job


def replicated() -> Job:
    job = named("replicated")
    job.phase("ask", agent=ask, needs="look", replicas=2)
    return job


def nested() -> Job:
    job = Job("around", goal="Let another job do it", defaults=Resilience(attempts=3))
    job.phase("inner", agent=asking())
    return job


JOBS: Sequence[Callable[[], Job]] = (
    asking, conditional, finding, repeating, repeating_work, looping, verifying, integrating, replicated, nested,
)  # fmt: skip


async def go(job: Job, run_id: str | None = None) -> RunResult:
    return await run_job(job, job.inputs_type(), RunOptions(run_id=run_id))


@pytest.mark.parametrize("make", JOBS, ids=lambda make: make.__name__)
async def test_work_waits_for_its_quota_and_is_done_when_that_has_reset(
    make: Callable[[], Job], forget: Callable[[], None]
) -> None:
    first = await go(make())
    assert (first.status, EXIT_CODES[first.status]) == (RunStatus.WAITING, 4), first.missing
    assert first.waiting is not None
    assert first.waiting.for_ == "quota of provider"
    assert first.waiting.until == provider.until.isoformat()
    assert [one for one in first.exceptions if one.level is Level.CRITICAL] == []
    assert first.measures.failed == 0
    done = Counter(provider.done)

    forget()
    calls = len(provider.calls)
    before = await go(make(), first.run_id)
    assert (before.status, before.waiting) == (RunStatus.WAITING, first.waiting)
    assert len(provider.calls) == calls, "no call before the reset"
    assert provider.done == done

    forget()
    provider.now = provider.until + timedelta(seconds=1)
    whole = await go(make(), first.run_id)
    assert (whole.status, whole.missing, whole.waiting) == (RunStatus.COMPLETED, (), None)
    assert whole.measures.waiting == 0
    assert set(done.items()) <= set(provider.done.items()), "what was done is not done again"


async def test_independent_work_goes_on() -> None:
    first = await go(asking())

    assert provider.done == {"look": 1, "use": 1}
    assert (first.measures.completed, first.measures.waiting) == (2, 1)


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "inside"])
async def test_a_run_that_waits_for_a_person_and_a_quota_names_both(inside: bool, forget: Callable[[], None]) -> None:
    @agent
    async def pay(look: Handoffs[str]) -> str:
        if provider.done["asked"]:
            return "paid"
        raise EffectUncertain("nobody knows whether it was paid", "look whether it was paid")

    def both() -> Job:
        job = asking()
        job.phase("pay", agent=pay, needs="look")
        if not inside:
            return job
        around = Job("around", goal="Let another job do it")
        around.phase("inner", agent=job)
        return around

    first = await go(both())
    assert first.waiting is not None
    assert first.waiting.for_ == "the answer of a person, and quota of provider"
    assert first.waiting.until == provider.until.isoformat()
    assert any("look whether it was paid" in one.asks for one in first.missing)

    forget()
    provider.now = provider.until + timedelta(seconds=1)
    then = await go(both(), first.run_id)
    assert then.waiting is not None
    assert (then.waiting.for_, then.waiting.until) == ("the answer of a person", None)
    assert provider.done["ask"] == 1


async def test_a_failure_beside_what_waits_is_still_a_failure() -> None:
    @agent
    async def break_down(look: Handoffs[str]) -> str:
        raise AgentFailed("it cannot be read")

    job = asking()
    job.phase("break", agents=[break_down], needs="look")
    first = await go(job)

    assert first.status is RunStatus.WAITING
    assert (first.measures.failed, first.measures.waiting) == (1, 1)
