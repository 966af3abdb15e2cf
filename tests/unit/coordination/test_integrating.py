"""Who integrates what, and what is said about what is missing (D6, F7, X2)."""

from pathlib import Path

import pytest

from echelon import AgentFailed, Handoffs, agent, integrator
from echelon.agents.decorators import Integrator
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.local_placement import LocalPlacement
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import StageOrder
from echelon.coordination.result import status_after
from echelon.model.plan import NodeKind
from echelon.model.run import RunStatus, StepKind
from echelon.runlog.events import StepStarted
from echelon.testing.runs import a_run
from tests.unit.coordination.jobs import Item, Total, Watched, items, looking, missing_in, output_of, staged, total

pytestmark = pytest.mark.anyio


@integrator
async def clueless(seen: Handoffs[str]) -> Total:
    """Fail when something is missing."""
    if seen.missing:
        raise AgentFailed("nothing fits together")
    return Total(items=tuple(seen.outputs()), missing=())


@clueless.combine
async def clueless_staged(totals: Handoffs[Total]) -> Total:
    """Put together what was put together."""
    return Total(
        items=tuple(item for one in totals.outputs() for item in one.items),
        missing=tuple(missing.task_id for missing in totals.missing),
    )


async def test_without_an_integrator_outputs_are_passed_on_as_they_are(tmp_path: Path) -> None:
    async with a_run(looking(), tmp_path, items(2, 1)) as run:
        delivered = await run_phases(run)

    assert [handoff.task_id for handoff in delivered["look"].handoffs] == ["look/i0", "look/i1", "look/i2"]
    assert output_of(run) == {"look/i0": "i0", "look/i1": "i1", "look/i2": "i2"}
    assert status_after(delivered) is RunStatus.COMPLETED


async def test_an_integrator_alone_integrates_everything_at_the_primary(tmp_path: Path) -> None:
    seen = Watched()
    async with a_run(looking(integrate=total), tmp_path, items(30, 30), watch=seen) as run:
        await run_phases(run)

        assert [one.node for one in seen.of(StepStarted) if one.step is StepKind.INTEGRATION] == ["primary"]
        assert output_of(run)["items"] == [f"i{n}" for n in range(60)]


async def test_teams_integrate_then_domains_then_the_primary_each_its_own(tmp_path: Path) -> None:
    async with a_run(looking(integrate=staged), tmp_path, items(30, 30)) as run:
        await run_phases(run)

        integrated = [step for step in run.log.state.steps if step.kind is StepKind.INTEGRATION]
        kinds = [run.spec.plan.nodes[step.node].kind for step in integrated]
        assert kinds == sorted(kinds, key=[NodeKind.TEAM, NodeKind.DOMAIN, NodeKind.PRIMARY].index)
        assert set(kinds) == {NodeKind.TEAM, NodeKind.DOMAIN, NodeKind.PRIMARY}
        assert len({step.node for step in integrated}) == len(integrated)
        for step in integrated:
            below = {run.spec.plan.nodes[node].parent for node in _producers(run, step.handoff.task_id)}
            assert below == {step.node}
        assert sorted(output_of(run)["items"]) == sorted(f"i{n}" for n in range(60))


def _producers(run: RunContext, task_id: str) -> list[str]:
    """Return the nodes whose output an integration used."""
    made = {step.handoff.task_id: step for step in run.log.state.steps}
    return [made[used.task_id].node for used in made[task_id].handoff.dependencies]


class Placed:
    """Carries out the parts of a phase here, and keeps their orders."""

    def __init__(self, run: RunContext) -> None:
        self.orders: list[StageOrder] = []
        self._here = LocalPlacement(run)

    async def run(self, order: StageOrder) -> PhaseOutput:
        """Do what is ordered."""
        self.orders.append(order)
        return await self._here.run(order)


async def test_domains_and_teams_are_opened_around_what_happens_in_them(tmp_path: Path) -> None:
    """Each domain is a part that may be placed elsewhere, with everything below it; each team shows in the log."""
    seen = Watched()
    async with a_run(looking(integrate=staged), tmp_path, items(30, 30), watch=seen) as run:
        placed = Placed(run)
        await run_phases(run, placed)
        plan = run.spec.plan
        below = {order.node: set(order.tasks) for order in placed.orders}
        at_work = {one.node for one in seen.of(StepStarted) if one.step is StepKind.INTEGRATION}

        assert set(below) == {node.id for node in plan.tree if node.kind is NodeKind.DOMAIN}
        assert below == {part: {t for t, node in plan.agent_of.items() if plan.part_of(node) == part} for part in below}
        assert {n for n in at_work if plan.nodes[n].kind is NodeKind.TEAM} == {
            node.id for node in plan.tree if node.kind is NodeKind.TEAM
        }


async def test_an_integrator_gets_what_is_there_and_what_is_missing_with_the_reason(tmp_path: Path) -> None:
    given = items(3, failing=frozenset({1}))
    async with a_run(looking(integrate=total), tmp_path, given) as run:
        delivered = await run_phases(run)

        assert output_of(run) == {"items": ["i0", "i2"], "missing": ["look/i1"]}
    assert [(one.task_id, one.producer, one.reason) for one in missing_in(run)] == [
        ("look/i1", "look/i1", "i1 cannot be read")
    ]
    assert status_after(delivered) is RunStatus.PARTIAL


