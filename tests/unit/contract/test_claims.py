"""What outputs claim: field by field, by the keys that their contracts mark (X9)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import pytest
from pydantic import BaseModel
from typing_extensions import TypeAliasType

from echelon import Key, Remark
from echelon.contract.claims import field_claims, has_keys

T = TypeVar("T")


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


class Amount(BaseModel):
    name: Annotated[str, Key()]
    value: int | float | Decimal | None = None
    text: str = ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Amount(name="a", value=0.3), Amount(name="a", value=0.1 + 0.2)),
        (Amount(name="a", value=1), Amount(name="a", value=1.0)),
        (Amount(name="a", value=Decimal("1.50")), Amount(name="a", value=Decimal("1.5"))),
        (Amount(name="\u00e9", text="e\u0301"), Amount(name="e\u0301", text="\u00e9")),
    ],
)
def test_what_is_only_written_otherwise_is_the_same_claim(one: Amount, other: Amount) -> None:
    first, second = ({(each.subject, each.field, each.digest) for each in field_claims(out)} for out in (one, other))

    assert first == second


def test_keys_that_hold_what_joins_them_stay_apart() -> None:
    lines = [Line(file="a/1", number=2, says="x"), Line(file="a", number=1, says="y")]
    names = [Name(first="a/b", last="c", says=1), Name(first="a", last="b/c", says=2)]

    assert {one.subject for one in field_claims([*lines, *names])} == {
        "Line:a/1/2",
        "Line:a/1",
        "Name:a/b/c",
        "Name:a/b%2Fc",
    }


class Name(BaseModel):
    first: Annotated[str, Key()]
    last: Annotated[str, Key()]
    says: int


FileName = Annotated[str, Key()]


@dataclass
class Held(Generic[T]):
    name: Annotated[str, Key()]
    value: T


class Optionally(BaseModel):
    name: Annotated[str, Key()] | None = None


class Entry(NamedTuple):
    name: FileName
    lines: int


Aliased = TypeAliasType("Aliased", list[Finding])


@pytest.mark.parametrize("contract", [Held[int], Optionally, Entry, list[Entry], Aliased, Aliased | None])
def test_keys_are_seen_wherever_a_mark_may_be_written(contract: Any) -> None:
    assert has_keys(contract)


def test_a_named_tuple_claims_what_its_fields_say() -> None:
    (claim,) = field_claims([Entry("a.py", 3)])

    assert (claim.subject, claim.field, claim.said) == ("Entry:a.py", "lines", 3)
