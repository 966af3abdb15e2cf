"""What is said of an account and of measures: nothing is cut, and what is not known says so."""

import re

import pytest

from echelon.model.costs.account import Cost, CostAccount, CostKind, CostRow
from echelon.model.costs.graded import GradedMeasure
from echelon.model.costs.measures import SuccessShares
from echelon.visibility.costs.picture import WIDTH, account_svg
from echelon.visibility.costs.tables import account_lines, group_lines, measure_lines, success_line

HOSTILE = "<script>x</script>"
ACCOUNT = CostAccount(
    rows=(
        CostRow(kind=CostKind.WORK, level="agent", phase=HOSTILE, used=Cost(seconds=30, tokens=600, unreported=2)),
        CostRow(kind=CostKind.INTEGRATION, level="primary", used=Cost(seconds=10, tokens=200, cost=0.5)),
        CostRow(kind=CostKind.COORDINATOR, level="agent", used=Cost(seconds=10)),
    )
)


def test_each_kind_has_a_line_and_the_total_is_the_last() -> None:
    lines = account_lines(ACCOUNT, "EUR")

    assert [tuple(line) for line in lines] == [
        ("work", "30 s", "60 %", "600 + 2 not known", "75 %", ""),
        ("integration", "10 s", "20 %", "200", "25 %", "0.5 EUR"),
        ("waiting for coordinator", "10 s", "20 %", "", "", ""),
        ("total", "50 s", "100 %", "800 + 2 not known", "100 %", "0.5 EUR"),
    ]


def test_groups_are_told_with_their_coordination_the_largest_first() -> None:
    lines = group_lines(ACCOUNT, "level")

    assert [(line.name, line.seconds) for line in lines] == [
        ("agent", "40 s"),
        ("  of it coordination", "10 s"),
        ("primary", "10 s"),
        ("  of it coordination", "10 s"),
    ]
    assert next(line.name for line in group_lines(ACCOUNT, "phase")) == HOSTILE


@pytest.mark.parametrize(
    ("value", "unit", "on_target", "measured", "band"),
    [
        (0.25, "share", True, "25.0 %", "ok"),
        (0.65, "share", False, "65.0 %", "ok, off target"),
        (1.2, "times", True, "1.20 ×", "ok"),
        (-0.5, "steps", True, "-0.5", "ok"),
        (None, "share", None, "not known", "unknown"),
    ],
)
def test_measures_are_told_with_their_unit(
    value: float | None, unit: str, on_target: bool | None, measured: str, band: str
) -> None:
    one = GradedMeasure.model_validate(
        {
            "id": "M1",
            "name": "n",
            "value": value,
            "unit": unit,
            "target": "t",
            "band": "unknown" if value is None else "ok",
            "on_target": on_target,
        }
    )

    [line] = measure_lines([one])

    assert (line.measured, line.band) == (measured, band)


def test_success_is_told_three_ways() -> None:
    found = SuccessShares(tasks=4, alone=0.75, direct=0.5, transitive=0.25)

    assert success_line(found) == "75.0 % alone, 50.0 % with what they use, 25.0 % with all that they rest on"
    assert success_line(None) == ""


def test_the_bars_fill_the_picture_and_every_label_is_whole() -> None:
    svg = account_svg(ACCOUNT)
    bars = [float(width) for width in re.findall(r'<rect x="[\d.]+" y="[\d.]+" width="([\d.]+)" height="26', svg)]

    # Seconds 30 : 10 : 10 and tokens 600 : 200, each over the width beside the names.
    assert bars == pytest.approx([534, 178, 178, 667.5, 222.5])
    assert sum(bars[:3]) == pytest.approx(WIDTH - 70)
    for label in (
        "work: 30 s (60 %), 600 tokens (75 %), tokens of 2 steps not known",
        "integration: 10 s (20 %), 200 tokens (25 %)",
        "waiting for coordinator: 10 s (20 %)",
    ):
        assert label in svg
    assert "…" not in svg


def test_nothing_is_no_picture() -> None:
    assert account_svg(CostAccount()) == ""
