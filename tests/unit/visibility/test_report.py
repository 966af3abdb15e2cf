from pathlib import Path

import pytest

from echelon.model.organisation import Structure
from echelon.model.plan import Finding, FindingLevel
from echelon.model.run import PlanExtension
from echelon.visibility.report import as_code, default_report, in_markdown, measure_rows, report_environment
from tests.unit.visibility.building import run_view

HOSTILE = "<script>alert(1)</script> | `x`\n# heading"


@pytest.mark.parametrize("output", [None, "all is well", {"answer": 42, "why": [1, 2]}, [1, 2], 7])
def test_every_kind_of_output_is_reported(output: object) -> None:
    files = default_report(run_view(output=output))

    assert files.keys() == {"report.md", "report.html"}
    assert all("Get it done" in text for text in files.values())


def test_the_default_report_tells_everything_there_is_to_tell() -> None:
    page = default_report(run_view(output="fine"))["report.html"]
    sections = ["asked", "result", "missing", "concerns", "exceptions", "organisation"]

    assert [name for name in sections if f'id="{name}"' not in page] == []
    assert page.count("<svg") == 2


def test_what_others_wrote_stays_text() -> None:
    files = default_report(run_view(output=HOSTILE, text=HOSTILE))

    assert not any("<script" in text for text in files.values())
    assert "# heading" not in files["report.md"].splitlines()


def test_the_most_urgent_concern_comes_first() -> None:
    page = default_report(run_view(output=None))["report.html"]

    assert page.index("route immediate") < page.index("route human_review")


def test_measures_stand_beside_what_was_expected_and_unknown_is_never_zero() -> None:
    rows = {name: (measured, expected) for name, measured, expected in measure_rows(run_view(output=None))}

    assert rows["Wall time"][0] == "1 min 15 s"
    assert rows["Coordination, share of the total"][0] == "12.5 %"
    assert rows["Done at the first attempt"] == ("not known", "above 70 %")
    assert rows["Tokens"][0] == "not known"
    assert rows["Handed on by reference"][0] == "12 KB"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a|b", "a\\|b"),
        ("a\nb", "a b"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("[x](y)", "\\[x\\](y)"),
        ("\x1b[2J\u202e", r"\\x1b\[2J\\u202e"),
        (7, "7"),
    ],
)
def test_markdown_shows_text_as_it_is(text: object, expected: str) -> None:
    assert in_markdown(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("a_b", "`a_b`"), ("a`b", "a\\`b"), ("a|b", "a\\|b"), ("<b>", "&lt;b&gt;"), ("", "")]
)
def test_code_spans_cannot_be_left(text: str, expected: str) -> None:
    assert as_code(text) == expected


def test_a_report_of_ones_own_extends_our_page(tmp_path: Path) -> None:
    (tmp_path / "mine.html.j2").write_text("{{ text }}")

    assert report_environment(tmp_path).get_template("mine.html.j2").render(text="<b>") == "&lt;b&gt;"


def test_what_was_planned_on_the_way_is_a_line_each_with_what_should_be_changed() -> None:
    finding = Finding(rule="X2", level=FindingLevel.WARNING, where="inspect", message="no `combine`", fix="give one")
    view = run_view(output="fine")
    extension = PlanExtension(
        phase="inspect",
        at=view.record.started,
        tasks=20,
        reason="phase 'inspect' found 20 items: the job is flat, 22 agents, 1 level now",
        structure=Structure.FLAT,
        n_agents=22,
        levels=1,
        findings=(finding,),
    )
    files = default_report(view.model_copy(update={"extensions": (extension,)}))

    line = "- phase 'inspect' found 20 items: the job is flat, 22 agents, 1 level now; X2 `inspect`: no \\`combine\\`"
    assert line in files["report.md"].splitlines()
    assert "<h3>Planned on the way</h3>" in files["report.html"]
    assert "give one" in files["report.html"]
    assert "Planned on the way" not in "".join(default_report(view).values())
