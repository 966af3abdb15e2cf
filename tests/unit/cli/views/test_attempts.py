"""What one agent shows of its attempts and its usage: each is counted once, however its rounds are recorded."""

from io import StringIO

import pytest
from rich.console import Console

from echelon.cli.views.show import attempts_of, show_agent
from echelon.model.run import StepRecord
from echelon.model.usage import Usage
from echelon.testing.run_events import step_record
from echelon.visibility.voices.agents import AgentVoice


def a_record(attempts: int, calls: int) -> StepRecord:
    record = step_record("inspect")
    used = Usage(calls=calls, seconds=calls)
    return record.model_copy(
        update={"handoff": record.handoff.model_copy(update={"attempts": attempts, "usage": used})}
    )


#: Three rounds that somebody rejected, and the record that says how they ended: it counts their attempts once more.
REJECTED = [a_record(1, 1), a_record(1, 1), a_record(1, 1), a_record(3, 0)]


@pytest.mark.parametrize(
    ("steps", "attempts"),
    [
        (REJECTED, 3),
        ([a_record(2, 2)], 2),
        ([a_record(2, 2), a_record(1, 1)], 3),  # the run was resumed
        ([a_record(0, 0)], 0),  # it was not begun
    ],
)
def test_attempts_are_counted_once(steps: list[StepRecord], attempts: int) -> None:
    assert attempts_of(steps) == attempts


def test_usage_is_that_of_all_rounds() -> None:
    console = Console(file=StringIO(), width=200)
    show_agent(console, REJECTED, (), AgentVoice((), None, "", ()), "outputs")
    shown = console.file.getvalue() if isinstance(console.file, StringIO) else ""

    assert "3 calls, 3.0 s" in shown
