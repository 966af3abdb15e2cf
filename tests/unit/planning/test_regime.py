import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.errors import InvalidInput
from echelon.model.plan import Share, Structure
from echelon.planning.regime import (
    STRUCTURES,
    allowed_levels,
    minimum_levels,
    next_transition,
    overhead_floor,
    pairs,
    profile,
    recommended_levels,
    scoped_pairs,
    structure_for,
)

agents = st.integers(0, 100_000)


@pytest.mark.parametrize(
    ("first", "last", "structure"),
    [
        (0, 1, Structure.SINGLE),
        (2, 8, Structure.FLAT),
        (9, 20, Structure.HIERARCHICAL),
        (21, 100, Structure.MULTI_TIER),
        (101, 1_000_000, Structure.FEDERATED),
    ],
)
def test_the_number_of_agents_decides_the_structure(first: int, last: int, structure: Structure):
    assert {structure_for(first), structure_for(last)} == {structure}


@pytest.mark.parametrize(
    ("n", "structure"),
    [(8, Structure.FLAT), (20, Structure.HIERARCHICAL), (21, Structure.FEDERATED), (100, Structure.FEDERATED)],
)
def test_resilience_federates_from_21_agents_on(n: int, structure: Structure):
    assert structure_for(n, "resilience") == structure


@pytest.mark.parametrize(
    ("n", "levels"),
    # 5 → 1, 20 → 2, 100 → 3, 500 → 4 are the rows of R2; the others stand at powers of seven.
    [
        (0, 1),
        (1, 1),
        (2, 1),
        (5, 1),
        (7, 1),
        (8, 1),
        (9, 2),
        (20, 2),
        (49, 2),
        (50, 3),
        (100, 3),
        (343, 3),
        (344, 4),
        (500, 4),
        (2401, 4),
        (2402, 5),
        (7**20, 20),
        (7**20 + 1, 21),
    ],
)
def test_recommended_depth_is_the_logarithm_to_seven_rounded_up(n: int, levels: int):
    assert recommended_levels(n) == levels


@pytest.mark.parametrize(
    ("n", "span", "levels"),
    [
        (0, 8, 1),
        (1, 8, 1),
        (8, 8, 1),
        (9, 8, 2),
        (64, 8, 2),
        (65, 8, 3),
        (512, 8, 3),
        (513, 8, 4),
        (9, 2, 4),
        (9, 9, 1),
    ],
)
def test_the_ninth_report_adds_a_level(n: int, span: int, levels: int):
    assert minimum_levels(n, span) == levels


@given(agents)
def test_with_the_default_span_the_recommended_depth_is_always_enough(n: int):
    assert minimum_levels(n) <= recommended_levels(n) == allowed_levels(n)


@given(agents, st.integers(2, 12))
def test_depth_never_falls_as_agents_are_added(n: int, span: int):
    assert recommended_levels(n) <= recommended_levels(n + 1)
    assert minimum_levels(n, span) <= minimum_levels(n + 1, span)


@given(agents)
def test_structure_and_band_never_go_back_as_agents_are_added(n: int):
    order = list(Structure)
    before, after = profile(n).overhead, profile(n + 1).overhead

    assert order.index(structure_for(n)) <= order.index(structure_for(n + 1))
    assert (before.low, before.high) <= (after.low, after.high)


@pytest.mark.parametrize(
    ("first", "last", "low", "high"),
    [(2, 5, 0.10, 0.15), (6, 20, 0.15, 0.25), (21, 50, 0.25, 0.35), (51, 9999, 0.30, 0.40), (0, 1, 0.0, 0.0)],
)
def test_overhead_band_of_each_row(first: int, last: int, low: float, high: float):
    assert profile(first).overhead == profile(last).overhead == Share(low=low, high=high)


@pytest.mark.parametrize(
    ("n", "floor"), [(99, None), (100, Share(low=0.20, high=0.25)), (5000, Share(low=0.2, high=0.25))]
)
def test_from_100_agents_on_overhead_has_a_floor(n: int, floor: Share | None):
    assert overhead_floor(n) == floor


