from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.planning.schedule.colouring import Steps
from echelon.planning.schedule.slots import fewest_slots

Graph = tuple[list[list[int]], list[list[str]], list[int]]


def placed(before: list[list[int]], touches: list[list[str]], steps: int = 60_000) -> list[int]:
    return fewest_slots(before, touches, [1] * len(before), Steps(steps))


def holds(graph: Graph, slots: list[int]) -> bool:
    before, touches, widths = graph
    ordered = all(slots[i] >= slots[j] + widths[j] for i, used in enumerate(before) for j in used)
    return ordered and all(
        slots[a] != slots[b] or not set(touches[a]) & set(touches[b]) for a, b in combinations(range(len(slots)), 2)
    )


def fewest_of_all(graph: Graph) -> int:
    """Try all placements."""
    before, touches, widths = graph

    def possible(slots: list[int], end: int) -> bool:
        item = len(slots)
        if item == len(before):
            return True
        first = max((slots[j] + widths[j] for j in before[item]), default=0)
        return any(
            possible([*slots, slot], end)
            for slot in range(first, end - widths[item] + 1)
            if all(slots[j] != slot or not set(touches[item]) & set(touches[j]) for j in range(item))
        )

    return next(end for end in range(len(before) + 1) if possible([], end))


@st.composite
def graphs(draw: st.DrawFn, most: int = 6) -> Graph:
    n = draw(st.integers(1, most))
    before = [sorted(draw(st.sets(st.integers(0, i - 1), max_size=2))) if i else [] for i in range(n)]
    widths = draw(st.lists(st.sampled_from((1, 1, 1, 0)), min_size=n, max_size=n))
    things = st.lists(st.sampled_from("pqrst"), max_size=3)
    return before, [draw(things) if width else [] for width in widths], widths


@given(graphs())
def test_order_and_rivalry_are_kept_in_as_few_slots_as_trying_everything_finds(graph: Graph):
    slots = fewest_slots(*graph, Steps(60_000))

    assert holds(graph, slots)
    assert max(slot + width for slot, width in zip(slots, graph[2], strict=True)) == fewest_of_all(graph)


@given(graphs(most=40), st.sampled_from((0, 10, 60_000)))
def test_every_item_stands_as_early_as_the_others_leave_it_room(graph: Graph, steps: int):
    """Nothing waits without a reason: each slot in front of an item has a rival in it, or is too early (D4)."""
    before, touches, widths = graph
    slots = fewest_slots(before, touches, widths, Steps(steps))

    assert holds(graph, slots)
    for item, slot in enumerate(slots):
        first = max((slots[j] + widths[j] for j in before[item]), default=0)
        busy = {slots[j] for j in range(len(slots)) if j != item and set(touches[item]) & set(touches[j])}

        assert set(range(first, slot)) <= busy


def test_no_items_need_no_slots():
    assert placed([], []) == []


def test_items_that_nobody_contests_stand_where_the_order_puts_them():
    assert placed([[], [0], [], [1, 2]], [["x"], [], ["y"], ["z", "z"]]) == [0, 1, 0, 2]


def test_an_order_is_chosen_that_lets_the_longest_chain_start_first():
    # 0 and 1 rival each other, and 1 leads a chain of three: as they come, 0 first, it would take four slots.
    assert placed([[], [], [1], [2]], [["x"], ["x"], [], []]) == [1, 0, 1, 2]


def test_what_follows_a_moved_item_moves_along():
    assert placed([[], [], [1], [2], [0]], [["x"], ["x"], [], [], []]) == [1, 0, 1, 2, 2]


def crown(n: int) -> list[list[str]]:
    """Items of two sides, in turns; each rivals all of the other side but its partner."""
    return [
        [f"{min(i, j)}-{max(i, j)}" for j in range(2 * n) if (i + j) % 2 and i // 2 != j // 2] for i in range(2 * n)
    ]


@pytest.mark.parametrize("n", [3, 30, 100], ids="D4 {} pairs".format)
def test_two_sides_that_rival_each_other_take_two_slots(n: int):
    """Taken as they come, each pair would get a slot of its own."""
    assert placed([[]] * 2 * n, crown(n)) == [0, 1] * n


def test_the_search_finds_what_the_rules_do_not():
    size = 6
    squares = list(range(size * size))
    lines = [
        [square for square in squares if key(square // size, square % size) == line]
        for key in (lambda r, _: r, lambda _, c: c, lambda r, c: r + c, lambda r, c: r - c)
        for line in range(-size, 2 * size)
    ]
    touches = [[f"line{i}" for i, line in enumerate(lines) if square in line] for square in squares]

    assert max(placed([[]] * len(squares), touches, steps=0)) + 1 > 7
    assert max(placed([[]] * len(squares), touches)) + 1 == 7


def test_moving_items_to_and_fro_saves_a_slot_without_any_search():
    before = [[], [], [0], [1], []]
    touches = [["p", "q"], ["q"], [], ["s"], ["q", "s"]]

    assert max(placed(before, touches, steps=0)) + 1 == 3


def test_parts_too_large_for_the_search_are_still_placed_in_few_slots():
    draw = Random(3)
    pairs = [pair for pair in combinations(range(200), 2) if draw.random() < 0.1]
    touches = [[f"{a}-{b}" for a, b in pairs if item in {a, b}] for item in range(200)]
    slots = placed([[]] * 200, touches)

    assert holds(([[]] * 200, touches, [1] * 200), slots)
    assert max(slots) + 1 <= 9  # as they come, it would take 11


def test_many_parts_share_the_steps_of_the_search():
    """Each part may use half of what is left, so later ones are still solved exactly."""
    ring = [[f"{i}-{(i + 1) % 5}", f"{(i - 1) % 5}-{i}"] for i in range(5)]
    hard = [[f"h{a}-{b}" for b in range(60) for a in [i] if a < b and (a * b) % 7 < 3] for i in range(60)]
    for i, names in enumerate(hard):
        names += [f"h{a}-{i}" for a in range(i) if (a * i) % 7 < 3]
    touches = [*hard, *([f"r{n}:{name}" for name in names] for n in range(20) for names in ring)]
    slots = placed([[]] * len(touches), touches)

    assert all(max(slots[60 + 5 * n : 65 + 5 * n]) >= 2 for n in range(20))
    assert holds(([[]] * len(touches), touches, [1] * len(touches)), slots)


@pytest.mark.parametrize("n", [1, 500, 2000], ids="D4 {} tasks".format)
def test_a_thing_that_everybody_touches_puts_them_in_the_order_given(n: int):
    assert placed([[]] * n, [["x"]] * n) == list(range(n))


def test_large_graphs_are_placed_without_listing_every_pair():
    draw = Random(1)
    touches = [draw.sample("abcdefghij", 2) for _ in range(6000)]
    before = [[draw.randrange(i)] if i % 3 == 0 and i else [] for i in range(6000)]
    slots = placed(before, touches)
    load = max(sum(thing in names for names in touches) for thing in "abcdefghij")

    assert all(slots[i] > slots[j] for i, used in enumerate(before) for j in used)
    assert len({(slot, thing) for slot, names in zip(slots, touches, strict=True) for thing in names}) == 12_000
    assert max(slots) + 1 < 1.2 * load


def test_the_same_graph_is_always_placed_alike():
    draw = Random(2)
    touches = [[f"x{draw.randrange(30)}" for _ in range(3)] for _ in range(120)]
    before = [[draw.randrange(i)] if i % 2 else [] for i in range(120)]

    assert placed(before, touches) == placed(before, touches)
