"""A contract has a name and a version, and a consumer built for another major one is refused (C7)."""

from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from echelon.contract.fit import is_other_version, unfit
from echelon.contract.version import (
    UNSTATED,
    Stated,
    Version,
    contract,
    contract_name,
    stated_in,
    type_name,
    version_of,
    without_digest,
)
from echelon.model.errors import InvalidJob


def finding(version: str | None, **fields: Any) -> type[BaseModel]:
    """Make a type called Finding, of a version."""
    made = type("Finding", (BaseModel,), {"__annotations__": {"path": str, **fields}, "__module__": f"v{version}"})
    return contract(version=version)(made) if version else made


class Stating(BaseModel):
    """A contract that states its version in the class itself."""

    contract_version: ClassVar[str] = "1.2"
    path: str


class Plain(BaseModel):
    path: str


class Special(Plain):
    line: int = 0


ONE, ONE_MORE, TWO = finding("1.0"), finding("1.3", line=int), finding("2.0", line=int)


@pytest.mark.parametrize(
    ("output_type", "version", "called"),
    [
        (Stating, Version(1, 2), "Stating@1.2"),
        (TWO, Version(2, 0), "Finding@2.0"),
        (finding("3"), Version(3, 0), "Finding@3.0"),
        (Plain, UNSTATED, "Plain@1.0"),
        (list[TWO], Version(2, 0), "list[Finding]@2.0"),
        (dict[str, int], UNSTATED, "dict[str,int]@1.0"),
        (Stating | None, Version(1, 2), "Stating|None@1.2"),
        (Stating | TWO, Version(2, 0), "Stating|Finding@2.0"),
    ],
)
def test_a_contract_is_called_by_type_and_version(output_type: Any, version: Version, called: str) -> None:
    name = contract_name(output_type)

    assert version_of(output_type) == version
    assert (without_digest(name), stated_in(name)) == (called, Stated(type_name(output_type), version))


@pytest.mark.parametrize("other", [finding("1.1"), finding("1.0", line=int)], ids=["C7-version", "C7-schema"])
def test_a_changed_contract_is_another_one(other: Any) -> None:
    assert contract_name(other) != contract_name(ONE)
    assert contract_name(finding("1.0")) == contract_name(ONE)


def test_a_name_from_before_versions_states_none() -> None:
    assert stated_in("Finding@0123456789ab") is None
    assert without_digest("Finding@0123456789ab") == "Finding@0123456789ab"


@pytest.mark.parametrize("version", ["", "1.", "one", "1.2.3", "-1", "1.2\n", "9999999"])
def test_a_version_that_is_none_is_refused_where_it_is_written(version: str) -> None:
    with pytest.raises(InvalidJob, match=r"contract 'Finding': version .* is none; write major.minor"):
        finding(version or " ")


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (int, int),
        (int, Any),
        (Any, int),
        (Special, Plain),
        (ONE, ONE_MORE),
        (ONE_MORE, ONE),
        (list[ONE], list[ONE_MORE]),
        (finding(None), finding(None)),
        (int, int | str),
        (ONE, ONE_MORE | None),
        (bool | str, bool | str | None),
    ],
)
def test_a_consumer_takes_the_same_a_special_kind_and_another_minor_version(made: Any, wanted: Any) -> None:
    assert unfit(made, wanted) is None


@pytest.mark.parametrize(
    ("made", "wanted", "why"),
    [
        (TWO, ONE, "Finding 2.0 (of v2.0), but it is built for Finding 1.0 (of v1.0), another major version"),
        (list[TWO], list[ONE], "another major version"),
        (TWO, ONE | None, "another major version"),
        (TWO | None, ONE | None, "another major version"),
        (finding(None), TWO, "another major version"),
        (finding(None), finding(None, line=int), "state the versions of both with @contract, or use one"),
        (int, str, "int, but it is built for str"),
        (list[int], list[str], "int, but it is built for str"),
        (list[int], int, "list[int], but it is built for int"),
        (list[int], dict[str, int], "list[int], but it is built for dict[str,int]"),
        (int | None, int, "NoneType"),
        (Plain, Special, "Plain, but it is built for Special"),
    ],
)
def test_a_consumer_of_something_else_is_told_what_and_why(made: Any, wanted: Any, why: str) -> None:
    told = unfit(made, wanted)

    assert told is not None
    assert why.replace("NoneType", "None") in told


def test_only_another_version_of_a_contract_is_read_as_what_its_consumer_is_built_for() -> None:
    assert is_other_version(ONE, ONE_MORE)
    assert not is_other_version(ONE, ONE)
    assert not is_other_version(Special, Plain)
