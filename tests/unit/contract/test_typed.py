"""What a person types as an output: said as a line, and held to the shape on record before the run goes on (C3, C8)."""

from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from echelon.contract.typed import described, misfit_of_shape, typed_shape


class Sum(BaseModel):
    amount: int
    currency: Literal["EUR", "USD"] = "EUR"


class Receipt(BaseModel):
    id: str
    paid: bool
    note: str | None = None
    sums: list[Sum] = Field(default_factory=list[Sum])
    total: Sum


TOTAL = {"amount": 1}


@pytest.mark.parametrize(
    ("output_type", "said"),
    [
        (str, "text"),
        (list[str], "list of text"),
        (Sum, '{"amount": integer, "currency": one of EUR, USD, optional}'),
        (Any, "anything"),
        (type, ""),  # no JSON holds a class
    ],
)
def test_what_is_to_be_typed_is_said_in_one_line(output_type: Any, said: str) -> None:
    assert described(typed_shape(output_type)) == said


@pytest.mark.parametrize(
    ("output_type", "output", "objection"),
    [
        (str, "sent", ""),
        (str, [1, 2], "the output must be text, and is list"),
        (str, None, "the output must be text, and is null"),
        (str | None, None, ""),
        (int, True, "the output must be integer, and is boolean"),
        (float, 3, ""),
        (Receipt, "sent", "the output must be object, and is text"),
        (Receipt, {"id": "r7", "paid": True, "total": TOTAL}, ""),
        (
            Receipt,
            {"id": 7, "total": {}},
            "'id' must be text, and is integer; 'paid' is missing (boolean); 'total.amount' is missing (integer)",
        ),
        (
            Receipt,
            {"id": "r7", "paid": True, "note": None, "sums": None, "total": TOTAL},
            "'sums' must be list, and is null",
        ),
        (Decimal, "7.10", ""),  # text or number: a shape does not know which of them are let through
        (Annotated[str, Field(max_length=1)], "long", ""),  # kinds and fields are known, and no more
    ],
)
def test_kinds_and_fields_are_objected_to_at_once(output_type: Any, output: object, objection: str) -> None:
    assert misfit_of_shape(output, typed_shape(output_type)) == objection


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "paid", "total", "amount"]), inner)
    ),
    max_leaves=8,
)


@given(output=JSON)
def test_what_fits_the_contract_is_never_objected_to(output: object) -> None:
    for output_type in (Receipt, Sum, str, list[int], dict[str, Sum]):
        try:
            TypeAdapter[Any](output_type).validate_python(output, strict=True)
        except ValidationError:
            continue
        assert misfit_of_shape(output, typed_shape(output_type)) == ""