@pytest.mark.parametrize(
    ("aspect", "first", "last", "part"),
    [
        ("countermeasures", 2, 3, "simple escalation"),
        ("countermeasures", 4, 10, "independent verification"),
        ("countermeasures", 11, 30, "audit agents, concern log"),
        ("countermeasures", 31, 9999, "mandatory pauses"),
        ("topology", 2, 8, "hub; a mesh is still affordable"),
        ("topology", 9, 14, "hub with a level of leads"),
        ("topology", 15, 50, "two-level"),
        ("topology", 51, 200, "three-level"),
        ("topology", 201, 9999, "federation"),
        ("fails_first", 2, 14, "saturation"),
        ("fails_first", 15, 50, "aggregation errors"),
        ("fails_first", 51, 200, "stale decisions"),
        ("fails_first", 201, 9999, "drift between federations"),
        ("integration", 2, 3, "direct"),
        ("integration", 4, 10, "event-driven preferred"),
        ("integration", 11, 50, "event-driven required"),
        ("integration", 51, 9999, "adapter agents"),
        ("visibility", 2, 10, "everyone"),
        ("visibility", 11, 50, "by team"),
        ("visibility", 51, 200, "several levels"),
        ("visibility", 201, 1000, "events"),
        ("visibility", 1001, 9999, "sampling"),
        ("sync", 2, 3, "as needed"),
        ("sync", 4, 10, "phase boundaries"),
        ("sync", 11, 30, "leads of clusters"),
        ("sync", 31, 9999, "multi-tier"),
        ("levels", 2, 5, "2"),
        ("levels", 6, 30, "3"),
        ("levels", 31, 100, "4"),
        ("levels", 101, 9999, "5+"),
    ],
)
def test_each_aspect_of_the_profile_has_its_own_boundaries(aspect: str, first: int, last: int, part: str):
    value = getattr(profile(first), aspect)

    assert part in value
    assert getattr(profile(last), aspect) == value
    assert first == 2 or getattr(profile(first - 1), aspect) != value
    assert last == 9999 or getattr(profile(last + 1), aspect) != value


@pytest.mark.parametrize(
    ("n", "at", "away", "change"),
    [
        (0, 2, 2, "divide the work"),
        (1, 2, 1, "divide the work"),
        (2, 9, 7, "level of leads"),
        (8, 9, 1, "level of leads"),
        (9, 15, 6, "domain layer"),
        (14, 15, 1, "domain layer"),
        (15, 21, 6, "tiers"),
        (21, 50, 29, "team layer"),
        (49, 50, 1, "team layer"),
        (50, 101, 51, "federate"),
        (101, 200, 99, "coordination agents"),
        (199, 200, 1, "coordination agents"),
        (200, 1000, 800, "eventual consistency"),
        (999, 1000, 1, "eventual consistency"),
    ],
)
def test_the_profile_says_which_transition_comes_next(n: int, at: int, away: int, change: str):
    transition = profile(n).next_transition

    assert transition is not None
    assert (transition.at, transition.agents_away) == (at, away)
    assert change in transition.change
    assert transition.why


@pytest.mark.parametrize("last", [last for last, _ in STRUCTURES if last is not None])
def test_every_boundary_of_the_structure_is_a_transition(last: int):
    """R10: what comes next is the nearest boundary that changes the structure: 9, not 15."""
    transition = next_transition(last)

    assert transition is not None
    assert transition.at == last + 1


def test_nothing_comes_after_the_last_transition():
    assert next_transition(1000) is None


@pytest.mark.parametrize(
    ("n", "coordinators", "mesh", "structure"),
    # A tree has one pair a node but the root; a hub of n agents has n.
    [(0, 1, 0, 0), (1, 1, 0, 1), (8, 1, 28, 8), (10, 3, 45, 12), (50, 8, 1225, 57), (100, 16, 4950, 115)],
)
def test_pairs_are_counted_for_mesh_and_tree(n: int, coordinators: int, mesh: int, structure: int):
    counted = pairs(n, coordinators)

    assert (counted.mesh, counted.structure) == (mesh, structure)


def test_scoped_pairs_grow_with_the_scope_only():
    assert scoped_pairs(100, 5) == 500


@pytest.mark.parametrize("ask", [structure_for, profile])
def test_a_negative_number_of_agents_is_refused_with_advice(ask):
    with pytest.raises(InvalidInput, match=r"-1 agents.*0 or more"):
        ask(-1)


def test_an_unknown_priority_is_refused_with_the_known_ones():
    with pytest.raises(InvalidInput, match=r"'fast'.*coherence, speed, resilience"):
        structure_for(5, "fast")  # pyright: ignore[reportArgumentType] - what a caller without types may do


def test_a_span_that_makes_no_tree_is_refused():
    with pytest.raises(InvalidInput, match="span of 1"):
        minimum_levels(5, 1)
