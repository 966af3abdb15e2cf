"""Which tasks a sample has: spread evenly, the same each time, and nothing that cannot be undone (V6)."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.graph import TaskSpec
from echelon.model.plan import Plan
from echelon.model.terms import OpenPhase
from echelon.planning.planner import plan
from echelon.planning.sample import NOTHING_TO_USE, held_back, sample_of, spread
from tests.unit.planning.building import chained, graph, labelled, needing, uses


def planned(tasks: Sequence[TaskSpec], *order: str) -> Plan:
    return plan(graph(tasks), phase_order=order, agents_fixed=True)


def wide(**domains: int) -> list[TaskSpec]:
    """Return a phase with so many tasks in each domain."""
    return [
        TaskSpec(id=f"{domain}{n}", goal="look", phase="look", domain=domain)
        for domain, number in domains.items()
        for n in range(number)
    ]


@pytest.mark.parametrize(
    ("items", "taken"),
    [
        ("", ""),
        ("a", "a"),
        ("ab", "ba"),
        ("abc", "bac"),
        ("abcdefg", "dafcgeb"),
        ("abcdefgh", "eafchbgd"),
    ],
)
def test_the_middle_is_taken_first_and_then_what_lies_far_from_those_before(items: str, taken: str) -> None:
    assert "".join(spread(items)) == taken


@pytest.mark.parametrize(
    ("items", "by_domain"),
    [
        (1, {"b": 1}),  # of three domains the one in the middle
        (3, {"a": 1, "b": 1, "c": 1}),
        (6, {"a": 2, "b": 2, "c": 2}),
        (9, {"a": 5, "b": 2, "c": 2}),  # the small ones have no more than two
        (12, {"a": 8, "b": 2, "c": 2}),
    ],
)
def test_a_wide_phase_is_sampled_evenly_over_its_domains(items: int, by_domain: dict[str, int]) -> None:
    tasks = wide(a=30, b=2, c=2)
    chosen = sample_of(planned(tasks), items, {}).chosen["look"]

    assert Counter(task[0] for task in chosen) == by_domain


def test_a_phase_that_is_not_wide_is_done_as_a_whole() -> None:
    found = sample_of(planned(needing(20, 3), "make", "use"), 5, {})

    assert (len(found.chosen["make"]), found.chosen["use"]) == (5, ("c0", "c1", "c2"))
    assert set(found.left_out.values()) == {"only a sample of 5 was asked for"}
    assert len(found.left_out) == 15


def test_tasks_that_use_tasks_are_those_whose_producers_are_in_the_sample() -> None:
    rows = [f"{part}{n}" for n in range(6) for part in "ab"]
    tasks = [
        TaskSpec(id=row, goal="do", phase=row[0], depends_on=uses(f"a{row[1]}") if row[0] == "b" else ())
        for row in rows
    ]
    found = sample_of(planned(tasks, "a", "b"), 2, {})

    assert [task[1] for task in found.chosen["a"]] == [task[1] for task in found.chosen["b"]]
    assert Counter(found.left_out[f"b{n}"] for n in range(6) if f"b{n}" in found.left_out) == {NOTHING_TO_USE: 4}


def test_who_joins_many_is_done_with_those_that_are_there() -> None:
    tasks = chained(*(f"t{n}" for n in range(9)), "join: " + " ".join(f"t{n}" for n in range(9)))
    found = sample_of(planned(tasks), 3, {})

    assert [len(phase) for phase in found.chosen.values()] == [3, 1]
    assert "join" not in found.left_out


def test_what_cannot_be_undone_is_held_back_and_whatever_needs_it() -> None:
    tasks = [
        TaskSpec(id="make", goal="make", phase="make"),
        TaskSpec(id="send", goal="send", phase="send", needs=("make",), irreversible=True),
        TaskSpec(id="tell", goal="tell", phase="tell", needs=("send",)),
        TaskSpec(id="aside", goal="tell", phase="aside", needs=("make",)),
    ]
    made = planned(tasks, "make", "send", "tell", "aside")
    held = held_back(made)

    assert held == {
        "send": "what it does cannot be undone, and is never done in a sample",
        "tell": "it needs phase 'send', which is not begun in a sample",
    }
    found = sample_of(made, 5, held)
    assert found.left_out == {"send": held["send"], "tell": held["tell"]}
    assert found.chosen == {"make": ("make",), "send": (), "tell": (), "aside": ("aside",)}


def test_a_phase_that_is_not_planned_yet_is_held_back_too() -> None:
    made = planned([TaskSpec(id="make", goal="make", phase="make")], "make")
    send = OpenPhase(phase="send", after=("make",), finder="find", agent="send", irreversible=True)
    tell = OpenPhase(phase="tell", after=("send",), finder="find", agent="tell")
    held = held_back(made.model_copy(update={"open": (send, tell)}))

    assert list(held) == ["send", "tell"]


@given(st.lists(st.sampled_from(("a", "b.x", "b.y", None)), min_size=1, max_size=60), st.integers(1, 20))
def test_a_larger_sample_holds_the_smaller_one(labels: list[str | None], items: int) -> None:
    made = plan(graph(labelled(labels)))
    small, large = (sample_of(made, number, {}) for number in (items, items + 3))

    for phase, chosen in small.chosen.items():
        assert set(chosen) <= set(large.chosen[phase])
    done = [task for chosen in small.chosen.values() for task in chosen]
    assert sorted([*done, *small.left_out]) == sorted(task.id for task in made.tasks)
    assert small == sample_of(made, items, {})
