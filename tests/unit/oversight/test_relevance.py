"""Which open concerns are about a step: found once for all that use the same, and never out of date (O2)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from echelon.model.handoff import UsedDependency
from echelon.model.run import StepRecord
from echelon.oversight.relevance import Lineage, concerns_about
from echelon.runlog.events import ConcernRaised, PhaseEnded, PhaseStarted, RunEvent, StepEnded
from echelon.runlog.state import RunState, fold
from echelon.testing.run_events import step_record
from tests.unit.oversight.building import NOON, raised

#: Phases, each with what its tasks use of the one before it.
PHASES = ("one", "two", "three")


def done(task: str, used: Sequence[str] = ()) -> StepEnded:
    """The end of a task that used others; the phase is the first part of its name."""
    record = step_record(task)
    dependencies = tuple(UsedDependency(task_id=one, version="v") for one in used)
    handoff = record.handoff.model_copy(update={"dependencies": dependencies})
    ended: StepRecord = record.model_copy(update={"handoff": handoff, "phase": task.partition("/")[0]})
    return StepEnded(run_id="r1", at=NOON, record=ended)


def begun(phase: str, minutes: int = 0) -> PhaseStarted:
    return PhaseStarted(run_id="r1", at=NOON + timedelta(minutes=minutes), phase=phase, expected=1)


def over(phase: str) -> PhaseEnded:
    return PhaseEnded(run_id="r1", at=NOON, phase=phase)


def about(task: str) -> ConcernRaised:
    return ConcernRaised(run_id="r1", at=NOON, record=raised(task_id=task, source=task, about="elsewhere"))


def told(state: RunState, lineage: Lineage, used: Sequence[str], task: str = "three/x") -> list[str]:
    return [one.task_id for one in concerns_about(state, task, "node", used, lineage)]


CHAIN: tuple[RunEvent, ...] = (
    begun("one"),
    done("one/a"),
    done("one/b"),
    over("one"),
    begun("two"),
    done("two/a", ["one/a"]),
    over("two"),
)


def test_a_step_is_told_what_is_open_of_what_it_uses_directly_or_not() -> None:
    state = fold([*CHAIN, about("one/a"), about("one/b"), about("three/x"), about("three/y")])

    assert told(state, Lineage(), ["two/a"]) == ["one/a", "three/x"]
    assert told(state, Lineage(), []) == ["three/x"]


def test_a_concern_that_is_raised_later_is_told_too() -> None:
    lineage, state = Lineage(), fold([*CHAIN, about("one/b")])
    before = told(state, lineage, ["two/a"])
    state = state.apply(about("one/a"))

    assert (before, told(state, lineage, ["two/a"])) == ([], ["one/a"])


def test_what_was_made_from_something_else_since_is_looked_at_again() -> None:
    lineage, state = Lineage(), fold([*CHAIN, about("one/b")])
    before = told(state, lineage, ["two/a"])
    state = state.apply(begun("two", minutes=1), done("two/a", ["one/b"]), over("two"))

    assert (before, told(state, lineage, ["two/a"])) == ([], ["one/b"])


def test_of_a_phase_at_work_nothing_is_taken_for_final() -> None:
    lineage, state = Lineage(), fold([*CHAIN[:-1], about("one/b")])
    before = told(state, lineage, ["two/a"])
    state = state.apply(done("two/a", ["one/b"]))

    assert (before, told(state, lineage, ["two/a"])) == ([], ["one/b"])


NAMES = [f"{phase}/{task}" for phase in PHASES for task in "ab"]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=3)).map(lambda one: done(*one)),
            st.sampled_from(PHASES).map(over),
            st.tuples(st.sampled_from(PHASES), st.integers(0, 9)).map(lambda one: begun(*one)),
        ),
        max_size=20,
    ),
    st.lists(st.sampled_from(NAMES), max_size=2),
)
def test_who_asks_all_along_is_told_the_same_as_who_asks_once(events: Sequence[RunEvent], used: list[str]) -> None:
    """Results of a phase that has ended change when it begins again only: that is what is relied on."""
    lineage, state, running = Lineage(), fold(map(about, NAMES)), set[str]()
    for event in events:
        if isinstance(event, PhaseStarted):
            running.add(event.phase)
        if isinstance(event, PhaseEnded):
            running.discard(event.phase)
        if isinstance(event, StepEnded) and event.record.phase not in running:
            continue
        state = state.apply(event)

        assert told(state, lineage, used) == told(state, Lineage(), used) == expected(state, used)


def expected(state: RunState, used: Sequence[str]) -> list[str]:
    """Work it out again, in the plainest way."""
    before: Mapping[str, list[str]] = {
        name.task_id: [one.task_id for one in step.handoff.dependencies] for name, step in state.latest.items()
    }
    names = {"three/x", *used}
    while more := {one for name in names for one in before.get(name, ())} - names:
        names |= more
    return [one.task_id for one in state.concerns.values() if one.task_id in names]
