from itertools import chain, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.planning.partition.large import LARGE_FROM, divide_large
from echelon.planning.partition.nets import nets_between
from echelon.planning.partition.partition import handoffs_between
from echelon.planning.partition.tiers import Arrangement, arrange
from tests.unit.planning.linking import Links, acyclic, chain_of, links

quick = settings(deadline=None, max_examples=40)


def sizes(arranged: Arrangement) -> list[int]:
    """Return the agents below each part of the top."""
    return [stop - start for start, stop in arranged.below[(0, len(arranged.order))]]


@quick
@given(acyclic(most=120), st.integers(2, 12), st.booleans())
def test_stretches_are_nested_and_keep_the_span(consumers: Links, span: int, wide: bool):
    arranged = arrange(consumers, span, wide=wide)

    assert sorted(arranged.order) == list(range(len(consumers)))
    for (start, stop), parts in arranged.below.items():
        assert 1 < len(parts) <= span
        assert (parts[0][0], parts[-1][1]) == (start, stop)
        assert all(a[1] == b[0] for a, b in pairwise(parts))
    divided = {(0, len(consumers)), *chain.from_iterable(arranged.below.values())}
    assert set(arranged.below) <= divided
    assert all(stop - start <= span for start, stop in divided - set(arranged.below))


def test_a_wide_top_has_more_and_smaller_parts():
    pairs = links(100, *((i, i + 1) for i in range(0, 100, 2)))

    assert len(sizes(arrange(pairs, 8, wide=True))) > len(sizes(arrange(pairs, 8)))
    assert max(sizes(arrange(pairs, 8, wide=True))) < max(sizes(arrange(pairs, 8)))


def test_a_single_task_has_no_tiers():
    assert arrange(links(1), 8) == Arrangement([0], {})


def test_without_links_the_large_divider_has_nothing_to_say():
    assert divide_large(nets_between(links(9)), 9, 2, 5) is None


def test_a_very_large_graph_keeps_the_span_with_the_library_and_without():
    arranged = arrange(chain_of(LARGE_FROM + 1), 22)

    assert sorted(arranged.order) == list(range(LARGE_FROM + 1))
    assert all(1 < len(parts) <= 22 for parts in arranged.below.values())


def test_a_very_large_graph_is_divided_from_the_top_by_the_library():
    pytest.importorskip("mtkahypar", reason="the extra `large` is not installed")
    half = LARGE_FROM // 2 + 4
    pairs = [(i, i + 2) for i in range(2 * half - 2)]  # two chains in turns
    consumers = links(2 * half, *pairs)
    arranged = arrange(consumers, 22)
    of = [0] * (2 * half)
    for number, (start, stop) in enumerate(arranged.below[(0, 2 * half)]):
        for position in range(start, stop):
            of[arranged.order[position]] = number

    assert sizes(arranged) == [half, half]
    assert handoffs_between(consumers, of) == 0


def test_the_library_says_nothing_and_repeats_itself(capfd: pytest.CaptureFixture[str]):
    pytest.importorskip("mtkahypar", reason="the extra `large` is not installed")
    nets = nets_between(chain_of(800))

    assert divide_large(nets, 800, 2, 400) == divide_large(nets, 800, 2, 400)
    assert capfd.readouterr() == ("", "")
