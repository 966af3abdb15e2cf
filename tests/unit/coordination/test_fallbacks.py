"""What stands in for work that was not delivered, and what consumers do without (D3, F2, F7)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import ConfigDict, create_model

from echelon import AgentFailed, Brief, Handoffs, Job, Resilience, agent
from echelon.agents.fallback import Fallback
from echelon.contract.version import contract
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.definition.need import Need
from echelon.definition.rehearsal import Rehearsal, RehearsalJob
from echelon.model.errors import DependencyFailed
from echelon.model.fallback import FallbackKind
from echelon.model.graph import Coupling, Dependency, TaskGraph, TaskSpec
from echelon.model.run import RunStatus
from echelon.model.status import Status
from echelon.planning.planner import plan
from echelon.resilience.registry import BreakerRegistry
from echelon.runlog.costs.measures import measure
from echelon.runlog.events import RunEnded
from echelon.testing.runs import a_run
from echelon.visibility.progress import tally_of
from tests.unit.coordination.jobs import (
    ONCE,
    Item,
    Items,
    Watched,
    items,
    look,
    looking,
    missing_in,
    output_of,
    staged,
)
from tests.unit.coordination.test_integrating import clueless

pytestmark = pytest.mark.anyio

ALL, SOME = frozenset({0, 1}), frozenset({1})


@agent
async def look_again(item: Item) -> str:
    """Look with other eyes."""
    return f"{item.id} again"


@agent
async def blind(item: Item) -> str:
    """See nothing."""
    raise AgentFailed("blind")


@agent
async def conclude(look: Handoffs[str], brief: Brief) -> list[str]:
    """Say what was seen, and what was told to be missing."""
    return [*look.outputs(), *brief.missing]


#: One contract in two versions; the newer has a field that the older does not know.
SIGHTINGS: dict[str, Any] = {
    version: contract(version=version)(
        create_model("Sighting", __config__=ConfigDict(extra="forbid"), seen=(str, ...), **more)
    )
    for version, more in {"1.0": {}, "1.1": {"sure": (bool, False)}}.items()
}


def concluding(needs: Any, **phase: Any) -> Job:
    job = looking(**phase)
    job.phase("conclude", agent=conclude, needs=needs)
    return job


@pytest.mark.parametrize(
    ("needs", "failing", "output"),
    [
        pytest.param("look", SOME, ["i0", "look/i1: i1 cannot be read"], id="D3-unstated-some"),
        pytest.param("look", ALL, None, id="D3-unstated-nothing"),
        pytest.param({"look": "tight"}, frozenset[int](), ["i0", "i1"], id="D3-tight-all"),
        pytest.param({"look": "tight"}, SOME, None, id="D3-tight-some"),
        pytest.param({"look": "loose"}, SOME, ["i0", "look/i1: i1 cannot be read"], id="D3-loose-some"),
        pytest.param(
            {"look": "loose"},
            ALL,
            ["look/i0, look/i1: i0 cannot be read (the first; others differ)"],
            id="D3-loose-nothing",
        ),
        pytest.param({"look": "none"}, frozenset[int](), [], id="D3-none-all"),
        pytest.param({"look": "none"}, ALL, [], id="D3-none-nothing"),
        pytest.param(
            Need("look", "medium", fallback=Fallback.default("?")),
            SOME,
            ["i0", "?", "look/i1: i1 cannot be read (instead: the default value)"],
            id="F2-medium-default",
        ),
        pytest.param(
            Need("look", "tight", reason="whole", fallback=Fallback.default("?")),
            ALL,
            [
                *("?", "?"),
                "look/i0, look/i1: i0 cannot be read (the first; others differ) (instead: the default value)",
            ],
            id="F2-tight-default",
        ),
        pytest.param(Need("look", fallback=Fallback.last_good()), ALL, None, id="F2-medium-never-good"),
        pytest.param(
            Need("look", fallback=Fallback.skip("optional")),
            SOME,
            ["i0", "look/i1: i1 cannot be read (instead: skipped: optional)"],
            id="F2-medium-skip",
        ),
        pytest.param(Need("look", "tight", fallback=Fallback.skip("x")), SOME, None, id="F2-tight-skip"),
    ],
)
async def test_coupling_decides_whether_consumers_start(
    tmp_path: Path, needs: Any, failing: frozenset[int], output: list[str] | None
) -> None:
    async with a_run(concluding(needs), tmp_path, items(2, failing=failing)) as run:
        await run_phases(run)

        assert output_of(run) == output
    step = next(step for step in run.log.state.steps if step.phase == "conclude")
    assert step.handoff.status is (Status.BLOCKED if output is None else Status.COMPLETED)


async def test_a_job_whose_last_phase_is_blocked_has_failed_and_one_that_did_without_is_partial(tmp_path: Path) -> None:
    async with a_run(concluding({"look": "tight"}), tmp_path, items(2, failing=SOME)) as run:
        assert status_after(await run_phases(run)) is RunStatus.FAILED
    async with a_run(concluding({"look": "loose"}), tmp_path, items(2, failing=ALL), run_id="two") as run:
        assert status_after(await run_phases(run)) is RunStatus.PARTIAL


async def test_an_agent_built_for_another_minor_version_stands_in_and_is_read_as_what_it_stands_in_for(
    tmp_path: Path,
) -> None:
    async def broken(item: Item) -> Any:
        raise AgentFailed("broken")

    async def newer(item: Item) -> Any:
        return SIGHTINGS["1.1"](seen=item.id, sure=True)

    async def conclude(look: Any) -> list[str]:
        return [one.seen for one in look.outputs()]

    broken.__annotations__["return"], newer.__annotations__["return"] = SIGHTINGS["1.0"], SIGHTINGS["1.1"]
    conclude.__annotations__["look"] = Handoffs[SIGHTINGS["1.0"]]
    job = looking(each=agent(broken), fallback=agent(newer))
    job.phase("conclude", agent=agent(conclude), needs="look")
    async with a_run(job, tmp_path, items(1)) as run:
        await run_phases(run)
        assert output_of(run) == ["i0"]


@pytest.mark.parametrize(
    ("fallback", "output", "confidence", "status"),
    [
        (look_again, "i1 again", 0.8, RunStatus.COMPLETED),
        (Fallback.default("?"), "?", 0.0, RunStatus.PARTIAL),
        ([blind, Fallback.default("?")], "?", 0.0, RunStatus.PARTIAL),
        ([Fallback.last_good(), look_again], "i1 again", 0.8, RunStatus.COMPLETED),
    ],
    ids=["F2-agent", "F2-default", "F2-agent-fails-too", "F2-no-last-good"],
)
async def test_what_stands_in_says_so_and_is_trusted_less(
    tmp_path: Path, fallback: Any, output: str, confidence: float, status: RunStatus
) -> None:
    seen = Watched()
    job = looking(fallback=fallback)
    async with a_run(job, tmp_path, items(2, failing=SOME), watch=seen) as run:
        delivered = await run_phases(run)

        assert output_of(run) == {"look/i0": "i0", "look/i1": output}
    handoff = delivered["look"].handoffs[1]
    assert handoff.fallback is not None
    assert "i1 cannot be read" in handoff.fallback.reason
    assert (handoff.confidence, status_after(delivered)) == (pytest.approx(confidence), status)
    measures = measure(run.log.state.steps, 1)
    assert (measures.completed, measures.failed, measures.fallbacks) == (2, 0, 1)
    tally = tally_of(seen.state, "look")
    assert (tally.done, tally.failed) == (2, 0)


async def test_what_stands_in_without_being_the_work_is_told_with_the_result(tmp_path: Path) -> None:
    async with a_run(
        looking(fallback=Fallback.default("?"), integrate=staged), tmp_path, items(2, failing=SOME)
    ) as run:
        delivered = await run_phases(run)

        assert output_of(run) == {"items": ["i0", "?"], "missing": []}
    assert [(one.task_id, one.instead) for one in missing_in(run)] == [("look/i1", "the default value")]
    assert status_after(delivered) is RunStatus.PARTIAL


async def ended(run: RunContext, status: RunStatus) -> None:
    """Put the end of a run on record."""
    await run.log.append(RunEnded(run_id=run.spec.run_id, at=run.now(), status=status, finished=run.now()))


async def test_the_last_good_output_is_that_of_an_earlier_run_on_the_same_inputs(tmp_path: Path) -> None:
    broken: list[bool] = []

    @agent
    async def sometimes(item: Item) -> str:
        if broken:
            raise AgentFailed("not today")
        return f"{item.id} then"

    job, given = looking(each=sometimes, fallback=Fallback.last_good()), items(1)
    async with a_run(job, tmp_path, given, run_id="one") as run:
        await run_phases(run)
        await ended(run, RunStatus.COMPLETED)
    broken.append(True)
    for run_id, confidence in (("two", 0.5), ("three", 0.25)):
        async with a_run(job, tmp_path, given, run_id=run_id) as run:
            delivered = await run_phases(run)

            assert output_of(run) == {"look/i0": "i0 then"}
            await ended(run, RunStatus.PARTIAL)
        handoff = delivered["look"].handoffs[0]
        assert handoff.confidence == confidence
    assert handoff.fallback is not None
    assert handoff.fallback.said.startswith("the last good output, of run two, ")
    assert handoff.fallback.said.endswith(" s old")


async def test_a_phase_that_cannot_be_integrated_is_replaced_as_a_whole(tmp_path: Path) -> None:
    @agent
    async def read(look: Handoffs[Any]) -> list[Any]:
        return [*look.outputs(), [one.task_id for one in look.unmerged]]

    job = looking(integrate=clueless)
    default = {"items": ["old"], "missing": []}
    job.phase("read", agent=read, needs=Need("look", fallback=Fallback.default(default)))
    async with a_run(job, tmp_path, items(3, failing=SOME)) as run:
        await run_phases(run)

        assert output_of(run) == [default, ["look/i0", "look/i2"]]


async def test_an_open_breaker_leads_to_the_fallback_at_once(tmp_path: Path) -> None:
    asked: list[str] = []

    @agent(breaker="provider", fallback=look_again)
    async def ask(item: Item) -> str:
        asked.append(item.id)
        raise DependencyFailed("down", passing=True)

    breakers = BreakerRegistry()
    async with a_run(looking(each=ask), tmp_path, items(8), breakers=breakers) as run:
        breakers.get("provider").isolate("being mended")
        delivered = await run_phases(run)

    assert asked == []
    assert status_after(delivered) is RunStatus.COMPLETED
    kinds = {handoff.fallback.kind for handoff in delivered["look"].handoffs if handoff.fallback}
    assert (kinds, len(delivered["look"].handoffs)) == ({FallbackKind.AGENT}, 8)


async def test_a_run_that_is_gone_on_with_tries_the_task_itself_and_does_not_ask_the_other_agent_twice(
    tmp_path: Path,
) -> None:
    asked: list[str] = []

    @agent
    async def other(item: Item) -> str:
        asked.append("other")
        return "other"

    @agent(fallback=other)
    async def first(item: Item) -> str:
        asked.append("first")
        if asked.count("first") < 3:
            raise AgentFailed("not yet")
        return "first"

    job, outputs = looking(each=first), []
    for _ in range(3):
        async with a_run(job, tmp_path, items(1)) as run:
            await run_phases(run)
            outputs.append(output_of(run)["look/i0"])
        assert measure(run.log.state.steps, 1).completed == 1

    assert (outputs, asked) == (["other", "other", "first"], ["first", "other", "first", "first"])


async def test_consumers_wait_for_a_phase_as_long_as_the_most_patient_of_them(tmp_path: Path) -> None:
    @agent(timeout=60)
    async def stall(item: Item) -> str:
        await asyncio.sleep(60 if item.fails else 0)
        return item.id

    async with a_run(
        concluding(Need("look", "loose", timeout=0.2), each=stall), tmp_path, items(2, failing=SOME)
    ) as run:
        await run_phases(run)
        seen = output_of(run)

    assert seen[0] == "i0"
    assert seen[1].startswith("look/i1: the seconds budget of phase 'look'")


def graph(*tasks: TaskSpec) -> TaskGraph:
    return TaskGraph(name="graph", goal="work", tasks=tasks)


def task(name: str, *uses: tuple[str, Coupling]) -> TaskSpec:
    used = tuple(Dependency(task=one, coupling=coupling, reason="asked") for one, coupling in uses)
    return TaskSpec(id=name, goal="look", domain=name, capability=name, depends_on=used, seconds=1, tokens=100_000)


async def test_a_lost_task_blocks_those_who_cannot_run_without_it_and_theirs_and_nobody_else(tmp_path: Path) -> None:
    """D3: a graph in which one of three producers fails."""
    tight, loose = Coupling.TIGHT, Coupling.LOOSE
    made = plan(
        graph(
            task("bad"),
            task("good"),
            task("needs-bad", ("bad", tight)),
            task("likes-bad", ("bad", loose)),
            task("needs-good", ("good", tight)),
            task("needs-blocked", ("needs-bad", tight)),
            task("likes-blocked", ("needs-bad", loose)),
        ),
        agents_fixed=True,
    )
    job = RehearsalJob.of(made, Rehearsal(scale=0))
    job.expansion.calls["bad"].item.fails = True
    async with a_run(job, tmp_path, Rehearsal()) as run:
        await run_phases(run)

    ended = {
        step.handoff.task_id: step.handoff for step in run.log.state.steps if step.handoff.task_id in run.spec.tasks
    }
    assert {name for name, handoff in ended.items() if handoff.status is Status.BLOCKED} == {
        "needs-bad",
        "needs-blocked",
    }
    assert [name for name, handoff in ended.items() if handoff.status is Status.FAILED] == ["bad"]
    assert len(ended) == 7
    error = ended["needs-blocked"].error
    assert error is not None
    assert (error.message, error.causes) == ("cannot run without needs-bad", ("needs-bad",))


async def test_one_who_is_not_looked_for_is_not_blocked(tmp_path: Path) -> None:
    job = Job("plain", goal="Look", inputs=Items, defaults=Resilience().over(ONCE))
    job.phase("look", each=look, over=lambda items: items)
    async with a_run(job, tmp_path, items(2, failing=SOME)) as run:
        delivered = await run_phases(run)

    assert [handoff.fallback for handoff in delivered["look"].handoffs] == [None]
