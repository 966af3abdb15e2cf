"""What is said of an agent that has ended nothing: why, as far as the run knows it."""

import pytest

from echelon.model.errors import InvalidInput
from echelon.model.handoff import Missing
from echelon.model.run import RunView
from echelon.model.sync.seen import SyncSeen
from echelon.visibility.document import steps_of
from tests.unit.visibility.evidence import a_run, planned, step, tasks

THREE = planned(tasks(3))
BEGUN = a_run([step("work/t0", THREE)], made=THREE)
STOPPED = BEGUN.model_copy(update={"sync": SyncSeen(stopped={"work/t2": "enough says that it is enough"})})
LOST = BEGUN.model_copy(
    update={"missing": (Missing(task_id="work/t2", producer="work/t2", reason="cannot run without work/t1"),)}
)


@pytest.mark.parametrize(
    ("view", "why"),
    [
        (BEGUN, "not begun"),
        (STOPPED, "it was not begun, since enough says that it is enough"),
        (LOST, "cannot run without work/t1"),
    ],
)
def test_it_is_said_why_there_is_nothing(view: RunView, why: str) -> None:
    with pytest.raises(InvalidInput, match=f"'work/t2' has not finished anything in run 'r': {why}$"):
        steps_of("work/t2", view)
