"""Gates are shown in the same order each time."""

from echelon.visibility.gates import by_run
from tests.unit.engine.asking.gates import a_gate, an_action


def test_gates_stand_run_by_run_and_by_task_in_each() -> None:
    raised = [
        a_gate("g1", run_id="late", action=an_action(task_id="send/b")),
        a_gate("g2", run_id="early", action=an_action(task_id="send/c")),
        a_gate("g3", run_id="late", action=an_action(task_id="send/a")),
    ]

    assert [gate.id for gate in by_run(raised)] == ["g3", "g1", "g2"]
