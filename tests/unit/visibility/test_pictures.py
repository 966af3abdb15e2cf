import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.graph import TaskGraph, TaskSpec
from echelon.model.plan import Plan
from echelon.model.terms import OpenPhase
from echelon.planning.planner import plan
from echelon.visibility.pictures import TreemapItem, phases_svg, structure_svg, timeline_svg, treemap_svg
from echelon.visibility.svg import clipped, clipped_start
from echelon.visibility.treemap import Box, squarify
from tests.unit.visibility.building import plan_of, run_view

HOSTILE = '"><script>alert(1)</script>&'


def item(name: str, size: float = 1, heat: float = 1, group: tuple[str, ...] = ("a",)) -> TreemapItem:
    return TreemapItem(group=group, label=name, size=size, heat=heat, title=name)


@given(st.lists(st.floats(0.1, 1000), min_size=1, max_size=60).map(lambda sizes: sorted(sizes, reverse=True)))
def test_a_box_is_divided_in_proportion_and_nothing_sticks_out(sizes: list[float]) -> None:
    boxes = squarify(sizes, Box(10, 20, 300, 200))

    assert [box.width * box.height for box in boxes] == pytest.approx(
        [s / sum(sizes) * 60_000 for s in sizes], rel=1e-6
    )
    assert all(box.x >= 10 - 1e-6 and box.x + box.width <= 310 + 1e-6 for box in boxes)
    assert all(box.y >= 20 - 1e-6 and box.y + box.height <= 220 + 1e-6 for box in boxes)


def test_equal_sizes_become_near_squares() -> None:
    assert {round(box.width / box.height, 2) for box in squarify([1] * 4, Box(0, 0, 100, 100))} == {1.0}


def test_no_room_gives_empty_boxes() -> None:
    assert squarify([1, 1], Box(0, 0, 0, 9)) == [Box(0, 0, 0, 0)] * 2


@pytest.mark.parametrize("items", [[], [item("m", size=0)], [item("m", heat=0)]])
def test_a_treemap_of_little_is_still_a_picture(items: list[TreemapItem]) -> None:
    assert ET.fromstring(treemap_svg(items)).tag.endswith("svg")


def test_the_hottest_tile_has_the_darkest_colour_and_every_tile_tells_its_title() -> None:
    svg = treemap_svg([item("hot", heat=1), item("mild", heat=0.5), item("cold", heat=0)])

    assert [step for step in range(6) if f"--heat-{step}" in svg] == [0, 2, 5]
    assert all(f"<title>{name}</title>" in svg for name in ("hot", "mild", "cold"))


def test_groups_that_hold_nothing_but_a_group_are_drawn_as_one() -> None:
    svg = treemap_svg([item("m", group=("a", "b", "c")), item("n", group=("a", "b", "d"))])

    assert "<title>c</title>" in svg
    assert "<title>b</title>" not in svg


@pytest.mark.parametrize("agents", [1, 3, 20, 90])
def test_a_small_structure_is_drawn_whole_a_large_one_is_counted(agents: int) -> None:
    plan = plan_of(agents)
    svg = structure_svg(plan)
    titles = [title.text for title in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}title")]

    assert (f"agent {plan.tree[-1].id}" in titles) == (len(plan.tree) <= 64)
    assert f"{agents} agent" in svg


def test_a_structure_of_hundreds_stays_small_and_counts_everybody() -> None:
    svg = structure_svg(plan_of(700))
    texts = [text.text or "" for text in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    counted = [int(text.split()[0]) for text in texts if text.endswith((" agents", " agent"))]

    assert len(svg) < 40_000
    assert sum(counted) == 700


def test_a_timeline_shows_failures_work_and_integration() -> None:
    svg = timeline_svg(run_view(output=None))

    assert {kind for kind in ("bad", "work", "integration") if f"--bar-{kind}" in svg} == {"bad", "work", "integration"}
    ET.fromstring(svg)


def test_a_timeline_of_many_branches_keeps_to_a_bounded_number_of_lanes() -> None:
    svg = timeline_svg(run_view(output=None, agents=300))
    height = float(ET.fromstring(svg).attrib["viewBox"].split()[3])

    assert height < 800


def test_names_in_pictures_are_text() -> None:
    pictures = [
        treemap_svg([item(HOSTILE, group=(HOSTILE,)), item("b", group=("b",))], title=HOSTILE),
        structure_svg(plan_of(3, name=HOSTILE)),
        timeline_svg(run_view(output=None, text=HOSTILE)),
    ]

    assert not any("<script" in svg for svg in pictures)
    assert all(ET.fromstring(svg).tag.endswith("svg") for svg in pictures)


@pytest.mark.parametrize(("width", "expected"), [(500, "abcdefghij"), (45, "abcdef…"), (20, "")])
def test_texts_are_cut_to_the_room_there_is(width: float, expected: str) -> None:
    assert clipped("abcdefghij", width) == expected


def test_of_a_path_the_end_is_kept() -> None:
    assert clipped_start("abcdefghij", 45) == "…efghij"


def phased(**needs: tuple[str, ...]) -> Plan:
    tasks = tuple(TaskSpec(id=f"{name}/t", goal="look", phase=name, needs=needs[name]) for name in needs)
    return plan(TaskGraph(name="job", goal="go", tasks=tasks), phase_order=tuple(needs), agents_fixed=True)


def test_phases_are_drawn_each_to_the_right_of_what_it_waits_for_and_those_not_planned_yet_dashed() -> None:
    made = phased(survey=(), aside=(), report=("survey", "aside", "inspect"))
    opened = OpenPhase(phase="inspect", after=("survey",), finder="modules", agent="inspect", items=(3, 300))
    svg = phases_svg(made.model_copy(update={"open": (opened,)}))

    assert svg.count("<rect") == 4
    assert svg.count("<path") == 3  # survey to inspect, and inspect and aside to report
    assert svg.count("stroke-dasharray") == 1
    assert "phase inspect: items known after survey, 3 to 300 expected" in svg
    assert "4 phases, each to the right of those it waits for" in svg


def test_very_many_phases_are_drawn_in_part_and_counted() -> None:
    svg = phases_svg(phased(**{f"p{number}": () for number in range(100)}))

    assert svg.count("<rect") < 100
    assert "more are not drawn" in svg
