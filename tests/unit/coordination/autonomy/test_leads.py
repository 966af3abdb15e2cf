"""Approvals are given at the lowest level with authority: a lead, batch by batch, else a person (X7)."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from echelon import Autonomy, Handoffs, Job, Oversight, Resilience, Verdict, agent
from echelon.coordination.job_run import run_phases
from echelon.model.autonomy.batch import ApprovalBatch
from echelon.model.errors import InvalidJob
from echelon.model.run import RunView, StepKind
from echelon.testing.oversight import answering
from echelon.testing.run_events import concern_disposed
from echelon.testing.runs import a_run, view_so_far

pytestmark = pytest.mark.anyio

ONCE = Resilience(attempts=1)


class Parcels(BaseModel):
    """How many parcels go to each place."""

    north: int = 2
    south: int = 0


class Parcel(BaseModel):
    id: str
    place: str


def parcels(inputs: Parcels) -> list[Parcel]:
    places = ["north"] * inputs.north + ["south"] * inputs.south
    return [Parcel(id=f"p{number}", place=place) for number, place in enumerate(places)]


@agent
async def wrap(parcel: Parcel) -> str:
    """Wrap a parcel."""
    return f"{parcel.id} is wrapped"


class Heard:
    """What leads were asked."""

    def __init__(self) -> None:
        self.batches: list[ApprovalBatch] = []


def a_job(lead: Any, **autonomy: Any) -> Job:
    oversight = Oversight(autonomy=Autonomy(lead=lead, **autonomy))
    job = Job("wrapping", goal="Wrap", inputs=Parcels, oversight=oversight, defaults=ONCE)
    job.phase("wrap", each=wrap, over=parcels, domain=lambda parcel: parcel.place)
    return job


async def a_view(job: Job, home: Path, inputs: Parcels, run_id: str = "r1") -> RunView:
    async with a_run(job, home, inputs, run_id=run_id) as run:
        await run_phases(run)
        return view_so_far(run)


def asked(view: RunView) -> list[str]:
    return [step.handoff.task_id for step in view.steps if step.kind is StepKind.CHECK]


def looks(batch: ApprovalBatch, results: Handoffs[str]) -> Verdict:
    """Approve what is wrapped, and nothing that is empty."""
    assert len(results) == len(batch.asked)
    wrong = {
        one.task_id: "there is nothing in it"
        for one, output in zip(batch.asked, results.outputs(), strict=True)
        if not output or output.startswith("p1 ")
    }
    return Verdict.rejected("", wrong) if wrong else Verdict.accepted()


async def test_a_lead_approves_what_it_may_and_a_person_is_asked_about_the_rest(tmp_path: Path) -> None:
    view = await a_view(a_job(looks), tmp_path, Parcels(north=3))
    (record,) = view.concerns

    assert record.concern.about == "wrap/p1"
    assert record.concern.evidence[0].endswith("; looks does not approve it: there is nothing in it")
    assert view.approvals is not None
    assert (view.approvals.escalated, view.approvals.by_lead, view.approvals.waiting) == (3, 2, 1)
    assert view.measures.escalation_rate == 1.0
    assert view.missing == ()


async def test_a_lead_is_asked_domain_by_domain_and_ten_at_a_time(tmp_path: Path) -> None:
    heard = Heard()

    def hears(batch: ApprovalBatch, results: Handoffs[str]) -> Verdict:
        heard.batches.append(batch)
        return Verdict.accepted() if all(results.outputs()) else Verdict.rejected("it is empty")

    view = await a_view(a_job(hears), tmp_path, Parcels(north=12, south=3))

    asked_about = sorted((batch.domain, len(batch.asked)) for batch in heard.batches)
    assert asked_about == [("north", 1), ("north", 2), ("north", 10), ("south", 3)]  # one of them is empty
    assert (view.concerns, view.approvals and view.approvals.by_lead) == ((), 15)


async def test_a_lead_that_approves_whatever_it_is_given_approves_nothing(tmp_path: Path) -> None:
    def rubber_stamp(results: Handoffs[object]) -> bool:
        return len(results) >= 0

    view = await a_view(a_job(rubber_stamp), tmp_path, Parcels())
    (record,) = view.concerns

    assert view.approvals is not None
    assert (view.approvals.by_lead, view.approvals.waiting) == (0, 2)
    assert "rubber_stamp approves an empty result too, so its approval says nothing" in record.concern.evidence[0]


async def test_a_lead_that_fails_or_cannot_tell_approves_nothing(tmp_path: Path) -> None:
    def breaks(results: Handoffs[object]) -> bool:
        raise ValueError("no connection")

    def cannot_tell(results: Handoffs[object]) -> Verdict:
        return Verdict.unverifiable("who is to know")

    broken = await a_view(a_job(breaks), tmp_path / "one", Parcels())
    unsure = await a_view(a_job(cannot_tell), tmp_path / "two", Parcels())

    assert "breaks does not approve it" in broken.concerns[0].concern.evidence[0]
    assert "no connection" in broken.concerns[0].concern.evidence[0]
    assert "cannot_tell does not approve it: who is to know" in unsure.concerns[0].concern.evidence[0]


@pytest.mark.parametrize(
    ("named", "approved"),
    [
        ({"wrap/p0": "it is open"}, 1),
        ({"p0": "it is open"}, 1),
        ({"p0": ""}, 1),
        ({"p9": "it is open"}, 0),
        ({"p0": "it is open", "p9": "it is open"}, 0),
    ],
)
async def test_a_lead_that_names_what_it_was_not_asked_about_approves_nothing(
    named: dict[str, str], approved: int, tmp_path: Path
) -> None:
    """A name with a mistake in it must not let through what was meant."""

    def declines(batch: ApprovalBatch, results: Handoffs[str]) -> Verdict:
        return Verdict.rejected("", named) if all(results.outputs()) else Verdict.rejected("it is empty")

    view = await a_view(a_job(declines), tmp_path, Parcels())
    (asked,) = view.concerns

    assert view.approvals is not None
    assert (view.approvals.by_lead, view.approvals.waiting) == (approved, 2 - approved)
    assert ("names 'p9', which is no result of the batch" in " ".join(asked.concern.evidence)) is ("p9" in named)


async def test_no_lead_approves_what_something_irreversible_is_made_of(tmp_path: Path) -> None:
    @agent(effect="irreversible")
    async def ship(wrapped: Handoffs[str]) -> int:
        """Ship them."""
        return len(wrapped)

    job = a_job(looks)
    job.phase("ship", agent=ship, needs="wrap")
    async with a_run(job, tmp_path, Parcels(north=1), ask=answering(begin="approve")) as run:
        await run_phases(run)
        view = view_so_far(run)

    assert asked(view) == []
    assert [record.concern.about for record in view.concerns] == ["wrap/p0"]
    assert [(one.task_id, bool(one.asks)) for one in view.missing] == [
        ("ship/ship", True)
    ]  # held until it is disposed of


async def test_what_a_person_answers_lets_it_go_on_and_is_a_part_of_the_record(tmp_path: Path) -> None:
    @agent(effect="irreversible")
    async def ship(wrapped: Handoffs[str]) -> int:
        """Ship them."""
        return len(wrapped)

    job, inputs = a_job(None), Parcels(north=1)
    job.phase("ship", agent=ship, needs="wrap")
    async with a_run(job, tmp_path, inputs, run_id="r1") as run:
        await run_phases(run)
        (concern,) = run.log.state.concerns
        end = concern_disposed(concern, "r1", verdict="dismissed", looked_at=("the parcel",))
        await run.log.append(end)
    async with a_run(job, tmp_path, inputs, run_id="r1", ask=answering(begin="approve")) as run:
        await run_phases(run)
        view = view_so_far(run)
    later = await a_view(job, tmp_path, inputs, "r2")

    assert (view.missing, view.output) == ((), 1)
    assert view.approvals is not None
    assert view.approvals.waiting == 0
    assert next(one for one in later.autonomy if one.agent == "wrap").before.accuracy == 1.0


async def test_what_a_person_approved_at_its_gate_is_not_asked_about_once_more(tmp_path: Path) -> None:
    @agent(effect="irreversible")
    async def ship() -> str:
        """Ship something."""
        return "gone"

    job = Job("shipping", goal="Ship", oversight=Oversight(autonomy=Autonomy(peers=[bool_of])), defaults=ONCE)
    job.phase("ship", agent=ship)
    async with a_run(job, tmp_path, ask=answering(begin="approve")) as run:
        await run_phases(run)
        view = view_so_far(run)

    assert (view.concerns, view.approvals, asked(view)) == ((), None, [])


def bool_of(output: str) -> bool:
    return bool(output)


def test_a_lead_that_asks_for_a_single_output_is_refused() -> None:
    def looks_at_one(output: str) -> bool:
        return bool(output)

    with pytest.raises(InvalidJob, match="looks_at_one"):
        a_job(looks_at_one).check_complete()


async def test_a_run_that_is_resumed_asks_no_lead_twice(tmp_path: Path) -> None:
    job, inputs = a_job(looks), Parcels(north=3)
    once, again = await a_view(job, tmp_path, inputs), await a_view(job, tmp_path, inputs)

    assert asked(once) == asked(again)
    assert [one.id for one in once.concerns] == [one.id for one in again.concerns]
