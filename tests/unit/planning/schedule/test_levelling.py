from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.graph import TaskSpec
from echelon.model.oversight.terms import Gate
from echelon.planning.phases import assign_phases
from echelon.planning.planner import plan
from echelon.planning.schedule.levelling import levelled
from echelon.planning.schedule.makespan import durations
from echelon.planning.schedule.order import producers_of
from tests.unit.planning.building import chained, graph


def timed(seconds: dict[str, float], *links: str) -> list[TaskSpec]:
    return [task.model_copy(update={"seconds": seconds[task.id]}) for task in chained(*links)]


def levels(tasks: list[TaskSpec], width: int | None = None) -> list[set[str]]:
    return [set(phase.tasks) for phase in levelled(tasks, assign_phases(tasks), durations(tasks), width)]


def takes(tasks: list[TaskSpec], places: dict[str, int]) -> float:
    return sum(max(t.seconds or 0 for t in tasks if places[t.id] == place) for place in set(places.values()))


def test_a_long_task_that_can_wait_stands_beside_another_long_one():
    # At the earliest: a and slow (10 s), then b (10 s). With slow beside b: 1 s, then 10 s.
    assert levels(timed({"a": 1, "slow": 10, "b": 10}, "a", "slow", "b: a")) == [{"a"}, {"slow", "b"}]


def test_nothing_waits_without_a_gain():
    assert levels(timed({"a": 10, "quick": 1, "b": 10}, "a", "quick", "b: a")) == [{"a", "quick"}, {"b"}]


def test_producers_are_made_to_wait_with_their_consumers():
    # slow can only move behind a when its consumer moves first.
    tasks = timed({"a": 1, "slow": 9, "use": 1, "b": 9, "c": 1}, "a", "slow", "use: slow", "b: a", "c: b")

    assert levels(tasks) == [{"a"}, {"slow", "b"}, {"use", "c"}]


def test_work_that_fills_all_places_is_not_put_on_top():
    # With two at a time, the second phase is full with b and c.
    tasks = timed({"a": 1, "slow": 10, "b": 10, "c": 10}, "a", "slow", "b: a", "c: a")

    assert levels(tasks, width=2) == [{"a", "slow"}, {"b", "c"}]


@pytest.mark.parametrize(
    "why",
    [{"phase": "declared"}, {"touches": ("db",)}, {"irreversible": True}, {"gate": Gate()}, {"seconds": None}],
    ids=str,
)
def test_what_was_decided_otherwise_is_left_alone(why: dict):
    tasks = [task.model_copy(update=why) for task in timed({"a": 1, "slow": 10, "b": 10}, "a", "slow", "b: a")]
    phases = assign_phases(tasks)

    assert levelled(tasks, phases, durations(tasks), None) == phases


def test_a_hub_is_handed_on_at_the_sync_point_of_the_phase_it_moves_to():
    seconds = {"a": 1.0, "b": 10.0, "hub": 10.0} | {f"c{i}": 1.0 for i in range(20)}
    tasks = timed(seconds, "a", "b: a", "hub", *(f"c{i}: hub b" for i in range(20)))
    phases = assign_phases(tasks)

    assert [phase.sync.hubs for phase in phases] == [("hub",), ("b",), ()]
    assert [phase.sync.hubs for phase in levelled(tasks, phases, seconds, None)] == [(), ("b", "hub"), ()]


def test_the_plan_says_why_a_task_waits():
    made = plan(graph(tuple(timed({"a": 1, "slow": 10, "b": 10, "c": 1}, "a", "slow", "b: a", "c: a"))))

    assert [phase.tasks for phase in made.phases] == [("a",), ("slow", "b", "c")]
    assert any("long tasks moved beside other long ones" in reason.text for reason in made.reasons)


def test_the_longest_task_of_a_phase_moves_forward_where_that_is_a_gain():
    """Without it the phases take 1 + 2 + 5 s: b would make the first phase longer, but its own shorter by more."""
    seconds = {"a": 1.0, "b": 2.0, "c": 0.0, "slow": 5.0, "d": 4.0, "e": 0.0}
    tasks = timed(seconds, "a", "b", "c: a", "slow", "d: a", "e: b c")

    assert takes(tasks, {task: n for n, phase in enumerate(levels(tasks)) for task in phase}) == 7


@given(st.lists(st.tuples(st.sets(st.integers(0, 8), max_size=2), st.integers(0, 9)), min_size=1, max_size=9))
def test_order_is_kept_and_the_whole_is_never_longer(drawn: list[tuple[set[int], int]]):
    links = [f"t{i}: {' '.join(f't{p}' for p in used if p < i)}" for i, (used, _) in enumerate(drawn)]
    tasks = timed({f"t{i}": float(s) for i, (_, s) in enumerate(drawn)}, *links)
    before = {task: n for n, phase in enumerate(assign_phases(tasks)) for task in phase.tasks}
    after = {task: n for n, phase in enumerate(levels(tasks)) for task in phase}

    assert after.keys() == before.keys()
    assert all(after[used] < after[task.id] for task in tasks for used in producers_of(task))
    assert takes(tasks, after) <= takes(tasks, before)
    for task, earlier in product(tasks, range(max(after.values()) + 1)):  # D4: nothing waits without a reason
        first = max((after[used] for used in producers_of(task)), default=-1) + 1
        if first <= earlier < after[task.id] and after != before:
            assert takes(tasks, after | {task.id: earlier}) >= takes(tasks, after)
