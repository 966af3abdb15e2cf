"""Inputs as people type them and as programs pass them."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, SecretStr

from echelon.definition.inputs import (
    read_inputs,
    read_typed_inputs,
    read_written_inputs,
    scheduled_inputs,
    written_inputs,
)
from echelon.model.errors import InvalidInput


class Inputs(BaseModel):
    path: Path = Field(description="Where to look.")
    depth: int = 3
    names: tuple[str, ...] = ()
    label: str = "none"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({}, {}),
        ({"depth": "5"}, {"depth": 5}),
        ({"names": '["a", "b"]'}, {"names": ("a", "b")}),
        ({"label": "5"}, {"label": "5"}),  # text stays text
        ({"label": '["a"]'}, {"label": '["a"]'}),
    ],
)
def test_typed_text_is_taken_as_it_is_or_else_as_json(typed: dict[str, str], expected: dict[str, Any]) -> None:
    assert read_typed_inputs(Inputs, {"path": "src"} | typed) == Inputs(path=Path("src"), **expected)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"depth": "many"}, ["'depth'", "many"]),
        ({"names": "[1"}, ["'names'"]),
        ({"colour": "red"}, ["unknown parameter 'colour'", "path, depth, names, label"]),
    ],
)
def test_what_does_not_fit_is_one_line_that_names_it(typed: dict[str, str], words: list[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_typed_inputs(Inputs, {"path": "src"} | typed)

    assert [word for word in words if word not in str(refused.value)] == []
    assert "\n" not in str(refused.value)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(InvalidInput, match="'path'"):
        read_inputs(Inputs, {})


# Names


class Aliased(BaseModel):
    model_config = ConfigDict(extra="forbid")

    folder_: str = Field(alias="folder")
    level: int = Field(default=1, validation_alias=AliasChoices("Level", "lvl"))


@pytest.mark.parametrize("given", [{"folder": "x"}, {"folder_": "x"}, {"folder": "x", "lvl": 1}], ids=str)
def test_an_input_is_given_by_its_name_or_by_an_alias(given: dict[str, Any]) -> None:
    wanted = Aliased(folder="x")

    assert read_inputs(Aliased, given) == wanted
    assert read_typed_inputs(Aliased, {name: str(value) for name, value in given.items()}) == wanted


# What is on record of them


class Kept(BaseModel):
    when: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    price: Decimal = Decimal("1.10")
    either: str | datetime = "x"
    anything: Any = None
    folder: Path = Path()
    ratio: float = 0  # defaults are not validated


@pytest.mark.parametrize(
    "inputs", [Kept(), Aliased(folder="x"), Kept(price=Decimal("0.30"), anything={"a": [1, "b"]})], ids=repr
)
def test_what_is_on_record_is_read_as_it_was(inputs: BaseModel) -> None:
    assert read_written_inputs(type(inputs), written_inputs(inputs), {}) == inputs


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (Kept(either=datetime(2026, 1, 1, tzinfo=UTC)), "either: a datetime would be read as the text"),
        (Kept(anything=Decimal("1.1")), "anything: a Decimal would be read as the text"),
        (Kept(anything={1: "a", "1": "b"}), "anything"),
        (Kept(folder=Path("caf\udce9")), "surrogates not allowed"),
        (Kept.model_construct(price="x"), "'price'"),
    ],
    ids=str,
)
def test_what_would_not_be_the_same_when_a_run_is_resumed_is_refused_before_it_begins(
    inputs: BaseModel, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        written_inputs(inputs)


class Secretive(BaseModel):
    name: str = "x"
    token: SecretStr
    other: SecretStr = SecretStr("from-the-environment")


def test_a_secret_is_not_on_record_and_is_given_again() -> None:
    """It was eight asterisks, without a word."""
    inputs = Secretive(token=SecretStr("the-secret"))
    written = written_inputs(inputs)

    assert "the-secret" not in str(written)
    assert "other" not in written  # the default is asked for again, not asterisks
    assert read_written_inputs(Secretive, written, {"token": "the-secret"}) == inputs
    with pytest.raises(InvalidInput, match="'token' is a secret, and not on record: give it again"):
        read_written_inputs(Secretive, written, {})


@pytest.mark.parametrize(
    ("again", "said"),
    [({"name": "y", "token": "x"}, "'name' is on record"), ({"nme": "y"}, "unknown parameter 'nme'")],
    ids=str,
)
def test_nothing_but_secrets_is_given_again(again: dict[str, str], said: str) -> None:
    written = written_inputs(Secretive(token=SecretStr("the-secret")))

    with pytest.raises(InvalidInput, match=said):
        read_written_inputs(Secretive, written, again)


def test_a_schedule_takes_no_secret_because_prefect_would_show_it() -> None:
    with pytest.raises(InvalidInput, match="'token' is a secret"):
        scheduled_inputs(Secretive(token=SecretStr("the-secret")))


def test_what_a_validator_of_the_job_says_stands_as_it_is():
    def asked(question: str) -> str:
        raise ValueError("it asks nothing")

    class Asking(BaseModel):
        question: Annotated[str, AfterValidator(asked)]

    with pytest.raises(InvalidInput, match=r"parameter 'question' cannot be '\?': it asks nothing"):
        read_inputs(Asking, {"question": "?"})
