"""Inputs of a job from what a person typed or another program passed: one clear line for whatever does not fit."""

from collections.abc import Mapping

from pydantic import BaseModel, ValidationError

from echelon.model.adapter import adapter_of
from echelon.model.errors import InvalidInput


def read_inputs(inputs_type: type[BaseModel], given: Mapping[str, object]) -> BaseModel:
    """Validate the inputs of a job; `InvalidInput` names the parameter, what is wrong and what is known."""
    _refuse_unknown(inputs_type, given)
    try:
        return inputs_type.model_validate(dict(given))
    except ValidationError as error:
        raise InvalidInput(_first_error(inputs_type, error)) from error


def read_typed_inputs(inputs_type: type[BaseModel], typed: Mapping[str, str]) -> BaseModel:
    """Validate inputs typed as text: taken as they are, or else as JSON (lists, numbers, objects)."""
    _refuse_unknown(inputs_type, typed)
    return read_inputs(inputs_type, {name: _value(inputs_type, name, text) for name, text in typed.items()})


def _value(inputs_type: type[BaseModel], name: str, text: str) -> object:
    adapter = adapter_of(inputs_type.model_fields[name].annotation)
    try:
        adapter.validate_python(text)
    except ValidationError:
        try:
            return adapter.validate_json(text)
        except ValidationError:
            return text
    return text


def _refuse_unknown(inputs_type: type[BaseModel], given: Mapping[str, object]) -> None:
    known = inputs_type.model_fields
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise InvalidInput(f"unknown parameter {unknown[0]!r}; this job takes: {', '.join(known) or 'none'}")


def _first_error(inputs_type: type[BaseModel], error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "inputs"
    field = inputs_type.model_fields.get(str(first["loc"][0])) if first["loc"] else None
    meant = f" ({field.description.rstrip('.')})" if field is not None and field.description else ""
    if first["type"] == "missing":
        return f"parameter {where!r}{meant} is missing; give it as {where}=…"
    return f"parameter {where!r}{meant} cannot be {first['input']!r}: {first['msg']}"
