import importlib.util
import json
import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from echelon.cli.simulate import read_agents, simulate
from echelon.model.errors import InvalidInput

POINTS = [(1, 12.0), (2, 22.0), (4, 38.0), (8, 60.0), (16, 75.0), (32, 70.0)]


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    file = tmp_path / "points.csv"
    file.write_text("agents,throughput\n" + "".join(f"{n},{x}\n" for n, x in POINTS))
    return file


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]):
    def call(**options) -> str:
        assert simulate(**options) == 0
        return capsys.readouterr().out

    return call


def as_json(said, **options) -> dict:
    return json.loads(said(as_json=True, **options))


def test_both_curves_are_told_with_what_they_rest_on(said):
    document = as_json(said, agents="1:100")

    assert [point["agents"] for point in document["points"]] == list(range(1, 101))
    assert document["points"][0].keys() == {"agents", "throughput", "speedup", "overhead"}
    assert document["points"] == document["structured"]["points"]
    assert document["ceiling"] == document["structured"]["ceiling"]
    assert document["parameters"].keys() == {"contention", "coherency", "single", "span", "tasks_per_sync"}
    assert document["flat"]["ceiling"]["agents"] == 10
    assert document["advantage"]["ratio"] >= 5


@pytest.mark.parametrize(("agents", "speedup"), [(5, 3.0), (10, 4.0), (15, 4.0), (20, 3.0)], ids=str)
def test_the_command_tells_the_flat_example(said, agents, speedup):
    (point,) = as_json(said, agents=str(agents), flat=True)["points"]

    assert point["throughput"] == pytest.approx(speedup, abs=0.5)
    assert point["overhead"] == pytest.approx(1 - point["speedup"] / agents)


@pytest.mark.parametrize(
    ("options", "leading", "left_out"),
    [({"flat": True}, "flat", ["structured", "tree"]), ({"structured": True}, "structured", ["flat"])],
)
def test_one_curve_alone_leaves_the_other_out(said, options, leading, left_out):
    document = as_json(said, agents="1:9", **options)

    assert document["points"] == document[leading]["points"]
    assert [document[name] for name in left_out] == [None] * len(left_out)


def test_people_see_parameters_ceiling_worth_and_a_table_that_stays_short(said):
    lines = said(agents="1:1000").splitlines()
    text = "\n".join(lines)

    for words in (
        "contention",
        "coherency",
        "3.88 with 10 agents; more agents deliver less",
        "times the best of flat",
        "600 with 1,000 agents, the most that was looked at",
        "overhead",
    ):
        assert words in text
    assert len(lines) < 50


@pytest.mark.parametrize("agents", ["7:1000:13", "1:100000:500", "100", "3:5"])
def test_any_range_is_shown_with_its_first_and_its_last_number(said, agents):
    numbers = read_agents(agents)
    rows = [line.split()[0] for line in said(agents=agents).splitlines() if line.strip()]

    assert f"{numbers[0]:,}" in rows
    assert f"{numbers[-1]:,}" in rows


def test_the_parameters_and_the_ceiling_of_measured_points_are_theirs(said, csv):
    document = as_json(said, agents="1:64", points=csv)

    assert document["points"] == document["flat"]["points"]
    assert document["ceiling"]["agents"] == pytest.approx(19, abs=1)
    assert document["parameters"]["single"] == pytest.approx(12, rel=0.05)
    assert document["fit"]["measured"] is True
    assert document["fit"]["r_squared"] > 0.99
    assert "one agent" in said(points=csv)


def test_measured_points_may_be_json(said, csv, tmp_path):
    file = tmp_path / "points.json"
    file.write_text(json.dumps([{"agents": n, "throughput": x} for n, x in reversed(POINTS)]))

    assert as_json(said, agents="5", points=file) == as_json(said, agents="5", points=csv)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"agents,speed\n1,2\n", "line 1: the heading must be agents,throughput"),
        (b"", "line 1: the heading must be"),
        (b"agents,throughput\n1,2\n3,many\n", "line 3: throughput: Input should be a valid number"),
        (b"agents,throughput\n1,2\n3\n", "line 3: agents and throughput are expected, not ['3']"),
        (b"agents,throughput\n0,2\n", "line 2: agents: Input should be greater than or equal to 1"),
        (b"agents,throughput\n1,inf\n", "line 2: throughput: Input should be a finite number"),
        (b"agents,throughput\n1,2\n3,4\n", "points at 2 different numbers of agents"),
        (b'{"agents": 1}', "holds no list of points"),
        (b"[1, 2", "is not valid JSON"),
        (b"[1]", "point 1: agents and throughput are expected, not 1"),
        (b'[{"agents": 1, "throughput": 0}]', "point 1: throughput: Input should be greater than 0"),
        (b'[{"agents": 1, "throughput": 1, "cost": 3}]', "point 1: cost: Extra inputs are not permitted"),
        (b'["' + b"x" * 200 + b'"]', "x…"),
        (b"[" * 100_000, "is not valid JSON"),
        (b"agents,throughput\n" + b"1" * 200_000 + b",2\n", "line 2: field larger than field limit"),
        (b"\xff\xfe", "is not a text file"),
        (b" " * 10_000_001, "is larger than 10,000,000 bytes"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_file_that_holds_no_points_is_refused_in_one_line(tmp_path, content, line):
    file = tmp_path / "points"
    file.write_bytes(content)

    with pytest.raises(InvalidInput) as refused:
        simulate(points=file)

    assert line in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match=r"cannot read the points in .*No such file"):
        simulate(points=tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    ("text", "numbers"), [("1:3", [1, 2, 3]), ("5", [5]), ("10:30:10", [10, 20, 30]), ("4:4", [4]), (" 1:2 ", [1, 2])]
)
def test_numbers_of_agents_are_read_from_a_range(text, numbers):
    assert list(read_agents(text)) == numbers


