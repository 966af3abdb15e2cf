"""Phases that one agent goes through with its item: no sync point between them, each task a step of its own (D1)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from echelon import AgentFailed, Brief, Fallback, Handoffs, Job, Need, Repeat, Rounds, agent
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.local_placement import LocalPlacement
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import StageOrder
from echelon.coordination.result import status_after
from echelon.definition.planned import planned
from echelon.definition.rehearsal import Rehearsal, RehearsalJob
from echelon.model.run import RunStatus
from echelon.model.status import Status
from echelon.runlog.events import PhaseEnded, PhaseStarted, StepEnded, StepReused
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import (
    ONCE,
    Item,
    Items,
    Watched,
    items,
    look,
    looking,
    missing_in,
    of_domain,
    output_of,
    total,
)

pytestmark = pytest.mark.anyio


@agent
async def judge(item: Item, seen: Handoffs[str]) -> str:
    """Judge what was seen of an item."""
    return f"{item.id}: {'+'.join(seen.outputs()) or 'nothing'}"


def judging(*, needs: Any = "look", first: Any = look, second: Any = judge, integrate: Any = None, **job: Any) -> Job:
    """Make a job that looks at each item and judges it, by one agent."""
    made = Job("judging", goal="Judge everything", inputs=Items, defaults=ONCE, **({"merge": "auto"} | job))
    made.phase("look", each=first, over=lambda items: items, domain=of_domain)
    made.phase("judge", each=second, over=lambda items: items, domain=of_domain, needs=needs, integrate=integrate)
    return made


def statuses(run: RunContext) -> dict[str, Status]:
    return {step.handoff.task_id: step.handoff.status for step in run.log.state.latest.values()}


async def test_an_item_goes_on_while_another_one_is_still_at_the_beginning(tmp_path: Path) -> None:
    """The last item is looked at until the first one is judged: with a sync point between, nothing would ever end."""
    judged = asyncio.Event()

    @agent(name="look")
    async def waiting(item: Item) -> str:
        if item.id == "i2":
            await judged.wait()
        return item.id

    @agent(name="judge")
    async def judging_first(item: Item, seen: Handoffs[str]) -> str:
        judged.set()
        return f"{item.id}: {seen.outputs()}"

    watched = Watched()
    async with a_run(judging(first=waiting, second=judging_first), tmp_path, items(3), watch=watched) as run:
        await run_phases(run)
        ended = [event.record.handoff.task_id for event in watched.of(StepEnded)]
        output = output_of(run)

    assert ended.index("judge/i0") < ended.index("look/i2")
    assert output == {f"judge/i{n}": f"i{n}: ['i{n}']" for n in range(3)}
    assert [event.phase for event in watched.of(PhaseStarted)] == ["look", "judge"]
    assert {event.phase for event in watched.of(PhaseEnded)} == {"look", "judge"}


async def test_each_task_counts_by_itself(tmp_path: Path) -> None:
    async with a_run(judging(), tmp_path, items(4, failing=frozenset({1}))) as run:
        delivered = await run_phases(run)
        view = view_so_far(run)

    assert (view.launched, view.returned, status_after(delivered)) == (8, 6, RunStatus.PARTIAL)
    assert {one.task_id: one.reason for one in view.missing} == {
        "look/i1": "i1 cannot be read",
        "judge/i1": "cannot run without look/i1",
    }
    assert {(phase.name, phase.planned, phase.completed, phase.failed) for phase in view.phases} == {
        ("look", 4, 3, 1),
        ("judge", 4, 3, 1),
    }
    assert {one.producer for one in view.missing} == {"feature:look/i1"}


async def test_another_agent_gets_nothing_of_other_items(tmp_path: Path) -> None:
    seen: dict[str, list[str]] = {}

    @agent(name="judge")
    async def listing(item: Item, look: Handoffs[str], brief: Brief) -> str:
        seen[item.id] = [*(one.task_id for one in look), *(one.task_id for one in look.missing), *brief.missing]
        return item.id

    async with a_run(
        judging(second=listing, needs={"look": "loose"}), tmp_path, items(3, failing=frozenset({2}))
    ) as run:
        await run_phases(run)

    assert seen == {
        "i0": ["look/i0"],
        "i1": ["look/i1"],
        "i2": ["look/i2", "look/i2: i2 cannot be read"],
    }


@pytest.mark.parametrize(
    ("need", "of_the_lost"),
    [
        ("look", Status.BLOCKED),
        (Need("look", "tight", reason="nothing else"), Status.BLOCKED),
        (Need("look", "loose"), Status.COMPLETED),
        (Need("look", fallback=Fallback.default("a guess")), Status.COMPLETED),
        (Need("look", fallback=Fallback.skip("not needed")), Status.COMPLETED),
    ],
    ids=["unstated", "tight", "loose", "default", "skipped"],
)
async def test_a_coupling_holds_for_each_item_by_itself(tmp_path: Path, need: Any, of_the_lost: Status) -> None:
    async with a_run(judging(needs=need), tmp_path, items(3, failing=frozenset({1}))) as run:
        await run_phases(run)
        ended = statuses(run)

    assert [ended[f"judge/i{n}"] for n in range(3)] == [Status.COMPLETED, of_the_lost, Status.COMPLETED]


async def test_what_stands_in_for_the_first_task_of_an_item_reaches_the_second(tmp_path: Path) -> None:
    need = Need("look", fallback=Fallback.default("a guess"))
    async with a_run(judging(needs=need), tmp_path, items(2, failing=frozenset({1}))) as run:
        await run_phases(run)

        assert output_of(run) == {"judge/i0": "i0: i0", "judge/i1": "i1: a guess"}


async def test_the_integration_gets_what_it_gets_without_merging(tmp_path: Path) -> None:
    found: list[Any] = []
    for merge in ("never", "auto"):
        job = judging(merge=merge, integrate=total)
        async with a_run(job, tmp_path, items(3, failing=frozenset({1})), run_id=merge) as run:
            await run_phases(run)
            found.append((output_of(run), sorted(missing.task_id for missing in missing_in(run))))
    without, merged = found

    assert merged[0] == {"items": ["i0: i0", "i2: i2"], "missing": ["judge/i1"]}
    # With a sync point between, an item that was lost is judged without it, next to what was seen of the others.
    assert without[1] == ["look/i1"]
    assert merged[1] == ["judge/i1", "look/i1"]


async def test_where_the_first_phase_is_blocked_the_second_is_blocked_as_a_whole(tmp_path: Path) -> None:
    @agent
    async def survey() -> str:
        raise AgentFailed("no map")

    @agent(name="judge")
    async def judge_look(item: Item, look: Handoffs[str]) -> str:
        return item.id

    job = Job("judging", goal="Judge", inputs=Items, defaults=ONCE, merge="auto")
    job.phase("survey", agent=survey)
    job.phase("look", each=look, over=lambda items: items, needs="survey")
    job.phase("judge", each=judge_look, over=lambda items: items, needs=["look", "survey"])
    async with a_run(job, tmp_path, items(3)) as run:
        await run_phases(run)
        reasons = [one.reason for one in missing_in(run)]
        reports = [one.message for one in run.log.state.exceptions if "blocked" in one.message]

    assert run.spec.plan.n_agents == 4
    assert reasons == ["no map", *["phase 'survey' delivered nothing"] * 3, *["phase 'look' delivered nothing"] * 3]
    assert len(reports) == 2


async def test_a_resumed_run_goes_on_with_each_item_where_it_was(tmp_path: Path) -> None:
    asked: list[str] = []
    broken = True

    @agent(name="look")
    async def asking(item: Item) -> str:
        asked.append(f"look {item.id}")
        return item.id

    @agent(name="judge")
    async def judge_later(item: Item, seen: Handoffs[str]) -> str:
        asked.append(f"judge {item.id}")
        if broken and item.id == "i1":
            raise AgentFailed("not now")
        return f"{item.id}: {seen.outputs()}"

    job, watched = judging(first=asking, second=judge_later), Watched()
    async with a_run(job, tmp_path, items(2)) as run:
        await run_phases(run)
    asked.clear()
    broken = False
    async with a_run(job, tmp_path, items(2), watch=watched) as run:
        await run_phases(run)
        output = output_of(run)

    assert asked == ["judge i1"]
    assert sorted(event.task_id for event in watched.of(StepReused)) == ["judge/i0", "look/i0", "look/i1"]
    assert output == {"judge/i0": "i0: ['i0']", "judge/i1": "i1: ['i1']"}


async def test_an_item_goes_on_when_it_has_passed_and_is_done_again_by_itself(tmp_path: Path) -> None:
    asked: list[str] = []

    @agent(name="judge")
    async def judge_again(item: Item, seen: Handoffs[str], rounds: Rounds) -> int:
        asked.append(f"{item.id} {seen.outputs()} {len(rounds)}")
        return len(rounds)

    def is_second(output: int) -> bool:
        return output == 1

    job = Job("judging", goal="Judge", inputs=Items, defaults=ONCE, merge="auto")
    job.phase("look", each=look, over=lambda items: items)
    job.phase("judge", each=judge_again, over=lambda items: items, needs="look", repeat=Repeat(until=is_second))
    async with a_run(job, tmp_path, items(2)) as run:
        await run_phases(run)

        assert output_of(run) == {"judge/i0": 1, "judge/i1": 1}
    assert sorted(asked) == ["i0 ['i0'] 0", "i0 ['i0'] 1", "i1 ['i1'] 0", "i1 ['i1'] 1"]
    assert run.spec.plan.n_agents == 2


async def test_one_agent_at_a_time_does_not_keep_items_from_going_on(tmp_path: Path) -> None:
    """What waits for its item takes no slot, and reserves none."""
    async with a_run(judging(), tmp_path, items(5), max_concurrency=1) as run:
        await run_phases(run)

        assert len(output_of(run)) == 5


class Elsewhere:
    """Carries parts out like another process: given the order as JSON, and what is on record."""

    def __init__(self, run: RunContext) -> None:
        self.run_context = run
        self.orders: list[StageOrder] = []

    async def run(self, order: StageOrder) -> PhaseOutput:
        sent = StageOrder.model_validate_json(order.model_dump_json())
        self.orders.append(sent)
        return await LocalPlacement(self.run_context).run(sent)


async def test_a_part_that_is_done_elsewhere_goes_on_when_that_part_has_ended(tmp_path: Path) -> None:
    given = items(9, 9, failing=frozenset({1}))
    steps: list[set[str]] = []
    for run_id, is_elsewhere in (("here", False), ("there", True)):
        async with a_run(judging(integrate=total), tmp_path, given, run_id=run_id) as run:
            parts = Elsewhere(run) if is_elsewhere else None
            await run_phases(run, parts)
            steps.append({step.key for step in run.log.state.latest.values() if step.handoff.done})
            if parts is not None:
                orders = {(order.phase, order.node): order for order in parts.orders}
    judged = [order for (phase, _), order in orders.items() if phase == "judge"]
    received = {one.task_id for order in judged for one in order.upstream["look"].handoffs}

    assert len(judged) == 4
    assert received == {f"look/i{n}" for n in range(18) if n != 1}
    # Wherever it is done, a step is the same step (F8).
    assert steps[0] == steps[1]


async def test_a_rehearsal_takes_as_long_as_an_agent_with_both_tasks(tmp_path: Path) -> None:
    job = Job("judging", goal="Judge", inputs=Items, merge="auto")
    job.phase("look", each=look, over=lambda items: items, seconds=2)
    job.phase("judge", each=judge, over=lambda items: items, needs="look", seconds=1)
    made = planned(job, items(3)).plan
    rehearsal = RehearsalJob.of(made, Rehearsal(scale=0))

    assert [(phase.name, phase.tasks) for phase in rehearsal.plan.phases] == [
        ("judge", ("feature:look/i0", "feature:look/i1", "feature:look/i2"))
    ]
    assert [task.seconds for task in RehearsalJob.of(made, Rehearsal(scale=1)).plan.tasks] == [3, 3, 3]
    async with a_run(rehearsal, tmp_path, Rehearsal(scale=0)) as run:
        await run_phases(run)

        assert view_so_far(run).returned == 4  # and the integration


async def test_an_unmerged_job_has_a_sync_point(tmp_path: Path) -> None:
    watched = Watched()
    async with a_run(judging(merge="never"), tmp_path, items(2), watch=watched) as run:
        await run_phases(run)
    ended = [event.record.phase for event in watched.of(StepEnded)]

    assert ended == ["look", "look", "judge", "judge"]
    assert looking().merge == "never"
