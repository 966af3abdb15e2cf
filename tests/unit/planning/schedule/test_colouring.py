from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.planning.schedule.colouring import Puzzle, Steps, clique, dsatur, fit, rivals_within

Edges = set[tuple[int, int]]


def puzzle(n: int, edges: Edges, order: dict[tuple[int, int], int] | None = None, tails: list[int] | None = None):
    followers = [[(other, apart) for (one, other), apart in (order or {}).items() if one == item] for item in range(n)]
    return Puzzle(rivals_within(n, edges), followers, [0] * n, tails or [1] * n)


def chromatic_number(n: int, edges: Edges) -> int:
    """Try every colouring; which colour comes first does not matter."""
    ways: list[tuple[int, ...]] = [()]
    for item in range(n):
        rivals = {a + b - item for a, b in edges if item in {a, b} and a + b - item < item}
        ways = [
            (*way, colour)
            for way in ways
            for colour in range(max(way, default=-1) + 2)
            if all(way[rival] != colour for rival in rivals)
        ]
    return min(max(way) + 1 for way in ways)


def ring(n: int) -> Edges:
    return {(i, (i + 1) % n) for i in range(n)}


def mycielski(n: int, edges: Edges) -> tuple[int, Edges]:
    """Build a graph that needs one colour more, without any new triangle."""
    copies = {(a, n + b) for a, b in edges} | {(b, n + a) for a, b in edges}
    return 2 * n + 1, edges | copies | {(n + i, 2 * n) for i in range(n)}


def queens(size: int) -> Edges:
    """Squares of a board from which queens attack each other."""
    return {
        (a, b)
        for a, b in combinations(range(size * size), 2)
        if a % size == b % size or abs(a // size - b // size) in {0, abs(a % size - b % size)}
    }


KNOWN = {
    "D4 pair": (2, {(0, 1)}, 2),
    "D4 ring of 6": (6, ring(6), 2),
    "D4 ring of 7": (7, ring(7), 3),
    "D4 all of 9": (9, set(combinations(range(9), 2)), 9),
    "D4 no triangle, 4 colours": (*mycielski(5, ring(5)), 4),
    "D4 no triangle, 5 colours": (*mycielski(*mycielski(5, ring(5))), 5),
    "D4 5 queens": (25, queens(5), 5),
    "D4 6 queens": (36, queens(6), 7),
}


@pytest.mark.parametrize(("n", "edges", "colours"), KNOWN.values(), ids=KNOWN.keys())
def test_known_graphs_fit_into_as_many_slots_as_they_have_colours_and_no_fewer(n: int, edges: Edges, colours: int):
    slots = fit(puzzle(n, edges), colours, Steps(60_000))

    assert slots is not None
    assert set(slots) <= set(range(colours))
    assert all(slots[a] != slots[b] for a, b in edges)
    assert fit(puzzle(n, edges), colours - 1, spare := Steps(60_000)) is None
    assert spare.left, "it must have looked at everything, not have given up"


def test_a_search_that_runs_out_of_steps_finds_nothing():
    steps = Steps(10)

    assert fit(puzzle(25, queens(5)), 5, steps) is None
    assert steps.left == 0


def test_followers_come_later_by_as_many_slots_as_asked():
    order = {(0, 1): 2, (1, 2): 1, (0, 2): 3}

    assert fit(puzzle(3, set(), order), 4, Steps(100)) == [0, 2, 3]
    assert fit(puzzle(3, set(), order), 3, Steps(100)) is None


def test_followers_and_rivals_are_kept_apart_at_the_same_time():
    # 3 rivals 1, which can only stand in the middle: 0 and 2 are in front of it and behind it.
    slots = fit(puzzle(4, {(1, 3), (2, 3)}, {(0, 1): 1, (1, 2): 1, (0, 2): 2}), 3, Steps(100))

    assert slots == [0, 1, 2, 0]


def test_a_window_bounds_the_slots_of_an_item():
    assert fit(puzzle(2, {(0, 1)}, tails=[1, 3]), 3, Steps(100)) == [1, 0]
    assert fit(puzzle(2, {(0, 1)}, tails=[3, 3]), 3, Steps(100)) is None
    assert fit(puzzle(1, set(), tails=[3]), 2, Steps(100)) is None


def test_slots_in_front_of_the_first_allowed_one_stay_empty():
    late = puzzle(3, {(0, 1), (1, 2)})._replace(heads=[2, 2, 2])

    assert fit(late, 4, Steps(100)) == [3, 2, 3]


@pytest.mark.parametrize(("n", "edges", "colours"), KNOWN.values(), ids=KNOWN.keys())
def test_dsatur_keeps_rivals_apart_and_each_in_its_first_free_slot(n: int, edges: Edges, colours: int):
    rivals = rivals_within(n, edges)
    slots = dsatur(rivals, [0] * n)

    assert all(slots[a] != slots[b] for a, b in edges)
    assert max(slots) + 1 >= colours
    assert all(set(range(slots[i])) <= {slots[other] for other in rivals[i]} for i in range(n))


@pytest.mark.parametrize("n", [6, 20])
def test_dsatur_needs_two_slots_when_two_are_enough(n: int):
    """On graphs of two sides it is exact, while taking items as they come may need n / 2 slots."""
    crown = {(i, n + j) for i, j in product(range(n), repeat=2) if i != j}

    assert max(dsatur(rivals_within(2 * n, crown), [0] * 2 * n)) == 1


def test_dsatur_keeps_to_the_first_slot_allowed():
    assert dsatur([{1}, {0}, set()], [1, 0, 2]) == [1, 0, 2]


@st.composite
def graphs(draw: st.DrawFn, most: int = 7) -> tuple[int, Edges]:
    n = draw(st.integers(2, most))
    return n, draw(st.sets(st.sampled_from([*combinations(range(n), 2)])))


@given(graphs())
def test_search_dsatur_and_clique_agree_with_trying_everything(graph: tuple[int, Edges]):
    n, edges = graph
    colours = chromatic_number(n, edges)
    rivals = rivals_within(n, edges)

    assert clique(rivals) <= colours <= max(dsatur(rivals, [0] * n)) + 1
    assert fit(puzzle(n, edges), colours, Steps(10_000)) is not None
    assert fit(puzzle(n, edges), colours - 1, Steps(10_000)) is None


@pytest.mark.parametrize(("edges", "size"), [(set(), 1), (ring(5), 2), (ring(3) | {(2, 3), (3, 4)}, 3)])
def test_a_clique_is_a_set_of_mutual_rivals(edges: Edges, size: int):
    assert clique(rivals_within(5, edges)) == size


def test_without_items_there_is_no_clique():
    assert clique([]) == 0
