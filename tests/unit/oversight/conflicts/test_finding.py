"""Conflicts between outputs, and whose they are to decide (X9)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.contract.claims import FieldClaim
from echelon.journal.digest import digest_of
from echelon.model.plan import Node, NodeKind, Plan
from echelon.oversight.conflicts.claimed import Claimed
from echelon.oversight.conflicts.finding import Statement, find_conflicts, nearest_owner
from echelon.testing.judging_events import conflict, settled
from echelon.testing.run_events import small_plan


def states(task: str, overruled: tuple[str, ...] = (), /, **says: dict[str, Any]) -> Statement:
    claims = [
        FieldClaim(subject, field, digest_of(said), said)
        for subject, fields in says.items()
        for field, said in fields.items()
    ]
    return Statement(task, f"agent-{task}", f"version of {task}", 1.0, claims, overruled)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([states("a", x={"f": 1}), states("b", x={"f": 1})], []),
        ([states("a", x={"f": 1}), states("b", y={"f": 2})], []),
        ([states("a", x={"f": 1}), states("b", x={"g": 2})], []),  # of another field nothing is said
        ([states("a", x={"f": 1}), states("b", x={"f": 2})], [("x", [("a",), ("b",)])]),
        (
            [states("a", x={"f": 1}), states("b", x={"f": 2}), states("c", x={"f": 1})],
            [("x", [("a", "c"), ("b",)])],
        ),
        ([states("a", x={"f": 1}), states("b", x={"f": 2}), states("c", x={"g": 5})], [("x", [("a",), ("b",)])]),
        ([states("a", x={"f": 1}), states("b", ("x",), x={"f": 2})], []),  # decided before
        (
            [states("a", x={"f": 1}, y={"f": 1}), states("b", x={"f": 2}, y={"f": 3})],
            [("x", [("a",), ("b",)]), ("y", [("a",), ("b",)])],
        ),
    ],
)
def test_which_outputs_contradict_each_other(
    statements: list[Statement], expected: list[tuple[str, list[tuple[str, ...]]]]
) -> None:
    found = find_conflicts("inspect", statements)

    assert [(one.subject, [side.tasks for side in one.sides]) for one in found] == expected


def test_a_side_has_what_it_says_where_sides_differ_and_nothing_else() -> None:
    (found,) = find_conflicts("p", [states("a", x={"f": 1, "g": 2}), states("b", x={"f": 3, "g": 2})])

    assert [side.says for side in found.sides] == [{"f": 1}, {"f": 3}]
    assert (found.side("b"), found.side("nobody")) == (found.sides[1], None)


THREE = [states("a", x={"f": 1}), states("b", x={"g": 1}), states("c", x={"f": 2, "g": 2})]


@pytest.mark.parametrize(
    ("statements", "chosen", "lost"),
    [
        (THREE, "a", ["c"]),  # b says nothing of what a says, and stands
        (THREE, "b", ["c"]),
        (THREE, "c", ["a", "b"]),
        # b and d contradict each other still, though neither contradicts a: nothing but a counts
        ([*THREE, states("d", x={"f": 1, "g": 3})], "a", ["b", "c", "d"]),
        ([states("a", x={"f": "y" * 5_000}), states("b", x={"f": "y" * 5_001})], "a", ["b"]),
        (THREE, "", []),
    ],
)
def test_what_does_not_count_is_what_contradicts_the_side_that_does(
    statements: list[Statement], chosen: str, lost: list[str]
) -> None:
    (found,) = find_conflicts("p", statements)
    record = conflict().model_copy(update={"conflict": found, "settled": settled(chosen)})

    assert [side.name for side in record.lost] == lost


def test_classes_of_one_name_speak_of_different_things() -> None:
    one, other = (FieldClaim("Risk:a", "level", str(level), level, f"{level}.Risk") for level in (1, 2))
    statements = [Statement(name, name, name, 1.0, [claim]) for name, claim in (("a", one), ("b", other))]
    claimed = Claimed()

    assert find_conflicts("p", statements) == ()
    assert [claimed.add([statement]) for statement in statements] == [False, False]


def test_a_long_text_is_cut() -> None:
    (found,) = find_conflicts("p", [states("a", x={"f": "y" * 5_000}), states("b", x={"f": ["z" * 5_000]})])

    assert [len(side.says["f"]) for side in found.sides] == [2_000, 2_000]


tables = st.dictionaries(st.sampled_from("xyz"), st.dictionaries(st.sampled_from("fg"), st.integers(0, 2)))


@given(st.lists(tables, max_size=5))
def test_every_difference_is_found_and_nothing_else(said: list[dict[str, dict[str, int]]]) -> None:
    statements = [states(f"t{number}", (), **one) for number, one in enumerate(said)]
    differing = {
        subject
        for subject in "xyz"
        for field in "fg"
        if len({one[subject][field] for one in said if field in one.get(subject, {})}) > 1
    }

    found = find_conflicts("p", statements)

    assert {one.subject for one in found} == differing
    assert all(len(tasks) == len(set(tasks)) for one in found for tasks in [[t for s in one.sides for t in s.tasks]])


def a_tree() -> Plan:
    """Two domains below the primary; the first has two teams."""

    def agents(*names: str, parent: str) -> list[Node]:
        return [Node(id=name, kind=NodeKind.AGENT, parent=parent) for name in names]

    tree = (
        Node(id="primary", kind=NodeKind.PRIMARY, parent=None),
        Node(id="north", kind=NodeKind.DOMAIN, parent="primary"),
        Node(id="south", kind=NodeKind.DOMAIN, parent="primary"),
        Node(id="team-1", kind=NodeKind.TEAM, parent="north"),
        Node(id="team-2", kind=NodeKind.TEAM, parent="north"),
        *agents("a", "b", parent="team-1"),
        *agents("c", parent="team-2"),
        *agents("d", parent="south"),
    )
    return small_plan().model_copy(update={"tree": tree})


@pytest.mark.parametrize(
    ("producers", "owner"),
    [
        (["a", "b"], "team-1"),
        (["a", "c"], "north"),
        (["a", "b", "d"], "primary"),
        (["team-1", "team-2"], "north"),  # what integrated is decided about by who gets it
        (["team-1", "south"], "primary"),
        (["d", "nobody"], "south"),
        (["primary"], "primary"),
    ],
)
def test_the_nearest_common_owner_decides(producers: list[str], owner: str) -> None:
    assert nearest_owner(a_tree(), producers).id == owner
