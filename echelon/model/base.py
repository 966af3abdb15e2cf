"""The base of every value: frozen, closed and keyword-only. Nothing else may live here."""

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """An immutable value at a boundary; unknown fields are refused, so that a misspelt option is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
