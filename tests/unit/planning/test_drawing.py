import re

import pytest

from echelon.model.graph import TaskSpec
from echelon.model.terms import OpenPhase
from echelon.planning.drawing import DRAWN_AT_MOST, PHASES_DRAWN, mermaid
from echelon.planning.planner import plan
from tests.unit.planning.building import chained, graph, labelled


def drawn(text: str) -> int:
    return len(re.findall(r"^    n\d+[\[(]", text, re.MULTILINE))


def test_a_small_tree_is_drawn_completely():
    assert mermaid(plan(graph(chained("a", "b")))) == (
        'flowchart TD\n    n0(["primary"])\n    n1("a")\n    n2("b")\n    n0 --> n1\n    n0 --> n2\n'
    )


def test_each_kind_of_node_has_its_shape():
    text = mermaid(plan(graph(labelled(["x"] * 60 + ["y"] * 9))))

    assert '[["domain:x"]]' in text
    assert '["team:x/1"]' in text


@pytest.mark.parametrize(
    ("task_id", "label"),
    [
        ('say "hi"', "say #34;hi#34;"),
        ("a<b>&c", "a#60;b#62;#38;c"),
        ("#1; end", "#35;1#59; end"),
        ("`x`\\n", "#96;x#96;#92;n"),
        ("two\nlines", "two lines"),
    ],
)
def test_labels_are_escaped(task_id: str, label: str):
    assert f'("{label}")' in mermaid(plan(graph([TaskSpec(id=task_id, goal="look")])))


def test_above_200_nodes_only_coordinators_are_drawn_with_counts():
    text = mermaid(plan(graph(labelled([None] * 500))))

    assert drawn(text) == 73  # 1 primary, 8 domains, 64 teams
    assert '"primary<br/>500 agents"' in text
    assert '"team:1<br/>8 agents"' in text


def test_a_very_large_tree_is_drawn_down_to_the_level_that_fits():
    text = mermaid(plan(graph(labelled([None] * 4000))))

    assert drawn(text) == 73  # 1 + 8 + 64; the 512 teams below would be too many
    assert drawn(text) <= DRAWN_AT_MOST
    assert text.count("-->") == 72


def test_several_phases_are_drawn_beside_the_tree_each_behind_what_it_waits_for():
    tasks = [
        TaskSpec(id="s", goal="look", phase="survey"),
        TaskSpec(id="a", goal="look", phase='a "side"'),
        TaskSpec(id="r", goal="look", phase="report", needs=("survey", 'a "side"', "inspect")),
    ]
    made = plan(graph(tasks), phase_order=("survey", 'a "side"', "report"))
    opened = OpenPhase(phase="inspect", after=("survey",), finder="modules", agent="inspect", items=(3, 300))
    text = mermaid(made.model_copy(update={"open": (opened,)}))

    assert text.partition("    subgraph")[2].splitlines() == [
        ' phases ["Phases"]',
        "        direction LR",
        '        p0["survey<br/>1 task"]',
        '        p1["a #34;side#34;<br/>1 task"]',
        '        p2["inspect<br/>items known after survey, 3 to 300 expected"]',
        "        p0 -.-> p2",
        '        p3["report<br/>1 task"]',
        "        p1 --> p3",
        "        p2 --> p3",
        "    end",
    ]


def test_of_very_many_phases_the_first_are_drawn():
    names = [f"p{number}" for number in range(100)]
    tasks = [TaskSpec(id=f"t{name}", goal="look", phase=name) for name in names]
    text = mermaid(plan(graph(tasks), phase_order=names))

    assert text.count("<br/>1 task") == PHASES_DRAWN
    assert f'more["{100 - PHASES_DRAWN} more"]' in text
