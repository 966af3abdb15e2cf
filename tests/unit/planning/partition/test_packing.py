from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.planning.partition.packing import Piece, distribute, levels_needed, shared_depth


def pieces_of(*sizes: tuple[str, int]) -> list[Piece]:
    bounds = pairwise(accumulate((size for _, size in sizes), initial=0))
    return [Piece(a, b, tuple(label.split("."))) for (label, _), (a, b) in zip(sizes, bounds, strict=True)]


def sizes_of(groups: list[list[Piece]]) -> list[int]:
    return [sum(piece.size for piece in group) for group in groups]


@pytest.mark.parametrize(
    ("size", "parts", "sizes"), [(7, 2, [4, 3]), (8, 2, [4, 4]), (10, 4, [3, 3, 2, 2]), (3, 3, [1, 1, 1])]
)
def test_a_piece_splits_into_parts_of_like_size(size: int, parts: int, sizes: list[int]):
    assert [part.size for part in Piece(5, 5 + size, ()).split(parts)] == sizes


@pytest.mark.parametrize(
    ("size", "span", "wide", "parts"),
    # 9 agents need 2 teams at span 8; wide takes as many as leave nobody alone, up to the span.
    [
        (8, 8, False, 8),
        (9, 8, False, 2),
        (64, 8, False, 8),
        (65, 8, False, 2),
        (500, 8, False, 8),
        (9, 8, True, 4),
        (30, 8, True, 8),
        (3, 2, True, 2),
        (65, 8, True, 8),
    ],
)
def test_a_piece_unfolds_into_as_few_parts_as_fit(size: int, span: int, wide: bool, parts: int):
    assert len(Piece(0, size, ()).unfold(span, wide=wide)) == parts


@pytest.mark.parametrize(
    ("labels", "span", "levels"),
    # rooms: 8 → 8, 9 → 64, 1 → 1; 8 domains of 8 fill two levels, a ninth asks for a third.
    [([("a", 8)] * 8, 8, 2), ([("a", 8)] * 9, 8, 3), ([("a", 9)], 8, 2), ([("a", 9), ("b", 1)], 8, 3)],
)
def test_levels_needed_follow_from_the_rooms(labels: list[tuple[str, int]], span: int, levels: int):
    assert levels_needed(pieces_of(*labels), span) == levels


def test_pieces_stand_alone_while_there_is_room():
    pieces = pieces_of(("a", 3), ("b", 2))

    assert distribute(pieces, 2) == [[pieces[0]], [pieces[1]]]


def test_groups_follow_the_dots_of_the_labels():
    pieces = pieces_of(("a.x", 2), ("a.y", 2), ("a.z", 2), ("b.x", 2), ("b.y", 2))

    assert [[piece.path[0] for piece in group] for group in distribute(pieces, 4)] == [["a"] * 3, ["b"] * 2]


def test_strangers_are_grouped_evenly():
    pieces = pieces_of(*((f"d{i}", 3) for i in range(20)))

    assert sizes_of(distribute(pieces, 8)) == [21, 18, 21]  # 20 rooms of 8 need 3 groups of 64


def test_wide_groups_take_the_whole_span():
    pieces = pieces_of(*((f"d{i:02}", 3) for i in range(20)))

    assert sorted(sizes_of(distribute(pieces, 8, wide=True))) == [6, 6, 6, 6, 9, 9, 9, 9]


def test_pieces_are_rearranged_when_no_cut_of_their_sequence_fits():
    # Rooms 1 2 1 2 1 1 fill a tree of span 2 and depth 3 exactly; in sequence every cut at half fails.
    pieces = pieces_of(("a", 1), ("b", 2), ("c", 2), ("d", 2), ("e", 1))
    groups = distribute(pieces, 2)

    assert sizes_of(groups) == [4, 4]
    assert sorted(piece for group in groups for piece in group) == pieces


@pytest.mark.parametrize(
    ("left", "right", "depth"), [("a.b", "a.c", 1), ("a.b", "a.b", 2), ("a", "a.b", 1), ("a", "b", 0), ("ab", "a", 0)]
)
def test_shared_depth_counts_whole_parts(left: str, right: str, depth: int):
    assert shared_depth(left.split("."), right.split(".")) == depth


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "a.b", "a.c", "b", "b.x.y", "c"]), st.integers(1, 60)), min_size=1, max_size=60
    ),
    st.integers(2, 12),
    st.booleans(),
)
def test_distributing_loses_nothing_and_never_costs_a_level(labels: list[tuple[str, int]], span: int, wide: bool):
    pieces = pieces_of(*sorted(labels))
    groups = distribute(pieces, span, wide=wide)

    assert sorted(piece for group in groups for piece in group) == pieces
    assert 1 <= len(groups) <= span
    if len(pieces) > 1:
        assert max(levels_needed(group, span) for group in groups) < levels_needed(pieces, span)
