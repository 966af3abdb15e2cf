"""X1, X12: parts of phases whose items were found on the way are done by processes that have nothing but an order."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from echelon.coordination.job_run import run_phases
from echelon.coordination.rolling.finding import events_until
from echelon.engine.stage_worker import carry_out
from echelon.model.plan import Plan
from echelon.model.run import StepKind
from echelon.runlog.events import PlanExtended
from echelon.runlog.state import fold
from echelon.testing.run_events import NOON, run_started, small_plan
from tests.unit.coordination.test_placement import Elsewhere, Place, settings

pytestmark = pytest.mark.anyio

#: Two phases that grow at the same time, each in two domains.
JOB = '''
from pathlib import Path

from pydantic import BaseModel

from echelon import Handoffs, Job, Resilience, agent


class Inputs(BaseModel):
    world: Path
    failing: tuple[str, ...] = ()


@agent
async def survey() -> list[str]:
    """Say what there is."""
    return [f"d{n // 9}-{n}" for n in range(18)]


def left(survey: Handoffs[list[str]], world: Path) -> list[str]:
    with (world / "searched").open("a") as searched:
        searched.write("left\\n")
    return [item for items in survey.outputs() for item in items]


def right(survey: Handoffs[list[str]]) -> list[str]:
    return [item for items in survey.outputs() for item in items]


@agent
async def look(item: str, world: Path) -> str:
    """Look at an item."""
    with (world / "asked").open("a") as asked:
        asked.write(f"{item}\\n")
    return item


grown = Job("grown", goal="See everything", inputs=Inputs, defaults=Resilience(attempts=1))
grown.phase("survey", agent=survey)
for name, over in (("left", left), ("right", right)):
    grown.phase(name, each=look, over=over, needs="survey", domain=lambda item: item.partition("-")[0])
'''


@pytest.fixture
def place(tmp_path: Path, importing: None) -> Iterator[Place]:
    made = Place(tmp_path, JOB)
    yield made
    for worker in made.workers:
        worker.end()


async def test_parts_of_two_phases_that_grow_at_the_same_time_are_done_elsewhere(place: Place) -> None:
    """Each order names the plan it was made under; by the time it is carried out the other phase may have grown."""
    parts = Elsewhere(place)
    async with place.run() as run:
        outputs = await run_phases(run, parts)
        state = await run.log.refresh()

    searches = [step for step in state.steps if step.kind is StepKind.PLANNING]
    assert sorted(step.phase for step in searches) == ["left", "right"]  # nobody elsewhere looks again
    assert (place.world / "searched").read_text() == "left\n"
    assert {name: len(output.handoffs) for name, output in outputs.items()} == {"survey": 1, "left": 18, "right": 18}
    assert {order.phase for order in parts.orders} >= {"left", "right"}
    assert len(place.asked()) == 36


async def test_an_order_is_carried_out_also_when_the_plan_has_grown_since(place: Place) -> None:
    parts = Elsewhere(place)
    async with place.run() as run:
        await run_phases(run, parts)
        first, last = parts.orders[0], parts.orders[-1]
        again = [await carry_out(order, settings(place)) for order in (first, last)]

    assert first.plan_digest != last.plan_digest
    assert [len(output.missing) for output in again] == [0, 0]
    assert len(place.asked()) == 36


def extended(plan: Plan, phase: str = "") -> PlanExtended:
    return PlanExtended(run_id="r1", at=NOON, plan=plan, reason="", phase=phase)


def test_what_was_known_when_a_plan_was_put_on_record_is_what_lies_before_it() -> None:
    first, second, changed = (small_plan(tasks) for tasks in (("a",), ("a", "b"), ("a", "b", "c")))
    begun = small_plan()
    events = [run_started("r1", plan=begun), extended(first, "left"), extended(second, "right"), extended(changed)]

    assert [len(events_until(events, plan.digest)) for plan in (begun, first, second, changed)] == [1, 2, 3, 4]
    assert [one.phase for one in fold(events_until(events, second.digest)).extensions] == ["left", "right"]
    assert events_until(events, "another") == events
