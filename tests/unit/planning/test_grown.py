"""X12, R2: what is found on the way gets a part of the tree to itself, and nobody else is moved for it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.model.graph import TaskSpec
from echelon.model.plan import Node, NodeKind
from echelon.planning.grown import grown_tree

GROWN = ("left", "right")


def agents_of(phase: str, labels: list[str | None]) -> list[TaskSpec]:
    return [
        TaskSpec(id=f"{phase}/{number}", goal="do", phase=phase, domain=label) for number, label in enumerate(labels)
    ]


def labels(most: int) -> st.SearchStrategy[list[str | None]]:
    """Draw the domains of so many agents at most: none at all, or some of a few, with parts."""
    few = st.sampled_from((None, "a", "b", "b.x", "b.y", "c"))
    return st.one_of(st.integers(0, most).map(lambda number: [None] * number), st.lists(few, max_size=most))


spans = st.integers(2, 9)


def agents_in(tree: tuple[Node, ...]) -> list[str]:
    return [node.id for node in tree if node.kind is NodeKind.AGENT]


def sound(tree: tuple[Node, ...], span: int) -> None:
    """Hold the law of trees: one root, parents first, both directions agree, nobody has more reports than the span."""
    nodes = {node.id: node for node in tree}
    seen: set[str] = set()
    assert len(nodes) == len(tree)
    assert [node.id for node in tree if node.parent is None] == [tree[0].id]
    for node in tree:
        assert node.parent is None or node.parent in seen
        seen.add(node.id)
        if node.kind is not NodeKind.AGENT:
            assert len(node.members) <= span
            assert all(nodes[member].parent == node.id for member in node.members)
        if node.parent is not None:
            assert node.id in nodes[node.parent].members


@settings(deadline=None)
@given(labels(40), labels(90), labels(90), spans)
def test_every_agent_has_one_place_and_nobody_more_reports_than_the_span(
    base: list[str | None], left: list[str | None], right: list[str | None], span: int
) -> None:
    agents = [*agents_of("base", base), *agents_of("left", left), *agents_of("right", right)]
    tree = grown_tree(agents, dict.fromkeys(GROWN), span)

    sound(tree, span)
    assert sorted(agents_in(tree)) == sorted(agent.id for agent in agents)
    assert tree == grown_tree(agents, dict.fromkeys(GROWN), span)


@settings(deadline=None)
@given(labels(40), labels(90), labels(90), spans)
def test_growing_moves_nobody_in_whatever_order_phases_grow(
    base: list[str | None], left: list[str | None], right: list[str | None], span: int
) -> None:
    first = agents_of("base", base)
    grown = {"left": agents_of("left", left), "right": agents_of("right", right)}
    whole = {
        node.id: node for node in grown_tree([*first, *grown["left"], *grown["right"]], dict.fromkeys(GROWN), span)
    }
    for name in GROWN:
        before, after = (
            grown_tree(first, dict.fromkeys(GROWN), span),
            grown_tree([*first, *grown[name]], dict.fromkeys(GROWN), span),
        )
        for earlier, later in ((before, {node.id: node for node in after}), (after, whole)):
            for node in earlier:
                assert later[node.id].parent == node.parent
                assert later[node.id].kind is node.kind
                assert set(node.members) <= set(later[node.id].members)


def test_three_that_were_found_report_beside_the_others_and_300_under_a_lead_of_their_own() -> None:
    first = agents_of("base", [None, None])
    few = grown_tree([*first, *agents_of("left", [None] * 3)], {"left": None}, 8)
    many = grown_tree([*first, *agents_of("left", [None] * 300)], {"left": None}, 8)

    assert {node.parent for node in few if node.id.startswith("left/")} == {"primary"}
    assert [node.id for node in many if node.parent == "primary"] == ["base/0", "base/1", "lead:left"]


def test_without_phases_that_grow_it_is_the_tree_of_all_agents() -> None:
    agents = agents_of("base", ["a"] * 20 + ["b"] * 5)
    tree = grown_tree(agents, {}, 8)

    sound(tree, 8)
    assert len(agents_in(tree)) == 25
