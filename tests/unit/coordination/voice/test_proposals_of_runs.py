"""D10: proposals of integrators, in rounds, in runs that are resumed, sampled or retried, and of runs inside."""

from pathlib import Path

import pytest

from echelon import AgentFailed, Brief, Handoffs, Job, Outcome, Proposals, Repeat, agent, integrator
from echelon.coordination.job_run import run_phases
from echelon.definition.item_range import forecast_range
from echelon.definition.planned import planned
from echelon.definition.rehearsal import Rehearsal, RehearsalJob
from echelon.model.errors import InvalidJob
from echelon.model.run import RunView
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import ONCE

pytestmark = pytest.mark.anyio


@agent
def look(path: str, brief: Brief) -> str:
    """Look at a file, and propose to look behind it."""
    brief.propose_task(f"behind {path}")
    return path


@agent
def follow(goal: str) -> str:
    """Do what was proposed."""
    return goal


async def seen(job: Job, home: Path) -> RunView:
    async with a_run(job, home) as run:
        await run_phases(run)
        return view_so_far(run)


def taken(view: RunView) -> dict[str, bool]:
    return {one.proposal.goal: one.is_taken for one in view.proposals}


async def test_next_steps_of_an_integrator_are_proposals_of_the_coordinator_that_integrates(tmp_path: Path) -> None:
    @integrator
    def merge(found: Handoffs[str]) -> Outcome[str]:
        """Merge, and say what is missing."""
        return Outcome(output=" ".join(found.outputs()), next_steps=("look at the seams",))

    job = Job("merging", goal="Look", defaults=ONCE)
    job.phase("look", each=look, over=lambda: ["a", "b"], integrate=merge)
    job.phase("more", each=follow, over=Proposals(str), needs="look")
    view = await seen(job, tmp_path)

    assert taken(view) == {"behind a": True, "behind b": True, "look at the seams": True}
    (seams,) = (one for one in view.proposals if one.proposal.goal == "look at the seams")
    assert (seams.node, seams.owner, seams.proposal.reason) == ("primary", "primary", "suggested as a next step")


async def test_what_is_proposed_in_each_round_is_decided_once_at_the_end_of_the_loop(tmp_path: Path) -> None:
    rounds: list[int] = []

    @agent
    def dig(brief: Brief) -> str:
        """Propose something in each round."""
        rounds.append(brief.round)
        brief.propose_task(f"round {brief.round}")
        brief.propose_task("the same in each")
        return "dug"

    def passes(dig: Handoffs[str]) -> bool:
        return len(rounds) > 1

    job = Job("digging", goal="Dig", defaults=ONCE)
    job.phase("dig", agent=dig, repeat=Repeat(until=passes, rounds=3))
    job.phase("more", each=follow, over=Proposals(str), needs="dig")
    view = await seen(job, tmp_path)

    assert rounds == [1, 2]
    done = [one.decision.task_id for one in view.proposals if one.decision and one.is_taken]
    assert sorted(done) == ["more/round 1", "more/round 2", "more/the same in each"]
    assert all(one.decision for one in view.proposals)


async def test_what_no_phase_could_take_yet_is_taken_when_the_run_is_resumed(tmp_path: Path) -> None:
    fails = [True]

    @agent
    def try_it(brief: Brief) -> str:
        """Propose something, and fail the first time."""
        brief.propose_task("try another way")
        if fails:
            raise AgentFailed("not today")
        return "tried"

    job = Job("trying", goal="Try", defaults=ONCE)
    job.phase("try", agent=try_it)
    job.phase("more", each=follow, over=Proposals(str), needs="try")
    first = await seen(job, tmp_path)
    fails.clear()
    again = await seen(job, tmp_path)

    (declined,), (decided,) = first.proposals, again.proposals
    assert declined.decision
    assert declined.decision.reason == "phase 'more' did not begin"
    assert (decided.is_taken, again.output) == (True, {"more/try another way": "try another way"})


@pytest.mark.parametrize("limit", [1, 2])
async def test_a_plan_says_up_to_how_many_and_forecasts_both_ends(limit: int) -> None:
    job = Job("looking", goal="Look", defaults=ONCE)
    job.phase("look", each=look, over=lambda: ["a", "b"])
    job.phase("more", each=follow, over=Proposals(str, limit=limit), needs="look")
    inputs = job.inputs_type()

    (opened,) = planned(job, inputs).plan.open
    tasks = "1 proposed task" if limit == 1 else "2 proposed tasks"
    assert opened.known == f"up to {tasks}, known after look"
    ends = forecast_range(job, inputs)
    assert ends is not None
    assert (ends.low.items, ends.low.n_agents) == ({"more": 0}, 2)
    assert (ends.high.items, ends.high.n_agents) == ({"more": limit}, 2 + limit)


async def test_a_rehearsal_is_without_what_nobody_has_proposed_and_with_what_is_foreseen() -> None:
    job = Job("looking", goal="Look", defaults=ONCE)
    job.phase("look", each=look, over=lambda: ["a", "b"])
    job.phase("more", each=follow, over=Proposals(str), needs="look")
    job.phase("foreseen", each=follow, over=Proposals(str), needs="look", foresee=lambda: ["c"])

    rehearsal = RehearsalJob.of(job.plan(), Rehearsal())

    assert [(name, len(phase.agents)) for name, phase in rehearsal.phases.items()] == [("look", 1), ("foreseen", 1)]


def test_fewer_items_than_proposals_are_refused() -> None:
    job = Job("looking", goal="Look", defaults=ONCE)
    job.phase("look", each=look, over=lambda: ["a"])

    with pytest.raises(InvalidJob, match=r"takes up to 5 proposed tasks, .* say it once, with Proposals\(limit=3\)"):
        job.phase("more", each=follow, over=Proposals(str, limit=5), items=(0, 3), needs="look")
