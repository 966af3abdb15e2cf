"""Inputs of a job: what a person typed or a program passed, and what is on record of them; one line for what is wrong.

What is put on record is read again when a run is resumed: it must be the same then, or the run is not begun (F8).
"""

from collections.abc import Mapping

from pydantic import AliasChoices, BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import to_json

from echelon.contract.complaint import legible
from echelon.contract.faithful import all_differences, holds_secret
from echelon.model.adapter import JsonObject, adapter_of
from echelon.model.errors import InvalidInput


def read_inputs(inputs_type: type[BaseModel], given: Mapping[str, object]) -> BaseModel:
    """Validate the inputs of a job, by the names of fields or by their aliases.

    `InvalidInput` names the parameter, what is wrong and what is known.
    """
    _refuse_unknown(inputs_type, given)
    try:
        return inputs_type.model_validate(dict(given), by_alias=True, by_name=True)
    except ValidationError as error:
        raise InvalidInput(_first_error(inputs_type, error)) from error


def read_typed_inputs(inputs_type: type[BaseModel], typed: Mapping[str, str]) -> BaseModel:
    """Validate inputs typed as text: taken as they are, or else as JSON (lists, numbers, objects)."""
    _refuse_unknown(inputs_type, typed)
    return read_inputs(inputs_type, {name: _value(inputs_type, name, text) for name, text in typed.items()})


def written_inputs(inputs: BaseModel) -> JsonObject:
    """Return inputs in JSON types, as they are put on record: secrets masked, or left out where they are the default.

    `InvalidInput` names a parameter that would be read as something else when the run is resumed.
    """
    contract = TypeAdapter(type(inputs))
    try:
        defaults = _secrets(inputs) - inputs.model_fields_set
        written: JsonObject = inputs.model_dump(mode="json", exclude=defaults, round_trip=True, warnings=False)
        read = contract.validate_json(to_json(written), by_alias=True, by_name=True)
    except (ValueError, TypeError) as error:  # pydantic's errors among them
        told = _first_error(type(inputs), error) if isinstance(error, ValidationError) else legible(str(error))
        raise InvalidInput(f"the inputs cannot be put on record, and so could not be resumed: {told}") from error
    for different in all_differences(inputs, read, contract):
        if not different.is_secret:
            raise InvalidInput(f"the inputs would not be the same when the run is resumed: {different}")
    return written


def scheduled_inputs(inputs: BaseModel) -> JsonObject:
    """Return inputs as a schedule keeps them; `InvalidInput` for secrets, which Prefect would show."""
    if given := sorted(_secrets(inputs) & inputs.model_fields_set):
        raise InvalidInput(
            f"parameter {given[0]!r} is a secret, and Prefect keeps the parameters of a schedule as text; "
            "let its default read it from an environment variable"
        )
    return written_inputs(inputs)


def read_written_inputs(
    inputs_type: type[BaseModel], written: Mapping[str, object], again: Mapping[str, object]
) -> BaseModel:
    """Return inputs that are on record, with the secrets among them given again.

    `InvalidInput` names a secret that is not given, and anything else that is: a run goes on with what it began with.
    """
    _refuse_unknown(inputs_type, again)
    given = {_field_name(inputs_type, name): value for name, value in again.items()}
    inputs = read_inputs(inputs_type, dict(written) | given)
    secret = _secrets(inputs)
    if other := sorted(given.keys() - secret):
        raise InvalidInput(f"parameter {other[0]!r} is on record as it was; only secrets are given again")
    if missing := sorted((secret & written.keys()) - given.keys()):
        raise InvalidInput(
            f"parameter {missing[0]!r} is a secret, and not on record: give it again, --param {missing[0]}=…"
        )
    return inputs


def _secrets(inputs: BaseModel) -> set[str]:
    return {name for name in type(inputs).model_fields if holds_secret(getattr(inputs, name))}


def _value(inputs_type: type[BaseModel], name: str, text: str) -> object:
    adapter = adapter_of(inputs_type.model_fields[_field_name(inputs_type, name)].annotation)
    try:
        adapter.validate_python(text)
    except ValidationError:
        try:
            return adapter.validate_json(text)
        except ValidationError:
            return text
    return text


def _field_name(inputs_type: type[BaseModel], name: str) -> str:
    """Return the name of the field that is called so, perhaps by an alias."""
    return next(known for known, field in inputs_type.model_fields.items() if name in _names(known, field))


def _names(name: str, field: FieldInfo) -> set[str]:
    """Return how a field may be called: its own name, and its aliases that are no path into something."""
    alias = field.validation_alias or field.alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return {name, *(one for one in choices if isinstance(one, str))}


def _refuse_unknown(inputs_type: type[BaseModel], given: Mapping[str, object]) -> None:
    fields = inputs_type.model_fields
    known = {one for name, field in fields.items() for one in _names(name, field)}
    unknown = sorted(given.keys() - known)
    if unknown:
        raise InvalidInput(f"unknown parameter {unknown[0]!r}; this job takes: {', '.join(fields) or 'none'}")


def _first_error(inputs_type: type[BaseModel], error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "inputs"
    field = inputs_type.model_fields.get(str(first["loc"][0])) if first["loc"] else None
    meant = f" ({field.description.rstrip('.')})" if field is not None and field.description else ""
    if first["type"] == "missing":
        return f"parameter {where!r}{meant} is missing; give it as {where}=…"
    why = first["msg"].removeprefix("Value error, ")  # what a validator of the job itself says stands as it is
    return f"parameter {where!r}{meant} cannot be {first['input']!r}: {why}"
