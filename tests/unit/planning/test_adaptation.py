"""R10: which change helps against which signal is one table, and no change asks for a wider span than the plan's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.organisation import StructureChange, StructureSignal
from echelon.planning.adaptation import Load, remedy_for, span_for

COORDINATION, WAITING, QUALITY = StructureSignal
ADD, SPLIT, JOIN, FLATTEN, SINGLE = StructureChange


def load(signal: StructureSignal, measured: float, agents: int, *counts: int) -> Load:
    reports, leads, peers = counts
    return Load(signal, measured, "primary", agents, reports, leads, peers)


@pytest.mark.parametrize(
    ("measured", "change", "span"),
    [
        # The first transition is taken back: so few cost more than they work, or one would be as fast (1 - 1/n).
        (load(COORDINATION, 0.8, 5, 5, 0, 0), SINGLE, None),
        (load(WAITING, 0.75, 4, 4, 0, 0), SINGLE, None),
        (load(WAITING, 0.74, 4, 4, 0, 0), None, None),
        # A coordinator alone at its level gets leads below it, with half of its reports each.
        (load(COORDINATION, 0.8, 8, 8, 0, 0), ADD, 4),
        (load(WAITING, 0.3, 8, 8, 0, 0), ADD, 4),
        (load(WAITING, 0.3, 7, 7, 0, 0), ADD, 4),
        (load(QUALITY, 0.5, 64, 8, 8, 0), ADD, 4),
        # One of several leads: more of them.
        (load(WAITING, 0.3, 8, 8, 0, 3), SPLIT, 4),
        (load(QUALITY, 0.5, 6, 6, 0, 1), SPLIT, 3),
        (load(WAITING, 0.3, 5, 5, 0, 0), ADD, 3),
        # Few reports: the level itself is what costs.
        (load(COORDINATION, 0.8, 8, 2, 2, 0), FLATTEN, 8),
        (load(COORDINATION, 0.8, 20, 3, 3, 0), JOIN, 8),
        (load(QUALITY, 0.5, 8, 2, 2, 0), FLATTEN, 8),
        (load(WAITING, 0.3, 16, 2, 2, 0), JOIN, 8),
        (load(QUALITY, 0.5, 8, 2, 0, 3), JOIN, 8),
        # Agents wait for a small team of their own: its integration is slow, whatever the structure.
        (load(WAITING, 0.5, 8, 2, 0, 3), None, None),
        # One coordinator of two agents, whose work is worth it: nothing about the structure helps.
        (load(WAITING, 0.3, 2, 2, 0, 0), None, None),
        (load(QUALITY, 0.5, 2, 2, 0, 0), None, None),
    ],
)
def test_the_first_remedy_that_holds_decides(measured: Load, change: StructureChange | None, span: int | None) -> None:
    remedy = remedy_for(measured)

    assert (remedy.change if remedy else None) == change
    assert (span_for(remedy.change, measured, 8) if remedy else None) == span


loads = st.builds(
    Load,
    signal=st.sampled_from(StructureSignal),
    measured=st.floats(0, 20),
    coordinator=st.just("primary"),
    agents=st.integers(0, 1000),
    reports=st.integers(0, 1000),
    leads=st.integers(0, 8),
    peers=st.integers(0, 8),
)


@given(measured=loads, span=st.integers(2, 12))
def test_a_change_keeps_the_span_and_dividing_narrows_it(measured: Load, span: int) -> None:
    remedy = remedy_for(measured)
    if remedy is None:
        return
    asked = span_for(remedy.change, measured, span)

    assert asked is None or 2 <= asked <= span
    if remedy.change in {StructureChange.ADD_LEVEL, StructureChange.SPLIT_DOMAINS}:
        assert asked is not None
        assert asked < measured.reports
