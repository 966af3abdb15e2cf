"""D10: what agents propose is taken or declined at the sync point, with the reason, and what is declined is listed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from echelon import Brief, Budget, Handoffs, Job, Outcome, Proposal, Proposals, Resilience, agent
from echelon.coordination.job_run import run_phases
from echelon.coordination.rolling.proposing import Taker
from echelon.model.errors import InvalidJob
from echelon.model.run import RunView
from echelon.model.voice.proposals import ProposalRecord
from echelon.testing.run_events import task_proposed
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import ONCE

pytestmark = pytest.mark.anyio


class Module(BaseModel):
    """Something to look at."""

    model_config = ConfigDict(frozen=True)

    path: str


@agent
def look(module: Module, brief: Brief) -> str:
    """Look at a module, and propose those that it imports."""
    if module.path == "a":
        brief.propose_task("look at b", reason="a imports it", item={"path": "b"})
        brief.propose_task("look at c", reason="a imports it", item={"path": "c"})
        brief.propose_task("look at a", item={"path": "a"})
        brief.propose_task("look around")
    return module.path


@agent
def follow(goal: str) -> Outcome[str]:
    """Do what was proposed."""
    return Outcome(output=goal, next_steps=("rest",))


def modules() -> list[Module]:
    return [Module(path="a")]


def looking(**job: Any) -> Job:
    made = Job("looking", goal="Look at everything", defaults=ONCE, **job)
    made.phase("look", each=look, over=modules)
    return made


async def seen(job: Job, home: Path) -> RunView:
    async with a_run(job, home) as run:
        await run_phases(run)
        return view_so_far(run)


def decisions(view: RunView) -> dict[str, tuple[bool, str]]:
    decided = ((one.proposal.goal, one.decision) for one in view.proposals)
    return {goal: (end.taken, end.task_id or end.reason) for goal, end in decided if end is not None}


async def test_a_phase_does_what_agents_of_an_earlier_one_propose(tmp_path: Path) -> None:
    job = looking()
    job.phase("more", each=look, over=Proposals(Module), needs="look")
    view = await seen(job, tmp_path)

    assert view.output == {"more/b": "b", "more/c": "c"}
    assert decisions(view) == {
        "look at b": (True, "more/b"),
        "look at c": (True, "more/c"),
        "look at a": (False, "it is done already: look/a"),
        "look around": (False, "it has no item, and Module is wanted"),
    }
    assert {one.decision.by for one in view.proposals if one.decision} == {"primary"}


async def test_what_no_phase_takes_is_declined_and_listed(tmp_path: Path) -> None:
    view = await seen(looking(), tmp_path)

    (reason,) = {why for _, why in decisions(view).values()}
    assert len(view.proposals) == 4
    assert reason.startswith("no phase takes what is proposed in phase 'look'")


async def test_next_steps_are_proposals_too(tmp_path: Path) -> None:
    job = Job("steps", goal="Do it", defaults=ONCE)
    job.phase("first", each=follow, over=lambda: ["walk"])
    job.phase("then", each=follow, over=Proposals(str), needs="first")
    view = await seen(job, tmp_path)

    assert view.output == {"then/rest": "rest"}
    assert [(one.task_id, one.proposal.goal, one.decision and one.decision.taken) for one in view.proposals] == [
        ("first/walk", "rest", True),
        ("then/rest", "rest", False),
    ]


async def test_one_that_proposes_ten_thousand_tasks_is_bounded_and_named(tmp_path: Path) -> None:
    @agent
    def flood(brief: Brief) -> str:
        """Propose everything."""
        for number in range(10_000):
            brief.propose_task(f"task {number}")
        return "done"

    job = Job("flood", goal="Do it", defaults=ONCE)
    job.phase("flood", agent=flood)
    job.phase("more", each=follow, over=Proposals(str, limit=3), needs="flood")
    view = await seen(job, tmp_path)

    assert view.output == {f"more/task {n}": f"task {n}" for n in range(3)}
    assert sum(end.taken for one in view.proposals if (end := one.decision)) == 3
    assert any("10,000 proposed tasks (50 on record)" in one.message for one in view.exceptions)


async def test_what_is_not_within_the_budget_is_declined(tmp_path: Path) -> None:
    job = looking(budget=Budget(calls=2))
    job.phase("more", each=look, over=Proposals(Module), needs="look", resilience=Resilience(attempts=1))
    view = await seen(job, tmp_path)

    taken = {goal: took for goal, (took, _) in decisions(view).items()}
    assert (taken["look at b"], taken["look at c"]) == (True, False)
    assert "the calls budget of job 'looking' has" in decisions(view)["look at c"][1]


async def test_a_phase_that_is_skipped_takes_nothing_and_says_so(tmp_path: Path) -> None:
    job = looking()

    def wanted(look: Handoffs[str]) -> bool:
        return len(look) > 1

    job.phase("more", each=look, over=Proposals(Module), needs="look", when=wanted)
    view = await seen(job, tmp_path)

    assert all("phase 'more' was skipped" in why for _, why in decisions(view).values())


async def test_what_was_decided_stands_when_the_run_is_resumed(tmp_path: Path) -> None:
    job = looking()
    job.phase("more", each=look, over=Proposals(Module), needs="look")
    first = await seen(job, tmp_path)
    again = await seen(job, tmp_path)

    assert again.proposals == first.proposals
    assert again.output == first.output


def test_a_phase_that_takes_proposals_needs_one_that_makes_them() -> None:
    job = Job("none", goal="Do it")

    with pytest.raises(InvalidJob, match="needs no phase that proposes any"):
        job.phase("more", each=follow, over=Proposals(str))


def proposed(number: int, **values: Any) -> ProposalRecord:
    return task_proposed(f"p-{number}", **{"goal": f"goal {number}", **values}).record


@pytest.mark.parametrize(
    ("records", "fits", "expected"),
    [
        ([proposed(1), proposed(2)], lambda _: "", ["taken", "taken"]),
        ([proposed(1), proposed(2, goal="goal 1")], lambda _: "", ["taken", "the same is proposed already"]),
        ([proposed(n) for n in range(3)], lambda _: "", ["taken", "taken", "phase 'more' takes no more than 2"]),
        ([proposed(1), proposed(2)], lambda n: "no money" if n > 1 else "", ["taken", "no money"]),
        ([proposed(1, goal="known")], lambda _: "", ["it is done already: first/known"]),
    ],
)
def test_who_takes_them_takes_the_first_that_fit(records: list[ProposalRecord], fits: Any, expected: list[str]) -> None:
    job = Job("any", goal="Do it")
    job.phase("first", each=follow, over=lambda: ["walk"])
    job.phase("more", each=follow, over=Proposals(str, limit=2), needs="first")
    taker = Taker(
        phase=job.phases["more"],
        proposals=Proposals(str, limit=2),
        done={"first/known"},
        fits=fits,
        at=datetime.now(UTC),
    )

    decided = taker.decide(records).decisions

    assert ["taken" if decided[one.id].taken else decided[one.id].reason for one in records] == expected


def test_an_item_is_the_proposal_itself_where_nothing_else_is_asked_for() -> None:
    proposal = Proposal(goal="look around", reason="it is odd")

    assert Proposals().item_of(proposal) is proposal
    assert proposal.key == "look around"
