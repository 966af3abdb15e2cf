"""Changes that a diagnosis proposes are applied to a copy of the job, and the planner plans by them (G)."""

from collections.abc import Callable

import pytest
from pydantic import BaseModel

from echelon import Handoffs, Job, Sync, agent
from echelon.definition.adjusting import adjusted
from echelon.model.diagnosis.adjustment import Adjustment, Lever, Setting
from echelon.model.diagnosis.mode import FailureMode
from echelon.model.errors import InvalidInput
from echelon.model.organisation import Organisation, Structure
from echelon.model.plan import Plan


class Size(BaseModel):
    items: int = 24


@agent
async def look(item: int) -> int:
    return item


@agent
async def other() -> int:
    return 1


@agent
async def total(looks: Handoffs[int]) -> int:
    return sum(looks.outputs())


def enough(looks: Handoffs[int]) -> bool:
    return len(looks) > 3


def job() -> Job:
    made = Job("adjusted", goal="look", inputs=Size, organisation=Organisation(structure=Structure.FLAT))
    made.phase("look", each=look, over=lambda items: list(range(items)), domain=lambda item: f"d{item % 2}")
    made.phase("beside", agent=other, needs="look")
    made.phase("total", agent=total, needs="look")
    return made


def change(lever: Lever, after: Setting, phase: str = "", *, before: Setting = None) -> Adjustment:
    mode = FailureMode.TOO_SHALLOW
    return Adjustment(lever=lever, phase=phase, before=before, after=after, mode=mode, reason="it was measured")


def planned(*changes: Adjustment) -> Plan:
    return adjusted(job(), changes).plan()


def needs(plan: Plan, phase: str) -> tuple[str, ...] | None:
    return next(one.needs for one in plan.phases if one.name == phase)


@pytest.mark.parametrize(
    ("applied", "seen", "value"),
    [
        (change(Lever.SPAN, 4), lambda plan: plan.span, 4),
        (change(Lever.STRUCTURE, None), lambda plan: plan.organisation.structure, None),
        (change(Lever.MAX_CONCURRENCY, 3), lambda plan: plan.makespan.max_concurrency, 3),
        (change(Lever.NEEDS, (), "beside"), lambda plan: needs(plan, "beside"), ()),
        (change(Lever.SYNC, 5, "look"), lambda plan: plan.phases[0].sync.every, 5),
        (change(Lever.SYNC, None, "look"), lambda plan: plan.phases[0].sync.every, None),
        (
            change(Lever.DOMAINS, {"look/0": "first"}, "look"),
            lambda plan: [task.domain for task in plan.tasks[:3]],
            ["first", "d1", "d0"],
        ),
    ],
    ids=lambda one: one.lever.value if isinstance(one, Adjustment) else "",
)
def test_a_plan_goes_by_what_was_changed(applied: Adjustment, seen: Callable[[Plan], object], value: object) -> None:
    assert seen(planned(applied)) == value


@pytest.mark.parametrize(
    ("lever", "value"), [(Lever.MERGE, "auto"), (Lever.ADAPT, "apply"), (Lever.MAX_CONCURRENCY, None)]
)
def test_a_job_goes_by_what_was_changed_and_the_written_one_stays_as_it_is(lever: Lever, value: Setting) -> None:
    written = job()
    changed = adjusted(written, [change(lever, value)])
    assert getattr(changed, lever.value) == value
    assert (written.merge, written.adapt, written.span) == ("never", "propose", 8)


def test_a_phase_has_another_time_limit() -> None:
    changed = adjusted(job(), [change(Lever.TIMEOUT, 9.0, "look")])
    assert changed.phases["look"].resilience.timeout_seconds == 9.0


def test_without_changes_it_is_the_same_job() -> None:
    written = job()
    assert adjusted(written, []) is written


def test_a_change_of_a_phase_that_is_gone_is_left_out() -> None:
    written = job()
    assert adjusted(written, [change(Lever.SYNC, 4, "gone")]) is written


def test_a_phase_does_not_lose_what_its_agent_takes() -> None:
    with pytest.raises(InvalidInput, match="total takes its handoffs; take that parameter away first"):
        adjusted(job(), [change(Lever.NEEDS, (), "total")])


def test_a_phase_that_asks_between_waves_stays_in_waves() -> None:
    made = Job("waves", goal="look", inputs=Size)
    made.phase("look", each=look, over=lambda items: list(range(items)), sync=Sync.every(4), stop=enough)
    with pytest.raises(InvalidInput, match="asks between waves"):
        adjusted(made, [change(Lever.SYNC, None, "look")])
    assert adjusted(made, [change(Lever.SYNC, 6, "look")]).plan().phases[0].sync.every == 6


def test_what_was_changed_last_counts() -> None:
    assert planned(change(Lever.SPAN, 4), change(Lever.SPAN, 6)).span == 6


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (change(Lever.SPAN, 4, before=8), "most direct reports: 8 → 4"),
        (change(Lever.SYNC, None, "a", before=5), "tasks between light sync points of phase a: 5 → not stated"),
        (change(Lever.NEEDS, (), "b", before=("a",)), "phases that are waited for of phase b: a → none"),
        (change(Lever.DOMAINS, {"1": "x", "2": "x"}, "a"), "domains of items of phase a: not stated → 1 for 2 items"),
    ],
)
def test_a_change_is_said_as_a_difference(one: Adjustment, said: str) -> None:
    assert one.said == said