@pytest.mark.parametrize(
    "text", ["", "0:5", "5:1", "1:100001", "a:b", "-1:3", "1:2:0", "1:2:3:4", "1.5", "1:", ":5", "1e3", "٣", "9" * 30]
)
def test_what_names_no_numbers_of_agents_is_refused(text):
    with pytest.raises(InvalidInput, match="--agents"):
        simulate(agents=text)


def test_too_many_agents_are_told_how_many_can_be_simulated():
    with pytest.raises(InvalidInput, match="from 1 to 100,000 agents can be simulated"):
        simulate(agents="1:1000000000")


def test_what_decides_is_told_and_whether_span_and_tasks_per_sync_change_anything(said):
    usual = "the overhead usual for so many agents (R4) at 2–200 agents; the queues would allow more everywhere"
    default, deep, rare = (said_in_one_line(said, **given) for given in ({}, {"span": 3}, {"tasks_per_sync": 100}))
    often = said_in_one_line(said, tasks_per_sync=1)

    assert all(usual in told for told in (default, deep, rare))
    assert ["those of the default span" in told for told in (default, deep, rare, often)] == [False, True, True, False]
    assert "(R4) at 2 agents; the queues of the tree's coordinators at 3–200 agents" in often
    assert "nothing: a single agent waits for no other" in said_in_one_line(said, agents="1")


def said_in_one_line(said, **options) -> str:
    return " ".join(said(**options).split())


def test_machines_read_what_decides_each_curve(said):
    document = as_json(said, agents="1:5000:100", tasks_per_sync=6)

    assert document["structured"]["limited_by"] == [
        {"first": 101, "last": 2401, "by": "R4"},
        {"first": 2501, "last": 4901, "by": "queues"},
    ]
    assert document["flat"]["limited_by"] == [{"first": 101, "last": 4901, "by": "queues"}]
    assert document["as_default"] is False
    assert as_json(said, agents="2:9", span=4)["as_default"] is True


def test_flat_and_structured_exclude_one_another():
    with pytest.raises(InvalidInput, match="give one of them"):
        simulate(flat=True, structured=True)


@pytest.mark.parametrize("agents", ["1:200", "1:20", "100", "1:5000", "9:64"])
def test_a_picture_shows_the_curves_with_axes_legend_and_ceiling(said, tmp_path, agents):
    file = tmp_path / "curves.svg"
    told = said(agents=agents, plot=file)
    svg = file.read_text()
    texts = {text.text or "" for text in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")}

    assert str(file) in told
    assert {"structured", "flat", "flat, played"} <= texts
    assert any(text.startswith("agents at work") for text in texts)
    assert any(text.startswith("throughput, in multiples of one agent") for text in texts)
    assert ("ceiling: 3.88 with 10 agents" in texts) == (10 in read_agents(agents))


def test_a_picture_of_measured_points_shows_them_in_their_unit(said, tmp_path, csv):
    file = tmp_path / "curves.SVG"
    said(agents="1:64", plot=file, points=csv)

    assert "throughput, in the unit of the points" in file.read_text()
    assert ">measured<" in file.read_text()


@pytest.mark.parametrize("options", [{"flat": True}, {"structured": True}, {"structured": True, "span": 40}])
def test_a_picture_of_one_curve_leaves_the_other_out(said, tmp_path, options):
    file = tmp_path / "curves.svg"
    said(plot=file, agents="2:40", **options)

    assert (">structured<" in file.read_text()) == ("structured" in options)
    assert (">flat<" in file.read_text()) == ("flat" in options)


def test_a_page_holds_the_picture_and_needs_nothing_else(said, tmp_path):
    file = tmp_path / "curves.html"
    document = as_json(said, agents="1:20", plot=file)
    page = file.read_text()

    assert document["plot"] == str(file)
    assert page.startswith("<!doctype html>")
    assert "<svg" in page
    assert "src=" not in page


@pytest.mark.skipif(importlib.util.find_spec("resvg_py") is None, reason="the extra [plot] is not installed")
def test_a_png_is_a_picture(said, tmp_path):
    file = tmp_path / "curves.png"
    try:
        said(agents="1:20", plot=file)
    except InvalidInput as refusal:
        if "no font" not in str(refusal) or "CI" in os.environ:
            raise
        pytest.skip("this machine has no font")

    assert file.read_bytes().startswith(b"\x89PNG\r\n")


@pytest.mark.skipif(importlib.util.find_spec("resvg_py") is not None, reason="the extra [plot] is installed")
def test_a_png_without_the_extra_says_which_one_is_missing(tmp_path):
    with pytest.raises(InvalidInput, match=r"echelon\[plot\]"):
        simulate(agents="1:20", plot=tmp_path / "curves.png")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("curves.gif", "end its name in one of .svg, .html, .png"),
        ("curves", "end its name in one of"),
        ("nowhere/curves.svg", "there is no folder"),
        ("folder.svg", "is a folder"),
    ],
)
def test_a_picture_that_cannot_be_written_is_refused_before_any_work(tmp_path, name, line):
    (tmp_path / "folder.svg").mkdir()

    with pytest.raises(InvalidInput) as refused:
        simulate(plot=tmp_path / name)

    assert line in str(refused.value)


def test_a_file_that_cannot_be_written_is_refused(tmp_path):
    link = tmp_path / "curves.svg"
    link.symlink_to(tmp_path / "nowhere" / "curves.svg")

    with pytest.raises(InvalidInput, match="cannot write"):
        simulate(agents="5", plot=link)
