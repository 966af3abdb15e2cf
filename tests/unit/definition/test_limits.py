"""F5: how many agents are at work is decided once: the plan shows what the forecast and the run keep to."""

from typing import Any

import pytest

from echelon import Fallback, Job, Resilience, agent, command
from echelon.agents.processes.processors import processors
from echelon.definition.limits import (
    DEFAULT_FUNCTIONS,
    DEFAULT_MODELS,
    limits_of,
    provider_policies,
    with_provider,
)
from echelon.model.errors import InvalidInput, InvalidJob
from echelon.model.graph import CapacityLimit, WorkerKind
from echelon.model.policy import BulkheadPolicy, RateLimitPolicy

CORES = processors()

SIXTY = RateLimitPolicy(requests_per_minute=60)

BY_KIND = (
    CapacityLimit(kind=WorkerKind.FUNCTION, at_once=DEFAULT_FUNCTIONS),
    CapacityLimit(kind=WorkerKind.MODEL, at_once=DEFAULT_MODELS),
    CapacityLimit(kind=WorkerKind.COMMAND, at_once=CORES),
    CapacityLimit(kind=WorkerKind.PROCESS, at_once=CORES),
)


@agent
async def think(item: int) -> int:
    """Think."""
    return item


@agent(cpu_bound=True)
def count_up(item: int) -> int:
    """Count."""
    return item


def numbers() -> list[int]:
    return [1, 2, 3]


def a_job(each: Any = think, **parts: Any) -> Job:
    job = Job("job", goal="Work", **parts)
    job.phase("work", each=each, over=numbers, seconds=1)
    return job


def limited(**stated: Any) -> Resilience:
    return Resilience(provider="openai", **stated)


def asking(name: str, policy: Resilience, **parts: Any) -> Any:
    @agent(name=name, resilience=policy, **parts)
    async def ask(item: int) -> int:
        """Ask."""
        return item

    return ask


@pytest.mark.parametrize(
    ("each", "kind"),
    [
        (think, WorkerKind.FUNCTION),
        (count_up, WorkerKind.PROCESS),
        (command(["true"], parse="text"), WorkerKind.COMMAND),
    ],
)
def test_a_task_says_what_does_it(each: Any, kind: WorkerKind) -> None:
    made = a_job(each).plan()

    assert {task.kind for task in made.tasks} == {kind}
    assert made.limits == BY_KIND


@pytest.mark.parametrize(
    ("job", "setting", "option", "at_once"),
    [
        (None, None, None, None),
        (9, None, None, 9),
        (9, 5, None, 5),
        (9, 5, 3, 3),
        (None, 5, None, 5),
        (9, None, 300, 300),
    ],
)
def test_what_is_said_for_this_once_wins_over_the_settings_and_those_over_the_job(
    job: int | None, setting: int | None, option: int | None, at_once: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ECHELON_MAX_CONCURRENCY", raising=False)
    if setting is not None:
        monkeypatch.setenv("ECHELON_MAX_CONCURRENCY", str(setting))
    made = a_job(max_concurrency=job).plan(max_concurrency=option)

    expected = BY_KIND if at_once is None else (CapacityLimit(at_once=at_once), BY_KIND[-1])
    assert (made.limits, made.makespan.max_concurrency) == (expected, at_once)


@pytest.mark.parametrize("most", [0, -1])
def test_less_than_one_at_a_time_is_refused(most: int) -> None:
    with pytest.raises(InvalidJob, match="lets no agent work"):
        a_job(max_concurrency=most)
    with pytest.raises(InvalidInput, match="nothing would start"):
        limits_of(a_job(), most)


def test_the_limits_of_a_provider_are_stated_in_one_place_and_hold_for_all_who_call_it() -> None:
    job = Job("job", goal="Work")
    rate = RateLimitPolicy(requests_per_minute=60, tokens_per_minute=6000)
    job.phase("one", each=asking("first", limited(rate_limit=rate)), over=numbers)
    job.phase("two", each=asking("second", limited(bulkhead=BulkheadPolicy(max_concurrency=4))), over=numbers)
    job.phase("three", each=asking("third", limited()), over=numbers)
    made = job.plan()

    assert made.limits[len(BY_KIND) :] == (
        CapacityLimit(provider="openai", at_once=4, requests_per_minute=60, tokens_per_minute=6000),
    )
    assert all(made.limits[-1].bounds(task) for task in made.tasks)


def _by_fallback(job: Job, other: Any) -> None:
    job.phase("two", each=think, over=numbers, fallback=Fallback.agent(other))


@pytest.mark.parametrize(
    "second",
    [
        lambda job, other: job.phase("two", each=other, over=numbers),
        lambda job, other: job.phase("two", each=think, over=numbers, resilience=other.resilience),
        _by_fallback,
    ],
    ids=["an agent", "a phase", "a fallback"],
)
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            {"rate_limit": RateLimitPolicy(requests_per_minute=60)},
            {"rate_limit": RateLimitPolicy(requests_per_minute=9)},
        ),
        ({"bulkhead": BulkheadPolicy(max_concurrency=4)}, {"bulkhead": BulkheadPolicy(max_concurrency=5)}),
    ],
    ids=["rate", "slots"],
)
def test_limits_that_contradict_each_other_are_refused_before_anything_runs(
    second: Any, one: dict[str, Any], other: dict[str, Any]
) -> None:
    job = Job("job", goal="Work")
    job.phase("one", each=asking("first", limited(**one)), over=numbers)
    second(job, asking("second", limited(**other)))

    with pytest.raises(InvalidJob, match=r"provider 'openai' is stated twice.*in one place"):
        job.plan()


def test_who_switches_a_limit_off_is_not_bound_by_it() -> None:
    job = Job("job", goal="Work")
    job.phase("one", each=asking("first", limited(rate_limit=SIXTY)), over=numbers)
    free = asking("second", limited(rate_limit=False))
    job.phase("two", each=free, over=numbers)

    known = provider_policies(job)

    assert with_provider(Resilience(provider="openai"), known).rate_limit == SIXTY
    assert with_provider(free.resilience, known).rate_limit is False
    assert with_provider(Resilience(), known).rate_limit is None


def test_an_agent_that_names_no_provider_has_limits_of_its_own() -> None:
    policy = Resilience(bulkhead=BulkheadPolicy(max_concurrency=2))
    made = a_job(asking("alone", policy)).plan()

    assert made.limits[-1] == CapacityLimit(provider="agent 'alone'", at_once=2)
    assert (made.makespan.predicted or 0) >= 2  # three calls of a second, two at a time
