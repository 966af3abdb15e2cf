"""What people are shown: whatever happened, nothing is counted twice and nothing is lost."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.model.handoff import OutputReference
from echelon.model.plan import Plan
from echelon.model.run import StepKind
from echelon.runlog.events import RunEvent
from echelon.runlog.losses import is_lost
from echelon.runlog.sampling import held_phases, left_out
from echelon.runlog.state import RunState, StepName, fold
from echelon.runlog.view import view_of
from echelon.testing.run_events import plan_extended
from tests.unit.runlog.logs import lives, logs, plans

#: A log is large to draw.
few = settings(max_examples=40, deadline=None)


def read(_reference: OutputReference) -> Any:
    return "an output"


def planned(state: RunState) -> set[StepName]:
    """Return what is to be done: nothing that is not wanted (X12) or was stopped (X3), and of a sample a part."""
    phases = state.plan.phases if state.plan else ()
    skipped = {name for name, stands in state.phases.items() if stands.skipped} | held_phases(state)
    wanted, out = [phase for phase in phases if phase.name not in skipped], {*left_out(state), *state.sync.stopped}
    return {StepName(StepKind.TASK, phase.name, task) for phase in wanted for task in phase.tasks if task not in out}


@few
@given(st.one_of(logs(), lives()), plans())
def test_launched_returned_missing_is_always_counted(log: list[RunEvent], plan: Plan) -> None:
    for events in (log, [*log, plan_extended(plan)]):
        state = fold(events)
        view = view_of(state, read)

        assert view.launched == view.returned + len(view.missing)
        assert 0 <= view.returned <= view.launched
        assert view.launched >= len(planned(state))


@few
@given(st.one_of(logs(), lives()), plans())
def test_what_returned_is_what_was_delivered_whole(log: list[RunEvent], plan: Plan) -> None:
    """Counted another way: step by step."""
    state = fold([*log, plan_extended(plan)])
    tasks = {task.id for task in plan.tasks}
    kept = {
        name: step
        for name, step in state.latest.items()
        if (name.task_id in tasks if name.kind is StepKind.TASK else step.node in plan.nodes)
    }
    view = view_of(state, read)

    assert view.returned == sum(not is_lost(step.handoff) for step in kept.values())
    assert len(view.missing) == sum(is_lost(step.handoff) for step in kept.values()) + len(planned(state) - kept.keys())


@few
@given(st.one_of(logs(), lives()), st.data())
def test_a_view_is_the_same_wherever_the_log_was_cut(log: list[RunEvent], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(log)))

    assert view_of(fold(log[cut:], fold(log[:cut])), read) == view_of(fold(log), read)


@few
@given(st.one_of(logs(), lives()))
def test_the_phases_of_a_view_are_those_of_the_plan_and_add_up(log: list[RunEvent]) -> None:
    state = fold(log)
    view = view_of(state, read)

    assert [phase.name for phase in view.phases] == [phase.name for phase in (state.plan.phases if state.plan else ())]
    assert sum(wait.steps for wait in view.waits) == len(state.waits)
    assert len(view.at_work) == len(state.at_work)
    assert view.concerns == tuple(state.concerns.values())
