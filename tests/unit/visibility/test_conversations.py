"""Why there may be nothing to read of what a model was asked: one clear line for each case."""

from typing import Any

import pytest

from echelon.model.graph import TaskSpec
from echelon.model.handoff import ErrorReport
from echelon.model.run import RunView
from echelon.model.status import Status
from echelon.runlog.events import RunEvent
from echelon.runlog.state import fold
from echelon.runlog.view import view_of
from echelon.testing.run_events import model_asked, run_started, small_plan, step_ended, step_started
from echelon.visibility.conversations import conversations_of, why_none

REFUSED = ErrorReport(kind="BreakerOpen", message="the breaker of 'openai' is open", can_pass=True)


def seen(*events: RunEvent, model: str | None = "gpt-5") -> RunView:
    """Return a run of the task `inspect`, done by a model, that has come so far."""
    plan = small_plan(("inspect",)).model_copy(update={"tasks": (TaskSpec(id="inspect", goal="look", model=model),)})
    return view_of(fold([run_started(plan=plan), *events]), lambda _: None)


def ended(status: Status = Status.COMPLETED, **changes: Any) -> RunEvent:
    event = step_ended("inspect", status)
    handoff = event.record.handoff.model_copy(update=changes)
    return event.model_copy(update={"record": event.record.model_copy(update={"handoff": handoff})})


@pytest.mark.parametrize(
    ("view", "why"),
    [
        (seen(model=None), "inspect is done without a model"),
        (seen(ended(), model=None), "inspect is done without a model"),
        (seen(), "inspect has not begun"),
        (seen(step_started("inspect")), "inspect is at work"),
        (seen(ended()), "it was done by an older version of Echelon"),
        (seen(ended(Status.FAILED)), "it was done by an older version of Echelon"),
        (
            seen(ended(Status.BLOCKED, attempts=0, error=REFUSED)),
            "no model was asked for inspect: the breaker of 'openai' is open",
        ),
    ],
    ids=["function", "function that ended", "not begun", "at work", "older", "older and failed", "refused before"],
)
def test_why_a_task_has_no_conversation(view: RunView, why: str) -> None:
    assert conversations_of("inspect", view) == ()
    assert why in why_none("inspect", view)
    assert "\n" not in why_none("inspect", view)


def test_a_coordinator_that_integrates_has_none_either() -> None:
    assert "primary is done without a model" in why_none("primary", seen())


def test_conversations_are_those_of_one_task_in_the_order_they_ended() -> None:
    view = seen(model_asked("inspect", error="away"), model_asked("other"), model_asked("inspect"))

    assert [one.error for one in conversations_of("inspect", view)] == ["away", ""]
