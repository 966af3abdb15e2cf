from itertools import chain, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.model.errors import InvalidInput
from echelon.planning.partition.annealing import Grouping
from echelon.planning.partition.clustering import cluster, pack
from echelon.planning.partition.nets import nets_between
from echelon.planning.partition.orders import depth_first_order, topological_order
from echelon.planning.partition.packing import ceil_div
from echelon.planning.partition.partition import (
    depth_first_chunks,
    fit,
    handoffs_between,
    members_of,
    partition,
    topological_chunks,
)
from tests.unit.planning.linking import Links, acyclic, chain_of, clique_at, links, workflows

quick = settings(deadline=None, max_examples=40)


def group_of(groups: list[list[int]]) -> list[int]:
    found = {task: number for number, group in enumerate(groups) for task in group}
    return [found[task] for task in range(len(found))]


def crossing(consumers: Links, groups: list[list[int]]) -> int:
    return handoffs_between(consumers, group_of(groups))


@quick
@given(acyclic(), st.integers(1, 12), st.integers(0, 5))
def test_every_task_is_in_exactly_one_group_and_both_limits_are_kept(consumers: Links, most: int, spare: int):
    limit = ceil_div(len(consumers), most) + spare
    groups = partition(consumers, most, limit)

    assert sorted(chain.from_iterable(groups)) == list(range(len(consumers)))
    assert all(0 < len(group) <= most for group in groups)
    assert len(groups) <= limit


@quick
@given(acyclic(), st.integers(1, 12))
def test_no_grouping_is_worse_than_chunks(consumers: Links, most: int):
    found = crossing(consumers, partition(consumers, most))

    assert found <= handoffs_between(consumers, topological_chunks(consumers, most))
    assert found <= handoffs_between(consumers, depth_first_chunks(consumers, most))


@quick
@given(acyclic(), st.integers(2, 12))
def test_the_same_tasks_always_make_the_same_groups_in_the_order_of_their_first_tasks(consumers: Links, most: int):
    groups = partition(consumers, most)

    assert groups == partition(consumers, most)
    assert all(a < b for group in groups for a, b in pairwise(group))
    assert all(a[0] < b[0] for a, b in pairwise(groups))


@quick
@given(acyclic(), st.integers(2, 12))
def test_no_two_groups_fit_into_one_that_share_a_handoff(consumers: Links, most: int):
    groups = partition(consumers, most)
    of = group_of(groups)
    apart = {(of[a], of[b]) for a, used_by in enumerate(consumers) for b in used_by if of[a] != of[b]}

    assert all(len(groups[a]) + len(groups[b]) > most for a, b in apart)


@pytest.mark.parametrize(
    ("consumers", "most", "groups", "handoffs"),
    [
        pytest.param(links(0), 8, [], 0, id="D2 no tasks"),
        pytest.param(links(1), 8, [[0]], 0, id="D2 one task"),
        pytest.param(chain_of(8), 8, [[*range(8)]], 0, id="D2 a chain that fits"),
        pytest.param(
            links(10, *clique_at(0, 5), *clique_at(5, 5), (4, 5)),
            5,
            [[*range(5)], [*range(5, 10)]],
            1,
            id="D2 two cliques joined by a link",
        ),
        # The links of the two cliques alternate, so neither order of the tasks finds them.
        pytest.param(
            links(8, *((a, b) for a in range(8) for b in range(a + 2, 8, 2)), (0, 1)),
            4,
            [[0, 2, 4, 6], [1, 3, 5, 7]],
            1,
            id="D2 two cliques in turns",
        ),
        pytest.param(links(9, *((0, i) for i in range(1, 9))), 3, None, 2, id="D2 a hub is handed on once a group"),
        pytest.param(chain_of(16), 8, [[*range(8)], [*range(8, 16)]], 1, id="D2 a chain of 16 is cut once"),
        pytest.param(links(6, *((i, 5) for i in range(5))), 3, None, 3, id="D2 each producer of a sink hands on"),
    ],
)
def test_groups_keep_together_what_hands_on(consumers: Links, most: int, groups: list[list[int]] | None, handoffs: int):
    found = partition(consumers, most)

    assert groups is None or groups == found
    assert crossing(consumers, found) == handoffs


def test_tasks_without_dependencies_fill_as_few_groups_as_hold_them():
    assert [len(group) for group in partition(links(20), 8)] == [8, 8, 4]


