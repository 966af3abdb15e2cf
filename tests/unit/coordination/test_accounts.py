"""Budgets of tasks and domains: who pays for a step, what is reserved for it, and what it is told (F4)."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echelon import AgentFailed, Budget, Fallback, Handoffs, Job, Outcome, Resilience, agent, integrator
from echelon.coordination.accounts import budget_told, expected_tokens, spent_by
from echelon.coordination.briefs import told_anew
from echelon.coordination.result import status_after
from echelon.model.assignment import Brief
from echelon.model.handoff import Handoff, OutputReference
from echelon.model.policy import BulkheadPolicy
from echelon.model.run import RunStatus, StepKind, StepRecord
from echelon.model.status import Status
from echelon.model.usage import Usage
from echelon.resilience.budget import Account
from echelon.resilience.guard import Guard
from echelon.testing.calls import a_call
from tests.unit.coordination.budgets import ended, reason, using, worked
from tests.unit.coordination.jobs import ONCE, Item, Items, items, looking, output_of, staged

pytestmark = pytest.mark.anyio

OUTPUT = OutputReference(location="run/x.json", sha256="ab", size_bytes=1, contract="str@1")
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


# Who pays


async def test_a_task_may_use_what_its_budget_says_all_attempts_together(tmp_path: Path) -> None:
    asked: list[str] = []

    @agent(attempts=9, budget=Budget(calls=2))
    async def look(item: Item) -> str:
        """Look at an item."""
        asked.append(item.id)
        raise AgentFailed("not now", passing=True)

    job = looking(each=look, defaults=Resilience(backoff_seconds=0))
    run, _ = await worked(job, tmp_path, items(2))

    assert sorted(asked) == ["i0", "i0", "i1", "i1"]
    assert {handoff.attempts for handoff in ended(run).values()} == {2}


@pytest.mark.parametrize("sizes", [(3, 3), (30, 30)], ids=["flat", "hierarchy"])
async def test_a_domain_that_has_used_its_budget_up_stops_itself_and_no_other(
    tmp_path: Path, sizes: tuple[int, int]
) -> None:
    """Each task of `d0` uses ten times what one of `d1` uses."""

    @agent
    async def look(item: Item) -> Outcome[str]:
        """Look at an item."""
        return Outcome(output=item.id, usage=Usage(tokens_in=10 if item.domain == "d0" else 1))

    # No estimate is given, so that one is refused only when everything is used; one works at a time.
    policy = Resilience(domain_budget=Budget(tokens=sizes[0]), bulkhead=BulkheadPolicy(max_concurrency=1))
    run, delivered = await worked(looking(each=look, defaults=policy), tmp_path, items(*sizes))
    there = {handoff.task_id for handoff in delivered["look"].handoffs}
    first, second = (sizes[0] - 1) // 10 + 1, sizes[1]

    assert (len(there & _tasks(range(sizes[0]))), len(there & _tasks(range(sizes[0], sum(sizes))))) == (first, second)
    refused = [reason(handoff) for handoff in ended(run).values() if not handoff.done]
    spent = f"{first * 10} spent, 0 reserved for calls under way"
    assert set(refused) == {f"the tokens budget of domain 'd0' has 0 left: {spent}; the call asks for 10"}
    assert status_after(delivered) is RunStatus.PARTIAL


def _tasks(numbers: range) -> set[str]:
    return {f"look/i{number}" for number in numbers}


def two_phases(first: Resilience | None, second: Resilience | None) -> Job:
    """Make a job that looks at each item twice, for ten tokens each time, in phases with a policy of their own."""
    job = Job("twice", goal="See everything twice", inputs=Items, defaults=Resilience(domain_budget=Budget(tokens=25)))
    for name, policy, needs in (("look", first, ()), ("again", second, ("look",))):
        job.phase(
            name,
            each=using(10, name=name),
            over=lambda items: items,
            key=lambda item: item.id,
            domain=lambda item: item.domain,
            needs=needs,
            tokens=10,
            resilience=policy,
        )
    return job


@pytest.mark.parametrize(
    ("again", "done"),
    [
        (None, 0),  # shared with the first phase, which has used it up
        (Resilience(domain_budget=False), 2),
        (Resilience(domain_budget=Budget(tokens=10)), 1),  # one of its own
    ],
    ids=["shared", "off", "its own"],
)
async def test_phases_share_the_budget_of_a_domain_unless_they_state_their_own(
    tmp_path: Path, again: Resilience | None, done: int
) -> None:
    run, _ = await worked(two_phases(None, again), tmp_path, items(1, 2))
    there = {task for task, handoff in ended(run).items() if handoff.done}

    assert {"look/i0", "look/i1", "look/i2"} <= there
    assert len(there & {"again/i1", "again/i2"}) == done


async def test_what_integrations_use_counts_for_their_domain_and_never_stops_them(tmp_path: Path) -> None:
    @integrator
    async def merge(seen: Handoffs[str]) -> Outcome[int]:
        """Count."""
        return Outcome(output=len(seen), usage=Usage(tokens_in=1_000))

    @merge.combine
    async def merge_all(counts: Handoffs[int]) -> int:
        """Add up."""
        return sum(counts.outputs())

    job = looking(each=using(2), integrate=merge_all, defaults=Resilience(domain_budget=Budget(tokens=30), attempts=1))
    run, _ = await worked(job, tmp_path, items(15, 15))
    agent_of, above = run.spec.plan.agent_of, run.guarding.account
    accounts = [run.accounts.of(StepKind.TASK, task, agent_of[task], job.defaults, above) for task in run.spec.tasks]
    used = {level.name: level.used.tokens for account in accounts if account for level in account.levels}

    assert output_of(run) == 30
    assert {name: tokens >= 1_000 for name, tokens in used.items() if name.startswith("domain")} == {
        "domain 'd0'": True,
        "domain 'd1'": True,
    }


async def test_a_run_that_is_gone_on_with_has_spent_what_earlier_processes_used(tmp_path: Path) -> None:
    policy = Resilience(domain_budget=Budget(tokens=100), attempts=1)
    job = Job("resumed", goal="See", inputs=Items, defaults=policy, budget=Budget(tokens=1_000))
    broken = {"i1"}

    @agent
    async def look(item: Item) -> Outcome[str]:
        """Look at an item."""
        if item.id in broken:
            raise AgentFailed("not today")
        return Outcome(output=item.id, usage=Usage(tokens_in=100 if item.id == "i0" else 1))

    job.phase("look", each=look, over=lambda items: items, domain=lambda item: item.domain, tokens=1)
    first, _ = await worked(job, tmp_path, items(2, 1))
    broken.clear()
    second, _ = await worked(job, tmp_path, items(2, 1))

    assert (first.guarding.account.used.tokens, second.guarding.account.used.tokens) == (101, 101)
    assert reason(ended(second)["look/i1"]).startswith("the tokens budget of domain 'd0' has 0 left")


async def test_a_fallback_has_a_budget_of_its_own(tmp_path: Path) -> None:
    spent = using(5, name="other", budget=Budget(calls=1))

    @agent(budget=Budget(tokens=1), attempts=2, fallback=Fallback.agent(spent))
    async def look(item: Item) -> Outcome[str]:
        """Look at an item."""
        error = AgentFailed("not now", passing=True)
        error.usage = Usage(tokens_in=10)
        raise error

    run, delivered = await worked(looking(each=look, defaults=Resilience(backoff_seconds=0)), tmp_path, items(1))

    assert [handoff.summary for handoff in delivered["look"].handoffs] == ["i0"]
    assert ended(run)["look/i0"].done


async def test_a_fallback_is_told_its_own_budget_and_gets_no_notes_of_the_other(tmp_path: Path) -> None:
    @agent(name="other", budget=Budget(tokens=7))
    async def other(item: Item, brief: Brief) -> str:
        """Look at an item."""
        return f"{item.id}: {brief.assignment.budget.tokens}"

    @agent(budget=Budget(tokens=1), fallback=Fallback.agent(other))
    async def look(item: Item) -> str:
        """Look at an item."""
        raise AgentFailed("cannot")

    _, delivered = await worked(looking(each=look), tmp_path, items(1))
    call = a_call(budget=TASK)
    call.notes.append("what the first one found")
    anew = told_anew(call, DOMAIN, 7, ("it is short",), ("Call me.",))

    assert [handoff.summary for handoff in delivered["look"].handoffs] == ["i0: 7"]
    assert (anew.notes, anew.brief.assignment.budget) == ([], DOMAIN)
    assert (anew.brief.assignment.success, anew.brief.conventions) == (("it is short",), ("Call me.",))
    assert (call.notes, call.brief.assignment.budget) == (["what the first one found"], TASK)


# What is reserved and told


@settings(max_examples=60, deadline=None)
@given(
    calls=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=30),
    domain_bound=st.integers(1, 200),
    job_bound=st.integers(1, 200),
    at_once=st.integers(1, 6),
)
def test_a_budget_is_never_passed_by_more_than_what_was_under_way_took_beyond_its_estimate(
    calls: list[tuple[int, int]], domain_bound: int, job_bound: int, at_once: int
) -> None:
    job = Account(Budget(tokens=job_bound), "job")
    domain = Account(Budget(tokens=domain_bound), "domain", job)
    waiting, guard = list(reversed(calls)), Guard(ONCE, account=job)

    async def worker() -> None:
        while waiting:
            estimate, taken = waiting.pop()
            account = Account(Budget(), "task", domain, job)
            await guard.call(lambda taken=taken: taking(taken), tokens=estimate, account=account)

    async def main() -> None:
        await asyncio.gather(*(worker() for _ in range(at_once)))

    asyncio.run(main())
    beyond = at_once * max(0, *(taken - estimate for estimate, taken in calls))

    assert job.used.tokens == domain.used.tokens  # each of them once, whichever way it is reached
    assert (job.used.tokens or 0) <= min(domain_bound, job_bound) + beyond


async def taking(tokens: int) -> Outcome[None]:
    await asyncio.sleep(0)
    return Outcome(output=None, usage=Usage(tokens_in=tokens))


@pytest.mark.parametrize(("expected", "done"), [(50, 2), (100, 1), (101, 0)])
async def test_what_tasks_are_expected_to_use_is_reserved_before_they_begin(
    tmp_path: Path, expected: int, done: int
) -> None:
    job = looking(each=using(50), tokens=expected, defaults=Resilience(domain_budget=Budget(tokens=100), attempts=1))
    run, _ = await worked(job, tmp_path, items(3))
    refused = [reason(handoff) for handoff in ended(run).values() if not handoff.done]

    assert len(refused) == 3 - done
    assert all(f"the call asks for {expected}" in why for why in refused)


async def test_an_estimate_above_the_budget_of_the_task_itself_keeps_nobody_from_trying(tmp_path: Path) -> None:
    job = looking(each=using(5, budget=Budget(tokens=10)), tokens=1_000)
    run, _ = await worked(job, tmp_path, items(2))

    assert all(handoff.done for handoff in ended(run).values())


@pytest.mark.parametrize(
    ("policy", "tokens"),
    [
        (Resilience(), 90),
        (Resilience(budget=Budget(calls=1)), 90),
        (Resilience(budget=Budget(tokens=100)), 90),
        (Resilience(budget=Budget(tokens=80)), 80),
        (Resilience(budget=Budget(tokens=80, final_call=0.5)), 40),
    ],
)
def test_no_more_is_reserved_than_a_task_may_use(policy: Resilience, tokens: int) -> None:
    assert expected_tokens(90, policy) == tokens


TASK, DOMAIN, JOB = Budget(tokens=1), Budget(tokens=2), Budget(tokens=3)


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (Resilience(), JOB),
        (Resilience(domain_budget=DOMAIN), DOMAIN),
        (Resilience(domain_budget=DOMAIN, budget=False), DOMAIN),
        (Resilience(domain_budget=DOMAIN, budget=TASK), TASK),
        (Resilience(domain_budget=False), JOB),
    ],
)
async def test_agents_are_told_the_nearest_budget(tmp_path: Path, policy: Resilience, told: Budget) -> None:
    @agent
    async def look(item: Item, brief: Brief) -> int | None:
        """Look at an item."""
        return brief.assignment.budget.tokens

    job = Job("telling", goal="Tell", inputs=Items, defaults=policy, budget=JOB)
    job.phase("look", each=look, over=lambda items: items, domain=lambda item: item.domain)
    run, _ = await worked(job, tmp_path, items(1))

    assert budget_told(policy, JOB) == told
    assert output_of(run) == {"look/i0": told.tokens}


def recorded(began: float, finished: float, usage: Usage) -> StepRecord:
    handoff = Handoff(
        task_id="t",
        status=Status.COMPLETED,
        summary="did it",
        output_location=OUTPUT,
        producer="a",
        assignment_id="t#1",
        usage=usage,
    )
    moments = {"started": EPOCH + timedelta(seconds=began), "finished": EPOCH + timedelta(seconds=finished)}
    return StepRecord(run_id="r", key="k", phase="p", node="a", kind=StepKind.TASK, handoff=handoff, code="", **moments)


@pytest.mark.parametrize(
    ("spans", "seconds"),
    [
        ((), 0),
        (((0, 2), (5, 6)), 3),  # one after the other
        (((0, 2), (1, 3)), 3),  # side by side
        (((1, 2), (0, 9), (3, 4)), 9),
    ],
)
def test_time_of_steps_side_by_side_is_spent_once_and_tokens_add_up(
    spans: tuple[tuple[float, float], ...], seconds: float
) -> None:
    spent = spent_by([recorded(*span, Usage(tokens_in=2, calls=1, seconds=7, cost=0.5)) for span in spans])

    assert spent.seconds == seconds
    assert (spent.tokens or 0, spent.calls, spent.cost or 0) == (2 * len(spans), len(spans), 0.5 * len(spans))


async def test_nobody_has_an_account_where_no_budget_is_stated(tmp_path: Path) -> None:
    run, _ = await worked(looking(integrate=staged), tmp_path, items(2))

    assert run.accounts.of(StepKind.TASK, "look/i0", "look/i0", ONCE, run.guarding.account) is None