async def test_a_merger_that_fails_costs_its_own_part_only(tmp_path: Path) -> None:
    given = items(30, 30, failing=frozenset({0}))
    async with a_run(looking(integrate=clueless_staged), tmp_path, given) as run:
        delivered = await run_phases(run)

        output = output_of(run)
        team = run.spec.plan.nodes[run.spec.plan.agent_of["look/i0"]].parent
        assert [one.task_id for one in missing_in(run)] == ["look/i0", f"look/merge/{team}"]
        lost = {run.spec.plan.nodes[member].members[0] for member in run.spec.plan.nodes[team or ""].members}
        assert {f"look/{item}" for item in output["items"]} == {f"look/i{n}" for n in range(60)} - lost
    assert status_after(delivered) is RunStatus.PARTIAL


@pytest.mark.parametrize("integrate", [clueless, clueless_staged])
async def test_a_primary_that_cannot_integrate_passes_on_what_it_has_and_says_so(
    tmp_path: Path, integrate: Integrator
) -> None:
    """F7: completed work of members is never hidden by the one who should have integrated it."""
    async with a_run(looking(integrate=integrate), tmp_path, items(3, failing=frozenset({0}))) as run:
        delivered = await run_phases(run)

        assert output_of(run) == {"look/i1": "i1", "look/i2": "i2"}
    assert status_after(delivered) is RunStatus.PARTIAL
    last = missing_in(run)[-1]
    assert (last.task_id, last.reason) == ("look/merge/primary", "nothing fits together")


async def test_what_a_failed_merger_should_hold_reaches_everybody_above_apart(tmp_path: Path) -> None:
    """Members' work is of another type than what mergers make, so that it is not put among it (F7)."""
    told: list[list[str]] = []

    @agent
    async def read(look: Handoffs[Total]) -> int:
        told.append([received.load() for received in look.unmerged])
        return len(look)

    job = looking(integrate=clueless_staged)
    job.phase("read", agent=read, needs="look")
    async with a_run(job, tmp_path, items(30, 30, failing=frozenset({0}))) as run:
        await run_phases(run)
        team = run.spec.plan.nodes[run.spec.plan.nodes[run.spec.plan.agent_of["look/i0"]].parent or ""]

        assert output_of(run) == 1
    assert told == [[f"i{n}" for n in range(60) if f"look/i{n}" in team.members and n]]


async def test_parts_passed_on_for_a_merger_that_failed_reach_only_consumers_they_fit(tmp_path: Path) -> None:
    @agent
    async def merged(look: Handoffs[Total]) -> list[str]:
        return [f"{one.task_id}: {one.reason}" for one in look.missing] + [one.load() for one in look.unmerged]

    @agent
    async def either(look: Handoffs[Total | str]) -> list[Total | str]:
        return look.outputs()

    job = looking(integrate=clueless)
    job.phase("merged", agent=merged, needs="look")
    job.phase("either", agent=either, needs="look")
    async with a_run(job, tmp_path, items(2, failing=frozenset({0}))) as run:
        delivered = await run_phases(run)
        received = [run.receive(name, delivered[name])[0].load() for name in ("merged", "either")]

    assert received == [
        [
            "look/i0: i0 cannot be read",
            "look/merge/primary: nothing fits together",
            "look/i1: it is str, but it is built for Total",
            "i1",
        ],
        ["i1"],
    ]


async def test_a_domain_with_one_result_passes_it_on_without_putting_it_together_again(tmp_path: Path) -> None:
    async with a_run(looking(integrate=staged), tmp_path, items(3)) as run:
        delivered = await run_phases(run)

    assert [handoff.task_id for handoff in delivered["look"].handoffs] == ["look/merge/primary"]


async def test_nobody_integrates_when_nothing_was_delivered(tmp_path: Path) -> None:
    given = items(12, failing=frozenset(range(12)))
    async with a_run(looking(integrate=staged), tmp_path, given) as run:
        await run_phases(run)

    assert [step for step in run.log.state.steps if step.kind is StepKind.INTEGRATION] == []
    assert len(missing_in(run)) == 12


@agent(name="busy", attempts=2)
async def namesake(item: Item) -> str:
    """Look."""
    return item.id


@integrator(name="busy")
async def busy(seen: Handoffs[str]) -> Total:
    """Fail for now."""
    raise AgentFailed("not now", passing=True)


async def test_an_agent_and_an_integrator_of_one_name_keep_their_own_limits(tmp_path: Path) -> None:
    async with a_run(looking(each=namesake, integrate=busy), tmp_path, items(2)) as run:
        await run_phases(run)

    assert run.log.state.steps[-1].handoff.attempts == 1


async def test_the_work_of_siblings_survives_an_integration_that_used_it(tmp_path: Path) -> None:
    async with a_run(looking(integrate=clueless), tmp_path, items(3, failing=frozenset({0}))) as run:
        await run_phases(run)
        on_record = await run.log.journal.steps(run.spec.run_id)

    assert [(step.handoff.task_id, step.handoff.done) for step in on_record] == [
        ("look/i0", False),
        ("look/i1", True),
        ("look/i2", True),
        ("look/merge/primary", False),
    ]


async def test_what_a_whole_domain_did_not_deliver_is_known_to_the_result_of_all(tmp_path: Path) -> None:
    """Its loss must be told to the combiner, though there is only one result to combine."""
    async with a_run(looking(integrate=staged), tmp_path, items(6, 6, failing=frozenset(range(6)))) as run:
        await run_phases(run)

        assert output_of(run)["missing"] == [f"look/i{n}" for n in range(6)]