def test_pairs_that_share_nothing_fill_common_groups():
    pairs = links(16, *((i, i + 1) for i in range(0, 16, 2)))

    assert [len(group) for group in partition(pairs, 4)] == [4, 4, 4, 4]


def test_a_limit_on_the_groups_divides_triples_that_would_not_fit():
    triples = links(12, *((i, i + 1) for i in range(12) if i % 3 < 2))

    assert len(partition(triples, 4)) == 4
    assert len(partition(triples, 4, 3)) == 3


def test_groups_that_cannot_hold_all_tasks_are_refused():
    with pytest.raises(InvalidInput, match="cannot divide 9 tasks into 2 groups of 4 at most"):
        partition(links(9), 4, 2)


@quick
@given(acyclic(), st.integers(2, 12), st.data())
def test_whatever_a_library_returns_is_brought_within_the_limits(consumers: Links, most: int, data: st.DataObject):
    numbers = st.integers(0, len(consumers) - 1)
    returned = data.draw(st.lists(numbers, min_size=len(consumers), max_size=len(consumers)))
    limit = ceil_div(len(consumers), most)
    groups = members_of(fit(nets_between(consumers), returned, most, limit))

    assert len(groups) <= limit
    assert all(0 < len(group) <= most for group in groups)


@quick
@given(acyclic(), st.data())
def test_a_move_and_a_swap_change_what_they_say(consumers: Links, data: st.DataObject):
    tasks = st.integers(0, len(consumers) - 1)
    nets = nets_between(consumers)
    grouping = Grouping(nets, [task % 3 for task in range(len(consumers))], 8)
    for member, other in data.draw(st.lists(st.tuples(tasks, tasks), max_size=10)):
        here, there = grouping.group_of[member], grouping.group_of[other]
        before = nets.cost(grouping.group_of)
        if here == there:
            continue
        change, swap_change = grouping.move_change(member, there), grouping.swap_change(member, other)
        grouping.move(member, there)
        moved = nets.cost(grouping.group_of)
        grouping.move(other, here)

        assert (moved - before, nets.cost(grouping.group_of) - before) == (change, swap_change)


@quick
@given(acyclic(), st.integers(1, 5))
def test_the_cost_of_the_nets_is_the_number_of_handoffs(consumers: Links, most: int):
    of = topological_chunks(consumers, most)
    nets = nets_between(consumers)
    tiers = [group // 2 for group in range(max(of) + 1)]

    assert nets.cost(of) == handoffs_between(consumers, of)
    # The quotient graph counts the same handoffs.
    assert nets.merged(of, max(of) + 1).cost(tiers) == handoffs_between(consumers, [tiers[group] for group in of])


def test_clustering_joins_nobody_who_shares_nothing():
    assert cluster(nets_between(links(4, (0, 3))), [1] * 4, 8) == [0, 1, 2, 0]


def test_packing_stops_when_few_enough_are_left():
    assert pack([3, 1, 2, 2], 4) == [0, 0, 1, 1]
    assert pack([3, 1, 2, 2], 4, enough=3) == [0, 0, 1, 2]


def test_tasks_on_a_cycle_are_ordered_last_and_grouped_like_others():
    cyclic = links(4, (0, 1), (1, 2), (2, 1), (0, 3))

    assert topological_order(cyclic) == [0, 3, 1, 2]
    assert sorted(depth_first_order(cyclic)) == [0, 1, 2, 3]
    assert partition(links(3, (0, 1), (1, 2), (2, 0)), 8) == [[0, 1, 2]]


def test_long_chains_and_wide_hubs_are_no_trouble():
    assert crossing(chain_of(3000), partition(chain_of(3000), 8)) == 374  # 375 groups
    hub = links(2001, *((0, i) for i in range(1, 2001)))
    assert crossing(hub, partition(hub, 8)) == 250  # 251 groups


def test_real_workflows_make_fewer_handoffs_than_the_reference():
    suite = workflows()
    pairs = [(crossing(w, partition(w, 8)), handoffs_between(w, topological_chunks(w, 8))) for w in suite]

    assert all(found <= chunked for found, chunked in pairs)
    assert sum(chunked for _, chunked in pairs) == 19_034
    assert sum(found for found, _ in pairs) <= 13_720  # the reference makes 13,987
