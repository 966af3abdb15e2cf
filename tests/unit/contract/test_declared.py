"""The words that contracts declare (C3)."""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict

from echelon.contract.declared import vocabularies_in


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
