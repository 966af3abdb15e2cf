"""Whatever else a phase does, in waves it comes to the same, by the same steps (X3, F8)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from echelon import AgentFailed, Brief, Fallback, Gate, Handoffs, Job, Repeat, Sync, Unchanged, agent
from echelon.coordination.job_run import run_phases
from echelon.model.run import RunView, StepRecord
from echelon.runlog.events import SampleAsked, StepEnded, TasksRetried
from echelon.testing.oversight import approving
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import ONCE, Item, Items, Watched, items, look, of_domain, staged, total

pytestmark = pytest.mark.anyio

assert staged is not None  # the integrator below combines

GIVEN = items(5, 4, failing=frozenset({3}))


@agent
async def write(item: Item, brief: Brief) -> str:
    """Write, longer each time."""
    if item.fails:
        raise AgentFailed(f"{item.id} cannot be read")
    return item.id + "!" * brief.round


@agent
async def judge(look: Handoffs[str]) -> list[str]:
    """Say what was seen."""
    return look.outputs()


@agent
async def read_on(item: Item, look: Handoffs[str]) -> str:
    """Go on with an item."""
    return f"{item.id} after {look.outputs()[0]}"


@agent(effect="irreversible")
async def pay(item: Item) -> str:
    """Pay for an item."""
    if item.fails:
        raise AgentFailed(f"{item.id} cannot be paid")
    return f"paid {item.id}"


def is_long(output: str) -> bool:
    return output.endswith("!!")


def are_long(look: Handoffs[str]) -> bool:
    return all(output.endswith("!!") for output in look.outputs())


def one_phase(sync: Any, **phase: Any) -> Job:
    job = Job("beside", goal="See everything", inputs=Items, defaults=ONCE)
    job.phase("look", **({"each": look} | phase), over=lambda items: items, domain=of_domain, sync=sync)
    if "integrate" not in phase:
        job.phase("judge", agent=judge, needs="look")
    return job


def in_a_loop(sync: Any) -> Job:
    job = Job("beside", goal="See everything", inputs=Items, defaults=ONCE)
    job.phase("look", each=write, over=lambda items: items, domain=of_domain, sync=sync)
    job.phase("judge", agent=judge, needs="look")
    job.loop(["look", "judge"], until=said_twice)
    return job


def said_twice(judge: Handoffs[list[str]]) -> bool:
    return all(one.endswith("!!") for said in judge.outputs() for one in said)


def merged(first: Any, second: Any) -> Job:
    job = Job("beside", goal="See everything", inputs=Items, defaults=ONCE, merge="auto")
    job.phase("look", each=look, over=lambda items: items, domain=of_domain, sync=first)
    job.phase("go", each=read_on, over=lambda items: items, domain=of_domain, needs="look", sync=second)
    return job


JOBS: dict[str, Callable[[Any], Job]] = {
    "plain": one_phase,
    "staged integration": lambda sync: one_phase(sync, integrate=total),
    "repeated task by task": lambda sync: one_phase(sync, each=write, repeat=Repeat(until=is_long)),
    "repeated as a whole": lambda sync: one_phase(sync, each=write, repeat=Repeat(until=are_long)),
    "in a loop": in_a_loop,
    "verified": lambda sync: one_phase(sync, each=write, verify=is_long, resilience=ONCE.model_copy()),
    "replicas": lambda sync: one_phase(sync, replicas=2, agree=2),
    "fallback": lambda sync: one_phase(sync, fallback=Fallback.default("nothing")),
    "kept of earlier runs": lambda sync: one_phase(sync, reuse=Unchanged(by=lambda item: item.id)),
    "cannot be undone": lambda sync: one_phase(sync, each=pay),
    "gate": lambda sync: one_phase(sync, gate=Gate(asks_ready=False)),
    "continued": lambda sync: merged(sync, "phase"),
    "goes on with another": lambda sync: merged("phase", sync),
    "continued in waves by waves": lambda sync: merged(sync, sync),
}

WAVES: dict[str, Any] = {
    "interval": Sync.every(2),
    "adaptive": Sync.adaptive(velocity="high"),
    "event": Sync.on(),
    "milestone": Sync.milestone(lambda item: item.domain),
    "domains": {"d0": Sync.every(2), "d1": Sync.every(3)},
}


def _step(record: StepRecord) -> str:
    handoff = record.handoff
    own = handoff.done and handoff.fallback is None  # what stands in has another key each time
    return record.key if own else f"{handoff.task_id} {record.replica} {record.round} {handoff.status}"


async def carry_out(job: Job, home: Path, **run: Any) -> tuple[RunView, set[str]]:
    """Return what came of a run, and the steps that it did: by key, and by what became of them where they failed."""
    seen = Watched()
    async with a_run(job, home, GIVEN, watch=seen, ask=approving(), **run) as context:
        await run_phases(context)
        return view_so_far(context), {_step(event.record) for event in seen.of(StepEnded)}


#: Each with waves of a number of tasks, and of domains by themselves; some with all the others, too.
CASES = [(name, sync) for name in JOBS for sync in ("interval", "domains")] + [
    (name, sync) for name in ("staged integration", "cannot be undone") for sync in ("adaptive", "event", "milestone")
]


@pytest.mark.parametrize(("name", "sync"), CASES)
async def test_it_comes_to_the_same_by_the_same_steps(tmp_path: Path, name: str, sync: str) -> None:
    plain, keys = await carry_out(JOBS[name]("phase"), tmp_path / "plain")

    view, same = await carry_out(JOBS[name](WAVES[sync]), tmp_path / "waves")

    assert view.output == plain.output
    assert sorted(one.task_id for one in view.missing) == sorted(one.task_id for one in plain.missing)
    assert (view.launched, view.returned) == (plain.launched, plain.returned)
    assert same == keys
    assert view.sync.waves
    done = [task for wave in view.sync.waves if wave.round == 1 and wave.phase == "look" for task in wave.tasks]
    assert "goes" in name or sorted(done) == sorted(f"look/i{number}" for number in range(9))


async def test_what_is_to_be_done_again_is_done_again_within_the_waves_on_record(tmp_path: Path) -> None:
    job = one_phase(Sync.every(2))
    before, _ = await carry_out(job, tmp_path)
    async with a_run(job, tmp_path, GIVEN) as run:
        await run.log.append(TasksRetried(run_id="run", at=run.now(), tasks=("look/i4",), redo=(), by="mia"))

    view, keys = await carry_out(job, tmp_path)

    assert (view.output, view.sync.waves) == (before.output, before.sync.waves)
    assert len(keys) >= 1


async def test_a_sample_is_done_in_waves_and_so_is_the_rest(tmp_path: Path) -> None:
    job = one_phase(Sync.every(2))
    async with a_run(job, tmp_path, GIVEN) as run:
        await run.log.append(SampleAsked(run_id="run", at=run.now(), items=3))
    sample, _ = await carry_out(job, tmp_path)
    async with a_run(job, tmp_path, GIVEN) as run:
        await run.log.append(SampleAsked(run_id="run", at=run.now(), items=9))

    whole, _ = await carry_out(job, tmp_path)

    assert [len(wave.tasks) for wave in sample.sync.waves] == [2, 1]
    assert [len(wave.tasks) for wave in whole.sync.waves] == [2, 1, 2, 2, 2]
