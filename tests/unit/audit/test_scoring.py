import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.modules import Kind, Metrics, RiskParts, Severity
from contracts.surveys import Clone, DeadItem, LintHit
from tasks.scoring import PART_WEIGHTS, by_weight, covered_lines, ramp, risk_of, score_parts
from tasks.severities import CONCERNING, severity_of

CALM = Metrics(lines=60, code_lines=50, maintainability=80, functions=3, complex_functions=0, worst_complexity=4)
NOTHING = RiskParts(complexity=0, size=0, maintainability=0, defects=0, dead_code=0, duplication=0, cycle=0)
WORST = RiskParts(complexity=1, size=1, maintainability=1, defects=1, dead_code=1, duplication=1, cycle=1)


@pytest.mark.parametrize(("value", "expected"), [(0, 0), (10, 0), (15, 0.5), (20, 1), (99, 1)])
def test_a_part_grows_linearly_between_two_bounds(value: float, expected: float) -> None:
    assert ramp(value, 10, 20) == expected


def test_a_calm_module_has_no_risk() -> None:
    assert risk_of(score_parts(CALM, (), (), (), 0)) == 0


def hit(severity: Severity) -> LintHit:
    return LintHit(rule="X1", name="x", line=1, message="x", severity=severity)


@pytest.mark.parametrize(
    ("part", "changed", "expected"),
    [
        ("complexity", {"worst_complexity": 24}, 0.35),  # 0.7 · (24 - 8) / 32
        ("complexity", {"worst_complexity": 40, "complex_functions": 8}, 1.0),
        ("size", {"code_lines": 700}, 0.5),  # (700 - 200) / 1,000
        ("maintainability", {"maintainability": 9}, 0.8),  # (45 - 9) / 45
    ],
)
def test_what_was_measured_is_judged(part: str, changed: dict[str, float], expected: float) -> None:
    parts = score_parts(CALM.model_copy(update=changed), (), (), (), 0)

    assert getattr(parts, part) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("severities", "expected"),
    [
        ([Severity.CRITICAL], 1 - math.exp(-2.5 / 3)),
        ([Severity.HIGH] * 3, 1 - math.exp(-1)),
        ([Severity.LOW] * 6, 1 - math.exp(-0.1)),
    ],
)
def test_findings_count_by_severity_and_saturate(severities: list[Severity], expected: float) -> None:
    assert score_parts(CALM, map(hit, severities), (), (), 0).defects == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("size", "expected"), [(0, 0), (2, 0.25), (4, 0.5), (16, 1), (300, 1)])
def test_a_cycle_counts_by_its_size(size: int, expected: float) -> None:
    assert score_parts(CALM, (), (), (), size).cycle == expected


def test_unused_and_duplicated_lines_count_by_their_share() -> None:
    dead = [DeadItem(name="f", what="function", line=1, lines=5, confidence=1)]
    clones = [Clone(line=1, end_line=10, others=()), Clone(line=6, end_line=13, others=())]
    parts = score_parts(CALM, (), dead, clones, 0)

    assert covered_lines(clones) == 13
    assert parts.dead_code == 0.5  # 5 of 50 lines, full at a fifth
    assert parts.duplication == pytest.approx((13 / 50 - 0.05) / 0.45, abs=1e-4)


@pytest.mark.parametrize("kind", PART_WEIGHTS)
def test_no_part_alone_makes_more_risk_than_its_weight(kind: Kind) -> None:
    assert risk_of(NOTHING.model_copy(update={kind.value: 1.0})) == PART_WEIGHTS[kind]


def test_everything_bad_stays_below_one() -> None:
    assert 0.9 < risk_of(WORST) < 1


shares = st.floats(0, 1)


@given(
    st.builds(RiskParts, **dict.fromkeys(RiskParts.model_fields, shares)), st.sampled_from(list(PART_WEIGHTS)), shares
)
def test_a_worse_part_never_makes_less_risk(parts: RiskParts, kind: Kind, worse: float) -> None:
    raised = parts.model_copy(update={kind.value: max(worse, getattr(parts, kind))})

    assert risk_of(raised) >= risk_of(parts)


def test_parts_are_ordered_by_what_they_contribute() -> None:
    parts = NOTHING.model_copy(update={"dead_code": 1.0, "complexity": 0.5, "size": 0.4})  # 0.15, 0.25, 0.12

    assert by_weight(parts) == [Kind.COMPLEXITY, Kind.DEAD_CODE, Kind.SIZE]


@pytest.mark.parametrize(
    ("rule", "severity"),
    [
        ("S602", Severity.CRITICAL),
        ("S105", Severity.MEDIUM),
        ("S999", Severity.LOW),
        ("F821", Severity.HIGH),
        ("F401", Severity.LOW),
        ("ASYNC210", Severity.HIGH),
        ("ASYNC100", Severity.MEDIUM),
        ("E999", Severity.HIGH),
        ("invalid-syntax", Severity.LOW),
    ],
)
def test_the_longest_prefix_decides_on_the_severity(rule: str, severity: Severity) -> None:
    assert severity_of(rule) is severity


def test_a_password_suspicion_is_unsure_but_grave() -> None:
    assert {CONCERNING[rule] for rule in ("S105", "S106", "S107")} == {(0.5, 0.9)}
