"""Landing: a budget is used up, an agent writes down what it has, and everything says so (F4, F7)."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from echelon import Budget, Job, Outcome, Resilience, agent
from echelon.coordination.result import status_after
from echelon.model.errors import BudgetExhausted
from echelon.model.exception_report import Level, Trigger
from echelon.model.handoff import WRAPPED_UP
from echelon.model.policy import BulkheadPolicy
from echelon.model.run import RunStatus, StepKind
from echelon.model.usage import Usage
from echelon.resilience.budget import is_final_call
from echelon.testing.oversight import approving
from tests.unit.coordination.budgets import ended, reason, worked
from tests.unit.coordination.jobs import ONCE, Item, Items, items, looking, missing_in, output_of, total

pytestmark = pytest.mark.anyio


#: Half of it is kept back.
KEPT = Resilience(budget=Budget(tokens=100, final_call=0.5))


@agent(can_wrap_up=True)
async def never_done(item: Item) -> str:
    """Use everything up, as a model does that finds no end."""
    if is_final_call():
        return f"{item.id}, half of it"
    raise BudgetExhausted("tokens", 51, 50, "the model")


async def test_an_agent_that_lands_writes_down_what_it_has_and_everybody_is_told(tmp_path: Path) -> None:
    run, delivered = await worked(looking(each=never_done, integrate=total, defaults=KEPT), tmp_path, items(2))
    handoffs = ended(run)

    assert {task: (handoff.done, handoff.wrapped_up) for task, handoff in handoffs.items()} == {
        "look/i0": (True, True),
        "look/i1": (True, True),
    }
    assert output_of(run) == {"items": ["i0, half of it", "i1, half of it"], "missing": []}
    assert status_after(delivered) is RunStatus.PARTIAL
    assert [(one.reason, one.instead) for one in missing_in(run)] == [
        (WRAPPED_UP, "i0, half of it"),
        (WRAPPED_UP, "i1, half of it"),
    ]
    told = [(report.trigger, report.level, report.message) for report in run.log.state.exceptions]
    assert told == [(Trigger.RESOURCE, Level.WARNING, WRAPPED_UP)] * 2
    assert not any(step.handoff.wrapped_up for step in run.log.state.steps if step.kind is StepKind.INTEGRATION)


@pytest.mark.parametrize(
    ("options", "wraps_up"),
    [({}, True), ({"effect": "write"}, True), ({"effect": "irreversible"}, False), ({"can_wrap_up": False}, False)],
    ids=["reads", "writes", "cannot be undone", "does not land"],
)
async def test_who_is_called_once_more(tmp_path: Path, options: dict[str, Any], wraps_up: bool) -> None:
    how: dict[str, Any] = {"can_wrap_up": True} | options

    @agent(**how)
    async def look(item: Item) -> str:
        """Look at an item."""
        return str(await never_done(item))

    run, _ = await worked(looking(each=look, defaults=KEPT), tmp_path, items(1), ask=approving())
    handoff = ended(run)["look/i0"]

    assert (handoff.done, handoff.wrapped_up) == (wraps_up, wraps_up)
    failed = run.log.state.failed_attempts[-1].error.message if run.log.state.failed_attempts else reason(handoff)
    assert wraps_up or failed == "the tokens budget of the model has 50 left; the call asks for 51"


async def test_every_agent_lands_in_what_the_job_kept_back_and_so_does_the_integration(tmp_path: Path) -> None:
    @agent(can_wrap_up=True)
    async def look(item: Item) -> Outcome[str]:
        """Look at an item."""
        return Outcome(output="late" if is_final_call() else "in time", usage=Usage(tokens_in=10))

    job = Job("kept", goal="See", inputs=Items, budget=Budget(tokens=100, final_call=0.5), defaults=ONCE)
    limited = Resilience(bulkhead=BulkheadPolicy(max_concurrency=1))
    job.phase(
        "look",
        each=look,
        over=lambda items: items,
        domain=lambda item: item.domain,
        integrate=total,
        resilience=limited,
    )
    run, _ = await worked(job, tmp_path, items(7))
    handoffs = ended(run).values()

    assert sorted(handoff.wrapped_up for handoff in handoffs) == [False] * 5 + [True] * 2
    assert output_of(run)["items"].count("late") == 2


async def test_a_plain_function_in_its_thread_is_told_that_it_lands(tmp_path: Path) -> None:
    @agent(can_wrap_up=True)
    def look(item: Item) -> str:
        """Look at an item."""
        return "late" if is_final_call() else "in time"

    policy = Resilience(attempts=1, domain_budget=Budget(calls=4, final_call=0.5))
    run, delivered = await worked(looking(each=look, defaults=policy), tmp_path, items(5))
    said = Counter(handoff.summary for handoff in delivered["look"].handoffs)

    assert said == {"in time": 2, "late": 2}
    assert len(delivered["look"].missing) == 1
    assert {handoff.wrapped_up for handoff in ended(run).values() if handoff.summary == "late"} == {True}


async def test_what_landed_is_kept_when_the_run_is_gone_on_with(tmp_path: Path) -> None:
    first, _ = await worked(looking(each=never_done, defaults=KEPT), tmp_path, items(1))
    second, delivered = await worked(looking(each=never_done, defaults=KEPT), tmp_path, items(1))

    assert len(second.log.state.steps) == len(first.log.state.steps) == 1
    assert status_after(delivered) is RunStatus.PARTIAL
