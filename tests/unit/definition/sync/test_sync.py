"""When phases synchronise is stated in one place; what contradicts itself is refused before anything runs (X3, X14)."""

from typing import Any

import pytest
from pydantic import BaseModel

from echelon import Handoffs, Job, Repeat, Sync, agent
from echelon.definition.sync.sync import StatedSync
from echelon.model.errors import InvalidJob


class Inputs(BaseModel):
    many: int = 40


@agent
async def look(item: int) -> int:
    """Look at an item."""
    return item


def enough(look: Handoffs[int]) -> bool:
    return len(look) > 3


def a_job(sync: StatedSync | None, *, of_all: Any = "phase", **phase: Any) -> Job:
    job = Job("sync", goal="See everything", inputs=Inputs, sync=of_all)
    job.phase("look", each=look, over=lambda many: list(range(many)), sync=sync, **phase)
    return job


def by_parity(item: int) -> str:
    return f"d{item % 2}"


@pytest.mark.parametrize(
    ("sync", "policy", "every"),
    [
        (None, "phase", None),
        ("phase", "phase", None),
        (Sync.every(7), "interval", 7),
        (Sync.on("urgent"), "event", None),
        (Sync.milestone(by_parity), "milestone", None),
        (Sync.adaptive(), "adaptive", 9),
        (Sync.adaptive(velocity="high"), "adaptive", 4),
        ("adaptive", "adaptive", 9),
    ],
)
def test_a_plan_says_when_a_run_synchronises(sync: Any, policy: str, every: int | None) -> None:
    plan = a_job(sync).plan()

    assert (plan.phases[0].sync.policy, plan.phases[0].sync.every) == (policy, every)
    assert any(reason.rule == "X3" for reason in plan.reasons) == (policy != "phase")


def test_what_the_job_says_holds_for_phases_that_say_nothing() -> None:
    assert a_job(None, of_all="adaptive").plan().phases[0].sync.policy == "adaptive"
    assert a_job("phase", of_all="adaptive").plan().phases[0].sync.policy == "phase"


def test_domains_have_policies_of_their_own() -> None:
    job = a_job({"d0": Sync.every(3), "*": "adaptive"}, domain=by_parity)

    assert job.plan().phases[0].sync.policy == "interval, adaptive"


def test_where_domains_synchronise_as_planned_that_is_no_advice() -> None:
    planned = a_job("domains", domain=by_parity).plan()
    advised = a_job({"*": "adaptive"}, domain=by_parity).plan()

    assert planned.phases[0].sync.policy == "domains"
    assert [one.advised for one in planned.domains] == [(), ()]
    assert [one.advised for one in advised.domains] == [("sync",), ("sync",)]


@pytest.mark.parametrize(
    ("phase", "drift_cost", "detectability"),
    [
        ({}, "medium", "medium"),
        ({"error_consequence": "catastrophic"}, "high", "medium"),
        ({"success": [lambda output: output >= 0]}, "medium", "high"),
    ],
)
def test_what_is_not_rated_follows_from_the_phase(phase: dict[str, Any], drift_cost: str, detectability: str) -> None:
    sync = a_job("adaptive", **phase).phases["look"].sync
    stated = a_job(Sync.adaptive(drift_cost="low", detectability="low"), **phase).phases["look"].sync

    assert sync is not None
    assert stated is not None
    assert (sync.of("").terms.ratings.drift_cost, sync.of("").terms.ratings.detectability) == (
        drift_cost,
        detectability,
    )
    assert (stated.of("").terms.ratings.drift_cost, stated.of("").terms.ratings.detectability) == ("low", "low")


@pytest.mark.parametrize(
    ("sync", "phase", "said"),
    [
        ("often", {}, "sync='often' is not known; use 'phase', 'adaptive', 'domains', or a Sync"),
        ("domains", {}, "sync= states it by domain, and the phase has none"),
        ({"d0": "domains"}, {"domain": by_parity}, "sync='domains' is for all of them"),
        ("domains", {"domain": by_parity, "stop": enough}, "stop= looks at the whole phase"),
        ({"d0": "often"}, {"domain": by_parity}, "sync='often' is not known"),
        ({"d0": "adaptive"}, {}, "sync= states it by domain, and the phase has none"),
        (None, {"stop": enough}, "stop= is asked between waves, and there is one only"),
        ({"d0": "adaptive"}, {"domain": by_parity, "stop": enough}, "stop= looks at the whole phase"),
        (Sync.every(3), {"stop": enough, "repeat": Repeat(until=enough)}, "leave out stop= or repeat="),
    ],
)
def test_what_contradicts_itself_is_refused(sync: Any, phase: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidJob, match=said.replace("(", r"\(").replace(")", r"\)")):
        a_job(sync, **phase)


@pytest.mark.parametrize(
    "make", [lambda: Sync.every(0), lambda: Sync.on(failures=0), lambda: Sync.adaptive(least=9, most=3)]
)
def test_bounds_that_are_none_are_refused(make: Any) -> None:
    with pytest.raises(InvalidJob, match="Sync"):
        make()


def test_milestones_are_of_items_and_a_function_that_cannot_tell_is_found_at_once() -> None:
    job = Job("sync", goal="See everything", inputs=Inputs)
    with pytest.raises(InvalidJob, match="milestones are of items, and it has none"):
        job.phase("look", agent=look_around, sync=Sync.milestone(by_parity))
    with pytest.raises(InvalidJob, match="the milestone of '0' failed: ZeroDivisionError"):
        a_job(Sync.milestone(lambda item: 1 / item)).plan()


class Unequal:
    def __eq__(self, other: object) -> bool:
        raise ValueError("not to be compared")

    __hash__ = None  # type: ignore[assignment]


async def later(item: int) -> int:
    return item


@pytest.mark.parametrize(
    ("milestone", "said"),
    [
        (lambda item: float("nan"), "it is the number nan, and not equal to itself when asked again"),
        (lambda item: object(), "not equal to itself when asked again"),
        (lambda item: Unequal(), "not to be compared"),
        (later, "nobody waits for an async function here"),
    ],
)
def test_a_milestone_that_cannot_be_told_from_others_is_found_before_anything_runs(milestone: Any, said: str) -> None:
    with pytest.raises(InvalidJob, match=f"the milestone of '0' failed: ValueError: .*{said}"):
        a_job(Sync.milestone(milestone)).plan()


def test_a_job_that_leaves_it_to_domains_leaves_phases_without_them_as_they_are() -> None:
    assert a_job(None, of_all="domains").plan().phases[0].sync.policy == "phase"


def test_work_that_is_repeated_in_a_loop_cannot_end_before() -> None:
    job = a_job(Sync.every(3), stop=enough)
    with pytest.raises(InvalidJob, match="give phase 'look' no stop="):
        job.loop(["look"], until=enough)


@agent
async def look_around(many: int) -> int:
    """Look at everything."""
    return many
