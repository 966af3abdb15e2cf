"""What consumers read is what was delivered, in every type, or it is refused: JSON is not the value (C6)."""

import os
from dataclasses import dataclass, make_dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretBytes, SecretStr, computed_field, create_model
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic_core import to_json

from echelon.contract.faithful import all_differences
from echelon.contract.json import recordable, recorded
from echelon.contract.repair import validate_strict
from echelon.model.adapter import adapter_of, read_json

EXAMPLES = 10_000 if os.environ.get("ECHELON_TEST_PASSAGES") == "all" else 150


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Base(BaseModel):
    a: int


class Derived(Base):
    b: int


class Aliased(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name_: str = Field(alias="name")


class TwoNames(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(validation_alias="theName", serialization_alias="the-name")


class Computing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    side: int

    @computed_field
    @property
    def area(self) -> int:
        """It is not accepted when it is given."""
        return self.side**2


class Private(BaseModel):
    a: int = 1
    _hidden: int = PrivateAttr(default=3)


class Either(BaseModel):
    when: str | datetime


class Held(BaseModel):
    token: SecretStr


class Unvalidated(BaseModel):
    ratio: float = 0  # defaults are not validated


class Raw(BaseModel):
    data: bytes


class Open(BaseModel):
    anything: Any


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def read_again(type_: Any, value: object) -> object:
    """Return what a consumer reads of an output."""
    contract = adapter_of(type_)
    return read_json(contract, to_json(recordable(validate_strict(value, contract).value, contract)))


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (Aliased, Aliased(name="x")),
        (TwoNames, TwoNames(theName="x")),
        (list[Aliased], [Aliased(name="x")]),
        (Computing, Computing(side=3)),
        (bytes, b"\xff\x00\xfe"),
        (dict[str, bytes], {"a": b"\x80"}),
        (dict[int, Decimal], {1: Decimal("1.10")}),
        (int | float, 1),
        (int | float, 1.0),
        (float, 1),
        (Unvalidated, Unvalidated()),
        (str, Colour.RED),
        (datetime, NOON),
        (tuple[int, str], (1, "a")),
        (set[UUID], {UUID(int=1)}),
        (Path, Path("a/b")),
        (timedelta, timedelta(days=1, microseconds=1)),
    ],
    ids=lambda one: getattr(one, "__name__", str(one)[:30]),
)
def test_it_arrives_as_it_was(type_: Any, value: object) -> None:
    assert read_again(type_, value) == value


def test_what_a_model_keeps_to_itself_is_no_part_of_it() -> None:
    private = Private()
    private._hidden = 9

    assert recordable(private, adapter_of(Private)) == {"a": 1}


def test_where_a_contract_takes_anything_its_json_form_is_what_is_promised() -> None:
    value = {"when": NOON, "pair": (1, 2), "price": Decimal("1.1")}

    for contract, whole in ((Any, value), (Open, Open(anything=value)), (dict[str, Any], value)):
        assert recorded(whole, adapter_of(contract))[1] == ()


