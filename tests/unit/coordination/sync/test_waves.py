"""A phase in waves: light sync points between them, and what comes of it is the same as without (X3, X13, X14)."""

from pathlib import Path
from typing import Any

import pytest

from echelon import AgentFailed, Brief, Concern, Handoffs, Job, Outcome, Sync, agent
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.coordination.step.retries import RetryRequest
from echelon.model.run import RunStatus, RunView
from echelon.model.sync.seen import Wave
from echelon.runlog.events import PhaseStopped, StepEnded, WaveEnded
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import ONCE, Item, Items, Total, Watched, items, of_domain, staged, total

pytestmark = pytest.mark.anyio

assert staged is not None  # the integrator below combines

#: What agents were told, by task.
TOLD: dict[str, str] = {}


@agent
async def look(item: Item, brief: Brief) -> str:
    """Look at an item."""
    TOLD[item.id] = brief.summary
    if item.fails:
        raise AgentFailed(f"{item.id} cannot be read")
    return item.id


def in_waves(sync: Any, **phase: Any) -> Job:
    job = Job("waves", goal="See everything", inputs=Items, defaults=ONCE)
    job.phase("look", **({"each": look} | phase), over=lambda items: items, domain=of_domain, sync=sync)
    return job


async def viewed(job: Job, home: Path, given: Items, watch: Watched | None = None, **run: Any) -> RunView:
    TOLD.clear()
    async with a_run(job, home, given, watch=watch, **run) as context:
        await run_phases(context)
        return view_so_far(context)


def sizes(view: RunView) -> list[int]:
    return [len(wave.tasks) for wave in view.sync.waves]


def ends(view: RunView) -> list[str]:
    return [wave.ended_by for wave in view.sync.waves]


async def test_an_interval_is_so_many_tasks(tmp_path: Path) -> None:
    view = await viewed(in_waves(Sync.every(3)), tmp_path, items(8))

    assert sizes(view) == [3, 3, 2]
    assert ends(view) == ["interval", "interval", "last"]
    assert view.output == {f"look/i{n}": f"i{n}" for n in range(8)}


async def test_a_wave_is_told_what_those_before_it_have_revealed(tmp_path: Path) -> None:
    view = await viewed(in_waves(Sync.every(2)), tmp_path, items(6, failing=frozenset({2})))

    assert [wave.revealed for wave in view.sync.waves] == [0, 1, 0]
    assert [bool(TOLD[f"i{n}"]) for n in range(6)] == [False] * 4 + [True] * 2
    assert "look/i2: i2 cannot be read" in TOLD["i4"]
    (drift,) = view.sync.drift
    assert (drift.context.found, drift.context.of) == (3, 5)  # three delivered before that was known


async def test_integration_is_that_of_the_whole_phase(tmp_path: Path) -> None:
    waves, plain = Watched(), Watched()
    job = in_waves(Sync.every(2), integrate=total)
    view = await viewed(job, tmp_path / "waves", items(5, 4, failing=frozenset({3})), waves)
    other = await viewed(
        in_waves("phase", integrate=total), tmp_path / "plain", items(5, 4, failing=frozenset({3})), plain
    )

    assert view.output == other.output
    assert Total.model_validate(view.output).missing == ("look/i3",)

    def keys(watched: Watched) -> set[str]:
        return {event.record.key for event in watched.of(StepEnded)}

    assert keys(waves) == keys(plain), "steps are the same whether there are waves or not (F8)"


async def test_milestones_come_one_behind_the_other(tmp_path: Path) -> None:
    view = await viewed(in_waves(Sync.milestone(lambda item: item.domain)), tmp_path, items(3, 2, 4))

    assert (sizes(view), ends(view)) == ([3, 2, 4], ["milestone", "milestone", "last"])


async def test_adaptive_sync_gets_rare_where_nothing_is_revealed(tmp_path: Path) -> None:
    view = await viewed(in_waves(Sync.adaptive(velocity="high", least=2)), tmp_path, items(80))

    assert sizes(view)[0] < sizes(view)[-2]
    assert sizes(view)[:-1] == sorted(sizes(view)[:-1])


@agent
async def warn(item: Item) -> Outcome[str]:
    """Look at an item; some of it is urgent."""
    urgent = Concern(about="the lock", message="it is claimed twice", confidence=0.9, impact=0.9)
    return Outcome(output=item.id, concerns=(urgent,) if item.id == "i1" else ())


async def test_something_urgent_ends_a_wave_early(tmp_path: Path) -> None:
    job = in_waves(Sync.on("urgent"), each=warn)

    view = await viewed(job, tmp_path, items(6), max_concurrency=1)

    assert (sizes(view), ends(view)) == ([2, 4], ["event", "last"])
    assert "the lock: it is claimed twice" in view.sync.waves[0].findings[0]
    assert view.output == {f"look/i{n}": f"i{n}" for n in range(6)}


