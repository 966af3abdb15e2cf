"""What has all ended of a phase is put together before the rest: once, and with the same result (X3, F8)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from echelon import Handoffs, Job, Sync, agent, integrator
from echelon.coordination.job_run import run_phases
from echelon.coordination.local_placement import LocalPlacement
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import StageOrder
from echelon.coordination.stage import Stage, stage_of
from echelon.coordination.sync.early import OpenParts
from echelon.model.plan import NodeKind
from echelon.model.run import RunView, StepKind
from echelon.runlog.events import StepEnded, WaveEnded
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import (
    ONCE,
    Item,
    Items,
    Total,
    Watched,
    items,
    look,
    looking,
    of_domain,
    total,
)

pytestmark = pytest.mark.anyio

#: How long something is waited for that has to happen before, in seconds; where it does not, a task fails.
PATIENCE_SECONDS = 60

#: Set when a team was put together, in the run that is at work.
TOGETHER = [asyncio.Event()]


@agent
async def look_last(item: Item) -> str:
    """Look at an item; at the last one when a team was put together, and no sooner."""
    if item.fails:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await TOGETHER[-1].wait()
    return item.id


@integrator
async def some(seen: Handoffs[str]) -> Total:
    """Put together what was seen, and say so."""
    TOGETHER[-1].set()
    return Total(items=tuple(seen.outputs()), missing=())


@some.combine
async def all_of_it(totals: Handoffs[Total]) -> Total:
    """Put together what was put together."""
    return Total(items=tuple(item for one in totals.outputs() for item in one.items), missing=())


def in_waves(sync: Any, **phase: Any) -> Job:
    job = Job("early", goal="See everything", inputs=Items, defaults=ONCE)
    job.phase("look", **({"each": look_last} | phase), over=lambda items: items, domain=of_domain, sync=sync)
    return job


async def carried_out(job: Job, home: Path, given: Items) -> tuple[RunView, Watched]:
    TOGETHER[:] = [asyncio.Event()]
    seen = Watched()
    async with a_run(job, home, given, watch=seen) as run:
        await run_phases(run)
        return view_so_far(run), seen


def integrations(seen: Watched) -> list[str]:
    ended = seen.of(StepEnded)
    return [one.record.handoff.task_id for one in ended if one.record.kind is StepKind.INTEGRATION]


WAVES = [
    Sync.every(10),
    Sync.on(),
    Sync.milestone(lambda item: item.domain),
    {"d0": Sync.every(30), "d1": Sync.every(4)},
]


@pytest.mark.parametrize("sync", WAVES)
async def test_a_part_is_put_together_while_the_rest_is_at_work(tmp_path: Path, sync: Any) -> None:
    """The last task waits for it: in a phase that is put together at its end only, it would wait in vain.

    In one wave, too, that only an event would end.
    """
    given = items(30, 30, failing=frozenset({59}))

    view, seen = await carried_out(in_waves(sync, integrate=all_of_it), tmp_path, given)

    assert (view.missing, sorted(view.output["items"])) == ((), sorted(f"i{n}" for n in range(60)))
    assert len(integrations(seen)) == len(set(integrations(seen)))


async def test_without_waves_a_team_waits_for_no_other_to_be_put_together(tmp_path: Path) -> None:
    """The sync point of a team is its own: it is put together when its own agents have ended (X2)."""
    given = items(30, 30, failing=frozenset({59}))

    view, _ = await carried_out(in_waves("phase", integrate=all_of_it), tmp_path, given)

    assert (view.missing, len(view.output["items"])) == ((), 60)


@pytest.mark.parametrize("sync", WAVES)
async def test_it_is_the_integration_of_the_end_and_there_is_no_more_of_it(tmp_path: Path, sync: Any) -> None:
    given = items(30, 30)
    plain, at_the_end = await carried_out(in_waves("phase", integrate=all_of_it), tmp_path / "plain", given)

    view, early = await carried_out(in_waves(sync, integrate=all_of_it), tmp_path / "waves", given)

    def made(seen: Watched) -> dict[str, tuple[str, str]]:
        ended = [one.record for one in seen.of(StepEnded) if one.record.kind is StepKind.INTEGRATION]
        return {one.handoff.task_id: (one.key, one.handoff.version) for one in ended}

    assert made(early) == made(at_the_end)
    assert len(integrations(early)) == len(integrations(at_the_end))
    assert view.output == plain.output


async def test_where_the_primary_alone_integrates_nothing_is_put_together_before_the_end(tmp_path: Path) -> None:
    view, seen = await carried_out(in_waves(Sync.every(10), each=look, integrate=total), tmp_path, items(30, 30))

    assert len(seen.of(WaveEnded)) == 6
    order = [one for one in seen.events if isinstance(one, StepEnded | WaveEnded)]
    assert isinstance(order[-1], StepEnded)
    assert order[-1].record.handoff.task_id == integrations(seen)[0]
    assert len(view.output["items"]) == 60


async def test_a_run_that_is_resumed_puts_nothing_together_again(tmp_path: Path) -> None:
    job, given = in_waves(Sync.every(10), integrate=all_of_it), items(30, 30)
    first, _ = await carried_out(job, tmp_path, given)

    second, again = await carried_out(job, tmp_path, given)

    assert (second.output, integrations(again)) == (first.output, [])


class Placed:
    """Carries out the parts of a phase as another place would, and keeps their orders."""

    def __init__(self, run: Any) -> None:
        self.orders: list[StageOrder] = []
        self._run = run

    async def run(self, order: StageOrder) -> PhaseOutput:
        self.orders.append(order)
        sent = StageOrder.model_validate_json(order.model_dump_json())
        return await LocalPlacement(self._run).run(sent)


async def test_a_part_is_put_together_where_it_is_worked_on(tmp_path: Path) -> None:
    async with a_run(in_waves(Sync.every(10), integrate=all_of_it), tmp_path, items(30, 30)) as run:
        placed = Placed(run)
        await run_phases(run, placed)
        kinds = {node.id: node.kind for node in run.spec.plan.tree}
        together = [order for order in placed.orders if order.integrates]
        view = view_so_far(run)

    assert {kinds[order.node] for order in together} == {NodeKind.TEAM, NodeKind.DOMAIN}
    assert all(set(order.kept) >= set(order.tasks) for order in together)
    assert len(view.output["items"]) == 60


def _first(number: int) -> list[str]:
    return [f"look/i{n}" for n in range(number)]


@pytest.mark.parametrize("at_once", [1, 7, 8, 30, 59, 60])
def test_parts_that_have_all_ended_come_once_and_before_what_they_are_in(at_once: int) -> None:
    plan = looking(integrate=all_of_it).plan(**items(30, 30).model_dump())
    whole = stage_of(plan, _first(60))
    parts, ended, there = OpenParts(whole), list[Stage](), set[str]()

    for begin in range(0, 60, at_once):
        now = _first(60)[begin : begin + at_once]
        there.update(now)
        ended += parts.end([*now, *_first(begin)])  # what has ended before counts once
        assert all(set(part.all_tasks) <= there for part in ended)

    places = {part.node.id: place for place, part in enumerate(ended)}
    assert len(places) == len(ended)
    assert all(places[below.node.id] < places[part.node.id] for part in ended for below in part.parts)
    domains = [part.node.id for part in ended if part.node.kind is NodeKind.DOMAIN]
    assert len(domains) == 2
    assert whole.node.id not in places
