"""Strict refuses what does not fit, flexible repairs what takes no guess and says so (C5)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from echelon.contract.json import recordable
from echelon.contract.repair import REPAIRS_RECORDED, Fitted, validate_lenient, validate_strict


class Severity(StrEnum):
    LOW = "low"
    HIGH = "high"
    CRITICAL = "critical"


class Mark(BaseModel):
    model_config = ConfigDict(extra="forbid")

    line: int
    severity: Severity = Severity.LOW
    ratio: float = 0.0
    kind: Literal["bug", "style"] = "bug"


class Report(BaseModel):
    model_config = ConfigDict(extra="forbid")

    path: Path
    marks: list[Mark] = []
    seen: date | None = None
    counts: dict[int, tuple[int, ...]] = {}


class Lookalike(BaseModel):
    line: int


@dataclass
class Pair:
    left: int
    right: str


REPORT, MARK = TypeAdapter(Report), TypeAdapter(Mark)


@pytest.mark.parametrize(
    ("contract", "value", "expected"),
    [
        (MARK, Mark(line=1), Mark(line=1)),
        (MARK, {"line": 1, "severity": "high"}, Mark(line=1, severity=Severity.HIGH)),
        (MARK, {"line": 1, "ratio": 1}, Mark(line=1, ratio=1.0)),
        (REPORT, {"path": "a.py", "seen": "2026-01-02"}, Report(path=Path("a.py"), seen=date(2026, 1, 2))),
        (REPORT, {"path": Path("a.py"), "marks": [Mark(line=1)]}, Report(path=Path("a.py"), marks=[Mark(line=1)])),
        (REPORT, {"path": "a", "counts": {"1": [2]}}, Report(path=Path("a"), counts={1: (2,)})),
        (TypeAdapter(list[int]), (1, 2), [1, 2]),
        (TypeAdapter(Pair), {"left": 1, "right": "x"}, Pair(1, "x")),
        (TypeAdapter(int | None), None, None),
    ],
)
def test_strict_takes_what_json_can_say_of_a_contract(contract: TypeAdapter[Any], value: Any, expected: Any) -> None:
    for read in (validate_strict, validate_lenient):
        assert (read(value, contract).value, read(value, contract).repairs) == (expected, ())


@pytest.mark.parametrize(
    ("contract", "value", "where"),
    [
        (MARK, {"line": "7"}, ("line",)),
        (MARK, {"line": 7, "ratio": "0.5"}, ("ratio",)),
        (MARK, {"line": True}, ("line",)),
        (MARK, {"line": 1, "severity": "High"}, ("severity",)),
        (MARK, {"line": 1, "colour": "red"}, ("colour",)),
        (MARK, Lookalike(line=1), ()),
        (REPORT, {"path": 3}, ("path",)),
        (TypeAdapter(str), 7, ()),
        (TypeAdapter(list[int]), ["1"], (0,)),
        (TypeAdapter(int), object(), ()),
    ],
)
def test_strict_refuses_everything_else_with_the_place(
    contract: TypeAdapter[Any], value: Any, where: tuple[Any, ...]
) -> None:
    with pytest.raises(ValidationError) as refused:
        validate_strict(value, contract)

    assert refused.value.errors()[0]["loc"] == where


@pytest.mark.parametrize(
    ("contract", "value", "expected", "repairs"),
    [
        (MARK, {"line": "7"}, Mark(line=7), ("line: the text '7' read as the contract's kind",)),
        (
            MARK,
            {"line": 1, "severity": " HIGH", "kind": "sytle"},
            Mark(line=1, severity=Severity.HIGH, kind="style"),
            ("severity: ' HIGH' read as 'high'", "kind: 'sytle' read as 'style'"),
        ),
        (MARK, {"line": 1, "colour": 3}, Mark(line=1), ("colour: dropped, the contract has no such field",)),
        (
            REPORT,
            {"path": "a", "marks": [{"line": 1}, {"line": 2, "note": "x"}]},
            Report(path=Path("a"), marks=[Mark(line=1), Mark(line=2)]),
            ("marks.1.note: dropped, the contract has no such field",),
        ),
        (TypeAdapter(Severity), "critcal", Severity.CRITICAL, ("the output: 'critcal' read as 'critical'",)),
        (MARK, Lookalike(line=1), Mark(line=1), ("the output: read from its JSON form",)),
    ],
)
def test_flexible_mends_and_says_what(
    contract: TypeAdapter[Any], value: Any, expected: Any, repairs: tuple[str, ...]
) -> None:
    fitted = validate_lenient(value, contract)

    assert (fitted.value, fitted.repairs) == (expected, repairs)


@pytest.mark.parametrize(
    ("contract", "value"),
    [
        (MARK, {}),
        (MARK, {"line": "seven"}),
        (MARK, {"line": 1, "severity": "terrible"}),
        (MARK, {"line": 1, "severity": 7}),
        (TypeAdapter(Mark | Lookalike), {"line": "x", "colour": 1}),
        (TypeAdapter(int), object()),
        (TypeAdapter(str), b"\xff"),
    ],
)
def test_flexible_never_guesses(contract: TypeAdapter[Any], value: Any) -> None:
    with pytest.raises(ValidationError):
        validate_lenient(value, contract)


def test_what_was_delivered_is_not_changed_by_mending_it() -> None:
    delivered = {"line": 1, "colour": 3, "severity": "HIGH"}
    validate_lenient(delivered, MARK)

    assert delivered == {"line": 1, "colour": 3, "severity": "HIGH"}


def test_many_repairs_are_counted() -> None:
    repairs = validate_lenient({"line": 1} | {f"x{n}": n for n in range(100)}, MARK).repairs

    assert len(repairs) == REPAIRS_RECORDED + 1
    assert repairs[-1] == "and 80 more"


MARKS = st.builds(
    Mark,
    line=st.integers(),
    severity=st.sampled_from(Severity),
    ratio=st.floats(allow_nan=False, allow_infinity=False),
    kind=st.sampled_from(["bug", "style"]),
)
REPORTS = st.builds(
    Report,
    path=st.text("abc/é", min_size=1).map(Path),
    marks=st.lists(MARKS, max_size=3),
    seen=st.none() | st.dates(),
    counts=st.dictionaries(st.integers(), st.lists(st.integers(), max_size=3).map(tuple), max_size=3),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
#: Marks as careless agents write them: words in other cases, numbers as text, fields that nobody knows.
CARELESS = st.fixed_dictionaries(
    {"line": st.integers() | st.integers().map(str) | JSON},
    optional={
        "severity": st.sampled_from(["LOW", "High ", "critcal", "terrible", "low"]) | JSON,
        "ratio": st.sampled_from(["0.5", 1, None]) | st.floats(),
        "kind": st.sampled_from(["Bug", "styel", "style"]),
        "note": JSON,
    },
)


@settings(max_examples=60, deadline=None)
@given(report=REPORTS)
def test_any_output_of_a_contract_goes_through_json_unchanged(report: Report) -> None:
    plain = recordable(report, REPORT)

    assert validate_strict(plain, REPORT).value == report
    assert validate_lenient(plain, REPORT).repairs == ()


@settings(max_examples=150, deadline=None)
@given(value=CARELESS | JSON)
def test_what_flexible_accepts_strict_would_accept_after_the_repair_and_nothing_is_left_to_mend(value: Any) -> None:
    try:
        fitted = validate_lenient(value, MARK)
        plain = recordable(fitted.value, MARK)
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            recordable(validate_strict(value, MARK).value, MARK)
        return

    assert validate_strict(plain, MARK).value == fitted.value
    assert validate_lenient(plain, MARK).repairs == validate_lenient(fitted.value, MARK).repairs == ()


@pytest.mark.parametrize("validate", [validate_strict, validate_lenient])
@pytest.mark.parametrize("value", [{1: 1, "1": 2}, {"rows": {1: 1, "1": 2}}, [{None: 0, "None": 1}]], ids=str)
def test_a_value_that_is_read_by_its_json_form_must_have_all_its_keys_there(
    validate: Callable[[object, TypeAdapter[Any]], Fitted], value: object
) -> None:
    """The last of the values was kept, and the others were lost without a word."""
    with pytest.raises(ValueError, match=r"several keys of a dictionary|valid string"):
        validate(value, TypeAdapter(dict[str, int] | dict[str, dict[str, int]] | list[dict[str, int]]))
