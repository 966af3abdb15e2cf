"""What outputs claim: field by field, by the keys that their contracts mark (X9)."""

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from echelon import Key, Remark
from echelon.contract.claims import field_claims, has_keys


class Finding(BaseModel):
    file: Annotated[str, Key()]
    severity: str | None = None
    note: Annotated[str, Remark()] = ""


class Line(BaseModel):
    file: Annotated[str, Key()]
    number: Annotated[int, Key()]
    says: str


class Report(BaseModel):
    title: str
    findings: list[Finding]


class Owner(BaseModel):
    team: Annotated[str, Key()]
    worst: Finding
    files: set[str]


@dataclass
class Price:
    article: Annotated[str, Key()]
    cents: int


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (Finding(file="a.py", severity="high", note="in words"), {("Finding:a.py", "severity"): "high"}),
        (Finding(file="a.py"), {}),  # not known, so nothing is said
        (Finding(file="", severity="high"), {}),  # about nothing that has a name
        (Report(title="t", findings=[Finding(file="a.py", severity="low")]), {("Finding:a.py", "severity"): "low"}),
        ({"x": [Line(file="a.py", number=3, says="y")]}, {("Line:a.py/3", "says"): "y"}),
        (Price(article="tea", cents=3), {("Price:tea", "cents"): 3}),
        ("plain text", {}),
        ([Finding(file="a.py", severity="low"), Finding(file="a.py", severity="high")], {}),  # no key of one thing
    ],
)
def test_what_an_output_claims(output: object, expected: dict[tuple[str, str], Any]) -> None:
    assert {(one.subject, one.field): one.said for one in field_claims(output)} == expected


def test_what_has_a_key_of_its_own_is_only_named_by_what_holds_it() -> None:
    """Whoever differs about the inner one contradicts others there, and not twice."""
    output = Owner(team="core", worst=Finding(file="a.py", severity="high"), files={"b", "a"})
    said = {one.subject + "." + one.field: one.said for one in field_claims(output)}

    assert said["Owner:core.worst"] == "Finding:a.py"
    assert said["Owner:core.files"] == field_claims(output.model_copy(update={"files": {"a", "b"}}))[1].said


def test_equal_statements_have_equal_digests() -> None:
    one, other = (field_claims(Finding(file="a.py", severity="low", note=note))[0] for note in ("x", "y"))

    assert one == other


@pytest.mark.parametrize(
    ("contract", "expected"),
    [(Finding, True), (list[Report], True), (Price, True), (dict[str, int], False), (str, False), (Any, False)],
)
def test_which_contracts_claim_anything(contract: Any, expected: bool) -> None:
    assert has_keys(contract) is expected
