"""What contracts say beside their types: the words they declare, and what they ask of them (C3, C5)."""

from dataclasses import dataclass
from enum import Enum, IntEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from echelon.contract.declared import criteria_in, says_nothing, vocabularies_in


class Severity(Enum):
    LOW = "low"
    HIGH = "high"


class Level(IntEnum):
    ONE = 1
    TWO = 2


class Finding(BaseModel):
    severity: Severity
    category: Literal["style", "risk"]
    level: Level = Level.ONE
    kind: Literal["finding"] = "finding"


@dataclass
class Report:
    findings: list[Finding]
    ready: bool


class Opaque:
    pass


class Holder(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    opaque: Opaque


WORDS = {"Severity": ("low", "high"), "Category": ("style", "risk")}


@pytest.mark.parametrize(
    ("output_type", "expected"),
    [
        pytest.param(Finding, WORDS, id="model"),
        pytest.param(list[Finding], WORDS, id="list"),
        pytest.param(Report, WORDS, id="dataclass-that-holds-models"),
        pytest.param(Severity, {"Severity": ("low", "high")}, id="enumeration"),
        pytest.param(Literal["a", "b"], {"": ("a", "b")}, id="literal"),
        pytest.param(str, {}, id="text"),
        pytest.param(Level, {}, id="numbers-are-no-words"),
        pytest.param(Any, {}, id="anything"),
        pytest.param(Holder, {}, id="no-schema"),
    ],
)
def test_enumerations_and_literals_are_the_words_of_a_contract(output_type: Any, expected: dict[str, tuple[str, ...]]):
    assert vocabularies_in(output_type) == expected


def not_empty(text: str) -> str:
    assert text
    return text


class Bounded(BaseModel):
    text: str = Field(min_length=1)
    number: int


class Checked(BaseModel):
    text: Annotated[str, AfterValidator(not_empty)]
    inner: list[Bounded] = []

    @model_validator(mode="after")
    def fits(self) -> "Checked":
        return self


class Ordinary(BaseModel):
    path: Path
    secret: SecretStr
    findings: list[Finding]


@pytest.mark.parametrize(
    ("output_type", "expected"),
    [
        pytest.param(Bounded, {"text"}, id="bound"),
        pytest.param(list[Bounded], {"text"}, id="bound-of-an-item"),
        pytest.param(Checked, {"not_empty", "text", "fits"}, id="validators-and-what-is-inside"),
        pytest.param(Annotated[int, Field(gt=3)], {"value"}, id="bound-of-a-value"),
        pytest.param(Ordinary, set(), id="what-pydantic-checks-itself"),
        pytest.param(str, set(), id="text"),
        pytest.param(Any, set(), id="anything"),
        pytest.param(Opaque, set(), id="no-schema"),
    ],
)
def test_bounds_and_validators_are_criteria_and_types_are_not(output_type: Any, expected: set[str]):
    assert set(criteria_in(output_type)) == expected


@pytest.mark.parametrize(
    ("output_type", "expected"),
    [
        (Any, True), (object, True), (dict, True), (list, True), (tuple, True), (dict[str, Any], True),
        (list[Any], True), (list[dict[str, object]], True), (tuple[Any, ...], True),
        (str, False), (list[str], False), (dict[str, int], False), (Finding, False), (Report, False),
    ],
)  # fmt: skip
def test_a_container_of_whatever_says_nothing(output_type: Any, expected: bool):
    assert says_nothing(output_type) is expected
