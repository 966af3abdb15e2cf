"""A job that is an agent of another one: its run, its budget, its slots, its concerns and its losses (no Prefect)."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from echelon import AgentFailed, Budget, Concern, Handoffs, Job, Outcome, Resilience, RunResult, Usage, agent
from echelon.engine.run import RunOptions, run_job
from echelon.journal.journal import SqlJournal
from echelon.model.errors import NestingRefused
from echelon.model.handoff import Handoff
from echelon.model.policy import BulkheadPolicy
from echelon.model.run import RunRecord, RunStatus
from echelon.settings import Settings

pytestmark = pytest.mark.anyio

ONCE = Resilience(attempts=1)


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path))
    monkeypatch.setenv("ECHELON_PICTURE", "false")


class Package(BaseModel):
    name: str
    modules: int = 2


class Repository(BaseModel):
    packages: list[str]


#: How many modules were inspected, by package and module; what fails there, and what uses how much.
asked: Counter[str] = Counter()
broken: set[str] = set()
at_work: Counter[str] = Counter()


@pytest.fixture(autouse=True)
def _clean() -> None:
    asked.clear()
    broken.clear()
    at_work.clear()


@agent
async def inspect(package: Package, item: int) -> Outcome[int]:
    """Inspect a module."""
    name = f"{package.name}{item}"
    asked[name] += 1
    at_work["now"] += 1
    at_work["most"] = max(at_work["most"], at_work["now"])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    at_work["now"] -= 1
    if name in broken:
        raise AgentFailed(f"{name} cannot be read")
    worry = Concern(about=name, message="it may break", confidence=0.3, impact=0.9)
    concerns = (worry,) if item == 0 else ()
    return Outcome(output=item, confidence=0.5, concerns=concerns, usage=Usage(tokens_in=10, tokens_out=0, calls=1))


@agent
async def add(found: Handoffs[dict[str, int]]) -> int:
    """Add up what was found."""
    return sum(sum(one.values()) for one in found.outputs())


def each_module(modules: int) -> range:
    return range(modules)


def package_job(name: str = "package", **options: Any) -> Job:
    job = Job(name, goal="Inspect a package", inputs=Package, **({"defaults": ONCE} | options))
    job.phase("inspect", each=inspect, over=each_module)
    return job


def repository_job(inner: Job, **options: Any) -> Job:
    job = Job("repository", goal="Inspect a repository", inputs=Repository, **options)
    job.phase("packages", each=inner, over=lambda packages: [Package(name=name) for name in packages])
    job.phase("add", agent=add, needs="packages")
    return job


async def records(**asked_for: Any) -> tuple[RunRecord, ...]:
    async with SqlJournal.open(Settings()) as journal:
        return await journal.runs(**asked_for)


async def handoffs(result: RunResult) -> dict[str, Handoff]:
    async with SqlJournal.open(Settings()) as journal:
        return {step.handoff.task_id: step.handoff for step in await journal.steps(result.run_id)}


async def test_each_item_is_a_run_of_its_own_whose_output_the_next_phase_gets() -> None:
    result = await repository_job(package_job()).run(packages=["a", "b"])

    assert (result.status, result.output) == (RunStatus.COMPLETED, 2)
    inner = await records(inside=result.run_id)
    assert {(run.job, run.parent_task) for run in inner} == {("package", "packages/a"), ("package", "packages/b")}
    assert {run.status for run in inner} == {RunStatus.COMPLETED}


async def test_what_a_run_inside_used_and_how_sure_it_is_stands_in_the_outer_handoff() -> None:
    result = await repository_job(package_job()).run(packages=["a"])

    handoff = (await handoffs(result))["packages/a"]
    assert (handoff.usage.calls, handoff.usage.tokens, handoff.confidence) == (2, 20, 0.5)


async def test_concerns_come_up_once_and_say_where_they_come_from() -> None:
    """Also when the outer run is gone on with, and does the task again since the run inside was partial."""
    broken.add("a1")
    job = repository_job(package_job())
    result = await job.run(packages=["a"])
    again = await job.resume(result.run_id)

    (inner,) = await records(inside=result.run_id)
    assert again.status is RunStatus.PARTIAL
    for one in (result, again):
        record = next(record for record in one.concerns if record.concern.about == "a0")
        assert (len(one.concerns), record.source) == (2, "packages/a")  # the other one: it is 0.50 sure of its result
        assert f"run {inner.run_id} (job 'package'), raised there by inspect/0" in record.concern.evidence[0]


async def test_a_partial_run_delivers_what_is_there_and_says_what_is_missing() -> None:
    broken.add("a1")
    result = await repository_job(package_job()).run(packages=["a", "b"])

    assert (result.status, result.output) == (RunStatus.PARTIAL, 1)
    (missing,) = result.missing
    assert (missing.task_id, missing.instead) == ("packages/a", "inspect/0: 0")
    assert missing.reason.endswith("of job 'package' is partial: 1 of 2 steps missing: inspect/1: a1 cannot be read")


async def test_what_was_missing_is_done_when_the_outer_run_is_resumed_and_nothing_else() -> None:
    broken.add("a1")
    job = repository_job(package_job())
    before = await job.run(packages=["a", "b"])
    broken.clear()
    after = await job.resume(before.run_id)

    assert (after.status, after.output, after.missing) == (RunStatus.COMPLETED, 2, ())
    assert asked == {"a0": 1, "a1": 2, "b0": 1, "b1": 1}


async def test_a_run_without_output_fails_its_task_and_no_other() -> None:
    broken.update({"a0", "a1"})
    result = await repository_job(package_job()).run(packages=["a", "b"])

    (missing,) = result.missing
    assert (result.status, result.output, missing.task_id) == (RunStatus.PARTIAL, 1, "packages/a")
    assert "of job 'package' failed: 2 of 2 steps missing" in missing.reason


async def test_agents_of_all_runs_inside_keep_within_what_the_outer_job_allows() -> None:
    """Nobody who waits for a run holds what its agents need: one slot is enough for all of them."""
    narrow = Resilience(provider="index", bulkhead=BulkheadPolicy(max_concurrency=1))
    inner = package_job(defaults=narrow)
    middle = Job("middle", goal="Have it done", inputs=Package, max_concurrency=1, defaults=narrow)
    middle.phase("inner", agent=inner)
    outer = Job("outer", goal="Have it done", inputs=Repository, max_concurrency=1, defaults=narrow)
    outer.phase("all", each=middle, over=lambda packages: packages)

    async with asyncio.timeout(60):
        result = await outer.run(packages=["a", "b", "c"])

    assert (result.status, at_work["most"], asked.total()) == (RunStatus.COMPLETED, 1, 6)


async def test_agents_of_runs_inside_share_the_slots_of_the_outer_job() -> None:
    """Three are at work at one time, or the first two would wait for a third for ever; and there is never a fourth."""
    three = asyncio.Barrier(3)

    @agent
    async def meet(package: Package, item: int) -> int:
        at_work["now"] += 1
        at_work["most"] = max(at_work["most"], at_work["now"])
        await three.wait()
        at_work["now"] -= 1
        return item

    inner = Job("package", goal="Inspect a package", inputs=Package)
    inner.phase("meet", each=meet, over=each_module)
    async with asyncio.timeout(60):
        result = await repository_job(inner, max_concurrency=3).run(packages=[*"abcdef"])

    assert (result.status, at_work["most"]) == (RunStatus.COMPLETED, 3)


@pytest.mark.parametrize("bound", [Budget(calls=5), Budget(tokens=55)], ids=["calls", "tokens"])
async def test_runs_inside_use_no_more_than_is_left_of_the_budget_around_them(bound: Budget) -> None:
    """And wait for nothing that the tasks they are hold themselves."""
    inner = Job("package", goal="Inspect a package", inputs=Package, defaults=ONCE)
    inner.phase("inspect", each=inspect, over=each_module, tokens=10)
    outer = Job("repository", goal="Inspect a repository", inputs=Repository, budget=bound, max_concurrency=1)
    outer.phase("packages", each=inner, over=lambda packages: [Package(name=name) for name in packages])

    async with asyncio.timeout(60):
        result = await outer.run(packages=["a", "b", "c", "d"])

    assert (asked.total(), result.measures.tokens) == (5, 50)
    assert result.status is RunStatus.PARTIAL
    assert "budget of job 'repository' has" in " ".join(one.reason for one in result.missing)


async def test_the_budget_of_a_task_bounds_its_run_and_the_one_of_the_job_inside_holds_too() -> None:
    outer = Job("outer", goal="Have it done", inputs=Package)
    outer.phase("share", agent=package_job().as_agent(resilience=Resilience(budget=Budget(calls=1))))
    outer.phase("own", agent=package_job(budget=Budget(calls=1)), resilience=Resilience(budget=Budget(calls=9)))
    result = await outer.run(name="a")

    said = sorted((missing.reason for missing in result.missing), key=lambda reason: "budget of job" in reason)
    assert "calls budget of task 'share/package' has 0 left" in said[0]
    assert "calls budget of job 'package' has 0 left" in said[1]


async def test_what_was_spent_before_a_run_was_resumed_is_spent() -> None:
    """The first try uses two of three calls, and the second, of the same run, has one left for what was missing."""
    broken.add("a0")
    outer = Job("outer", goal="Have it done", inputs=Package, budget=Budget(calls=3))
    outer.phase("inside", agent=package_job())
    first = await outer.run(name="a")
    second = await outer.resume(first.run_id)
    third = await outer.resume(first.run_id)
    fourth = await outer.resume(first.run_id)

    assert asked == {"a0": 2, "a1": 1}
    assert [one.status for one in (first, second, third, fourth)] == [RunStatus.PARTIAL] * 4
    async with SqlJournal.open(Settings()) as journal:
        steps = await journal.steps(first.run_id)
    assert [(step.handoff.usage.calls, step.handoff.status.value) for step in steps] == [
        (2, "completed"),
        (1, "completed"),
        (0, "failed"),  # there is nothing left to try it with
        (0, "completed"),  # and what was there is there still
        (0, "failed"),
        (0, "completed"),
    ]
    assert third.output == first.output == {"inspect/1": 1}


async def test_a_run_inside_that_waits_for_a_person_makes_the_outer_run_wait() -> None:
    @agent(effect="irreversible")
    async def publish() -> int:
        asked["publish"] += 1
        raise ValueError("the line went dead")

    inner = Job("inner", goal="Publish", defaults=ONCE)
    inner.phase("publish", agent=publish)
    outer = Job("outer", goal="Have it published")
    outer.phase("inside", agent=inner)
    first = await outer.run()
    second = await outer.resume(first.run_id)

    assert second.status is RunStatus.WAITING
    assert "then resume this run" in second.missing[0].asks
    assert asked["publish"] == 0


async def test_agents_inside_run_again_when_their_code_has_changed() -> None:
    def outer_with(answer: int) -> Job:
        inner = Job("inner", goal="Answer")

        if answer == 1:

            @agent(name="say")
            async def say() -> int:
                return 1
        else:

            @agent(name="say")
            async def say() -> int:
                return 2

        inner.phase("say", agent=say)
        outer = Job("outer", goal="Have it answered")
        outer.phase("inside", agent=inner)
        return outer

    first = await outer_with(1).run()
    second = await outer_with(2).resume(first.run_id)

    assert (first.output, second.output) == (1, 2)
    assert len(await records(inside=first.run_id)) == 1


class Depth(BaseModel):
    depth: int = 0


endless = Job("endless", goal="Go on", inputs=Depth)
ping, pong = Job("ping", goal="Go on", inputs=Depth), Job("pong", goal="Go on", inputs=Depth)


@agent
async def deeper(depth: int) -> int:
    """Run the same job on other inputs."""
    return int(str((await endless.run(depth=depth + 1)).output))


@agent
async def hit() -> int:
    """Run the other job."""
    return int(str((await pong.run()).output))


@agent
def hit_back() -> int:
    """Run the first job again, from a thread."""
    return int(str(ping.run_sync().output))


endless.phase("deeper", agent=deeper)
ping.phase("hit", agent=hit)
pong.phase("back", agent=hit_back)


async def test_a_cycle_that_only_a_run_can_see_is_refused_and_named() -> None:
    with pytest.raises(NestingRefused, match=r"run ping-[\w-]+ failed: job 'ping' .* itself .*: ping → pong → ping;"):
        await ping.run()
    assert [(run.job, run.status) for run in await records()] == [("pong", "failed"), ("ping", "failed")]


async def test_jobs_that_run_themselves_on_ever_new_inputs_end_at_a_depth() -> None:
    with pytest.raises(NestingRefused, match="job 'endless' would be run inside of 8 others, 7 are allowed"):
        await endless.run()
    assert len(await records()) == 8


async def test_a_task_that_is_done_again_goes_on_with_the_run_it_was() -> None:
    """One run for each task, whoever does it and however often."""
    job = repository_job(package_job())
    for _ in range(2):
        await run_job(job, Repository(packages=["a", "b"]), RunOptions(run_id="always"))

    assert len(await records(inside="always")) == 2
    assert asked.total() == 4


async def test_items_found_on_the_way_are_runs_too() -> None:
    @agent
    async def survey() -> list[str]:
        """Find the packages."""
        return ["a", "b", "c"]

    def found(packages: Handoffs[list[str]]) -> list[Package]:
        return [Package(name=name) for names in packages.outputs() for name in names]

    outer = Job("outer", goal="Inspect what there is")
    outer.phase("survey", agent=survey)
    outer.phase("packages", each=package_job(), over=found, needs="survey")
    outer.phase("add", agent=add, needs="packages")
    result = await outer.run()

    assert (result.status, result.output) == (RunStatus.COMPLETED, 3)
    assert {run.parent_task for run in await records(inside=result.run_id)} == {f"packages/{name}" for name in "abc"}