async def test_many_failures_end_a_wave_early(tmp_path: Path) -> None:
    job = in_waves(Sync.on("failures", failures=0.3))

    view = await viewed(job, tmp_path, items(8, failing=frozenset({0, 1, 2})), max_concurrency=1)

    assert (sizes(view), ends(view)) == ([3, 5], ["event", "last"])
    assert [one.task_id for one in view.missing] == ["look/i0", "look/i1", "look/i2"]


def four_are_there(look: Handoffs[str]) -> bool:
    return len(look) >= 4


async def test_what_is_enough_ends_the_phase_and_nothing_is_missing(tmp_path: Path) -> None:
    job = in_waves(Sync.every(2), stop=four_are_there, integrate=total)
    job.phase("conclude", agent=conclude, needs={"look": "tight"})
    async with a_run(job, tmp_path, items(9)) as run:
        delivered = await run_phases(run)
        view = view_so_far(run)

    assert status_after(delivered) is RunStatus.COMPLETED
    assert (sizes(view), view.missing) == ([2, 2], ())
    assert view.sync.stopped == dict.fromkeys(
        [f"look/i{n}" for n in range(4, 9)], "four_are_there says that it is enough"
    )
    assert view.output == ["i0", "i1", "i2", "i3"]
    assert view.launched == view.returned


@agent
async def conclude(look: Handoffs[Total]) -> list[str]:
    """Say what was seen."""
    return [item for one in look.outputs() for item in one.items]


async def test_a_run_that_is_gone_on_with_stays_stopped_and_says_nothing_twice(tmp_path: Path) -> None:
    job, again = in_waves(Sync.every(2), stop=four_are_there), Watched()
    first = await viewed(job, tmp_path, items(9))

    second = await viewed(job, tmp_path, items(9), again)

    assert (second.sync, second.output) == (first.sync, first.output)
    assert [*again.of(StepEnded), *again.of(WaveEnded), *again.of(PhaseStopped)] == []


async def test_who_cannot_say_whether_it_is_enough_stops_nothing(tmp_path: Path) -> None:
    def broken(look: Handoffs[str]) -> bool:
        raise ValueError("no idea")

    view = await viewed(in_waves(Sync.every(2), stop=broken), tmp_path, items(5))

    assert (sizes(view), view.sync.stopped) == ([2, 2, 1], {})
    assert [one.task_id for one in view.missing] == ["look/stop/broken"]


async def test_domains_have_rhythms_of_their_own(tmp_path: Path) -> None:
    job = in_waves({"d0": Sync.every(2), "d1": Sync.every(5), "*": "phase"}, integrate=total)

    view = await viewed(job, tmp_path, items(6, 5, 3, failing=frozenset({0})))

    def of(domain: str) -> list[Wave]:
        return [wave for wave in view.sync.waves if wave.domain == domain]

    assert [len(wave.tasks) for wave in of("d0")] == [2, 2, 2]
    assert [len(wave.tasks) for wave in of("d1")] == [5]
    assert [len(wave.tasks) for wave in of("d2")] == [3]
    assert "i0 cannot be read" in TOLD["i2"]
    assert all("cannot be read" not in TOLD[f"i{n}"] for n in range(6, 14)), "only its own domain is told"
    (drift,) = view.sync.drift
    assert (drift.context.found, drift.context.of) == (1, 13)


async def test_domains_synchronise_as_their_plan_says(tmp_path: Path) -> None:
    """Dear errors and tight coupling inside ask for intervals, where a domain is small (X14)."""
    dear = in_waves("domains", error_consequence="catastrophic")
    dear.phase("go", each=look, over=lambda items: items[:1], domain=of_domain, needs={"look": "tight"})

    view = await viewed(dear, tmp_path, items(5, 12))

    plan = view.record.plan
    assert plan is not None
    planned = {one.name: one.sync for one in plan.domains}
    by_domain = {
        domain: [len(one.tasks) for one in view.sync.waves if (one.phase, one.domain) == ("look", domain)]
        for domain in planned
    }
    assert planned == {"d0": "interval", "d1": "milestone"}
    assert by_domain == {"d0": [4, 1], "d1": [12]}


async def test_what_was_not_begun_is_done_when_somebody_asks_for_it(tmp_path: Path) -> None:
    job = in_waves(Sync.every(2), stop=four_are_there)
    await viewed(job, tmp_path, items(9))
    async with a_run(job, tmp_path, items(9)) as run:
        wanted = RetryRequest(tasks=("look/i6",), by="mia")
        await run.log.append(wanted.about("run", run.log.state, run.spec.plan, run.now()))

    view = await viewed(job, tmp_path, items(9))

    assert view.output == {f"look/i{n}": f"i{n}" for n in (0, 1, 2, 3, 6)}
    assert sorted(view.sync.stopped) == ["look/i4", "look/i5", "look/i7", "look/i8"]
    assert view.missing == ()