@pytest.mark.parametrize(
    ("type_", "value", "said"),
    [
        (Base, Derived(a=1, b=2), "b: the number 2 would be lost"),
        (list[Base], [Base(a=1), Derived(a=1, b=2)], "1.b: the number 2 would be lost"),
        (dict[str, Base | str], {"k": Derived(a=1, b=2)}, "k.b: the number 2 would be lost"),
        (str | datetime, NOON, "a datetime would be read as the text"),
        (Either, Either(when=NOON), "when: a datetime would be read as the text"),
        (list[str | Decimal], [Decimal("1.1")], "0: a Decimal would be read as the text"),
        (Held, Held(token=SecretStr("x")), "token: a secret is not recorded"),
        (Any, {"deep": [SecretBytes(b"x")]}, "deep.0: a secret is not recorded"),
        (Open, Open(anything=SecretStr("x")), "anything: a secret is not recorded"),
        (Raw, Raw(data=b"\xff"), "ser_json_bytes='base64'"),
    ],
)
def test_what_would_arrive_as_something_else_is_refused_with_its_place(type_: Any, value: object, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        recordable(value, adapter_of(type_))

    assert "SecretStr('x')" not in str(refused.value)


# Generated types

HASHABLE = {
    int: st.integers(),
    str: st.text(st.characters(exclude_categories=["Cs"])),
    bool: st.booleans(),
    date: st.dates(),
    UUID: st.uuids(),
    Colour: st.sampled_from(Colour),
    Literal["a", 1]: st.sampled_from(["a", 1]),
}
SCALARS = HASHABLE | {
    float: st.floats(allow_nan=False, allow_infinity=False),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    datetime: st.datetimes(timezones=st.just(UTC)),
    timedelta: st.timedeltas(min_value=timedelta(days=-9_000), max_value=timedelta(days=9_000)),
    bytes: st.binary(max_size=20),
    type(None): st.none(),
    Annotated[int, Field(gt=0)]: st.integers(min_value=1),
}


class Typed(NamedTuple):
    """A type, and values of it."""

    type_: Any
    values: st.SearchStrategy[Any]


def _scalar(table: dict[Any, st.SearchStrategy[Any]]) -> st.SearchStrategy[Typed]:
    return st.sampled_from([Typed(*item) for item in table.items()])


def _model(members: list[Typed], forbids: bool, aliased: bool, plain: bool) -> Typed:
    """Make a class with a field for each member."""
    # A class says itself how it writes bytes.
    config = ConfigDict(extra="forbid" if forbids else "ignore", ser_json_bytes="base64", val_json_bytes="base64")
    if plain:
        bare = make_dataclass("Made", [(f"f{n}", one.type_) for n, one in enumerate(members)])
        made: Any = pydantic_dataclass(bare, config=config)
        return Typed(made, st.builds(made, **{f"f{n}": one.values for n, one in enumerate(members)}))
    fields: dict[str, Any] = {
        f"f{n}": (one.type_, Field(alias=f"F-{n}") if aliased else ...) for n, one in enumerate(members)
    }
    model = create_model("Made", __config__=config, **fields)
    names = {(f"F-{n}" if aliased else f"f{n}"): one.values for n, one in enumerate(members)}
    return Typed(model, st.fixed_dictionaries(names).map(lambda given: model(**given)))


def _containers(inner: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    keys = _scalar({int: HASHABLE[int], str: HASHABLE[str], date: HASHABLE[date]})
    return st.one_of(
        inner.map(lambda one: Typed(list[one.type_], st.lists(one.values, max_size=3))),
        inner.map(lambda one: Typed(tuple[one.type_, int], st.tuples(one.values, st.integers()))),
        _scalar(HASHABLE).map(lambda one: Typed(frozenset[one.type_], st.frozensets(one.values, max_size=3))),
        st.tuples(keys, inner).map(
            lambda two: Typed(
                dict[two[0].type_, two[1].type_], st.dictionaries(two[0].values, two[1].values, max_size=3)
            )
        ),
        st.builds(_model, st.lists(inner, min_size=1, max_size=3), st.booleans(), st.booleans(), st.booleans()),
    )


def _choices(inner: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    two = st.tuples(inner, inner).map(lambda two: Typed(two[0].type_ | two[1].type_, two[0].values | two[1].values))
    return st.one_of(_containers(inner), inner.map(lambda one: Typed(one.type_ | None, one.values | st.none())), two)


PLAIN_TYPES = st.recursive(_scalar(SCALARS), _containers, max_leaves=6)
TYPES = st.recursive(_scalar({t: v for t, v in SCALARS.items() if isinstance(t, type)}), _choices, max_leaves=6)

LONG = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


@dataclass(frozen=True)
class Drawn:
    """A value of a generated type."""

    type_: Any
    value: object


def drawn(types: st.SearchStrategy[Typed]) -> st.SearchStrategy[Drawn]:
    return types.flatmap(lambda typed: typed.values.map(lambda value: Drawn(typed.type_, value)))


@LONG
@given(drawn(PLAIN_TYPES))
def test_every_value_of_a_type_without_choices_arrives_as_it_was(one: Drawn) -> None:
    contract = adapter_of(one.type_)
    value = contract.validate_python(one.value, strict=True)

    read = read_json(contract, to_json(recordable(value, contract)))

    assert read == value
    assert all_differences(value, read, contract) == ()


@LONG
@given(drawn(TYPES))
def test_every_value_of_any_type_arrives_as_it_was_or_is_refused(one: Drawn) -> None:
    contract = adapter_of(one.type_)
    value = contract.validate_python(one.value, strict=True)
    try:
        plain = recordable(value, contract)
    except ValueError:
        return

    read = read_json(contract, to_json(plain))

    assert all_differences(value, read, contract) == ()
