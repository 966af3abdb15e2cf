"""How arguments and results of a function cross to another process: as JSON, typed by the function's annotations."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr, TypeAdapter, ValidationError
from pydantic_core import to_json

from echelon.agents.call import Workspace
from echelon.agents.handoffs import Handoffs, Previous, Received
from echelon.agents.outcome import Outcome, outcome_of
from echelon.contract.faithful import all_differences, holds_secret
from echelon.contract.json import recordable
from echelon.contract.repair import validate_strict
from echelon.journal.outputs import OutputStore
from echelon.model.adapter import JsonObject, adapter_of, read_json
from echelon.model.concern import Concern
from echelon.model.edges import is_mapping
from echelon.model.handoff import Handoff, Missing
from echelon.model.status import Status
from echelon.model.usage import Usage

_STORES: dict[str, OutputStore] = {}


def pack(value: object, annotation: object = Any) -> object:
    """Turn one argument into JSON types, from which the other process makes the same again.

    Raise `ValueError` where it would be something else there.
    """
    if isinstance(value, Handoffs):
        handoffs = cast("Handoffs[object]", value)
        missing = [m.model_dump(mode="json") for m in handoffs.missing]
        return {"received": [pack(received) for received in handoffs], "missing": missing}
    if isinstance(value, Previous):
        previous = cast("Previous[object]", value)
        age = None if previous.age is None else previous.age.total_seconds()
        return {"received": previous.received and pack(previous.received), "age": age, "reason": previous.reason}
    if isinstance(value, Received):
        return {"handoff": value.handoff.model_dump(mode="json"), "store": value.store.url}
    if isinstance(value, Workspace):
        return str(value)
    contract = adapter_of(annotation)
    packed = contract.dump_python(revealed(value), mode="json", serialize_as_any=True, round_trip=True, warnings=False)
    for different in all_differences(value, _read(packed, contract), contract):
        raise ValueError(f"{different}; annotate the parameter with the type that it has")
    return packed


def unpack(packed: Any, annotation: object) -> object:
    """Turn JSON types back into what the parameter's annotation says."""
    origin = get_origin(annotation) or annotation
    inner = (get_args(annotation) or (Any,))[0]
    if origin is Handoffs:
        missing = [Missing.model_validate(m) for m in packed["missing"]]
        return Handoffs([_received(r, inner) for r in packed["received"]], missing)
    if origin is Previous:
        age = None if packed["age"] is None else timedelta(seconds=packed["age"])
        received = packed["received"] and _received(packed["received"], inner)
        return Previous(received, age=age, reason=packed["reason"])
    if annotation is Workspace:
        return Workspace(packed)
    return _read(packed, adapter_of(annotation))


def revealed(value: object) -> object:
    """Return a value with its secrets in plain text: what goes over a pipe to a child of ours is on no record."""
    if isinstance(value, SecretStr | SecretBytes):
        return value.get_secret_value()
    if isinstance(value, BaseModel):
        return revealed(value.model_dump(round_trip=True)) if holds_secret(value) else value
    if is_mapping(value):
        return {key: revealed(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [revealed(member) for member in cast("Sequence[object]", value)]
    return value


def _read(packed: object, contract: TypeAdapter[object]) -> object:
    return read_json(contract, to_json(packed))


def pack_outcome(returned: object, contract: object) -> JsonObject:
    """Turn what a function returned into JSON types."""
    outcome = outcome_of(returned)
    _check(outcome.output, adapter_of(contract))
    return {
        # As it is: whether it fits is judged at the boundary, in the parent, by the policy that holds there (C5).
        "output": adapter_of(contract).dump_python(outcome.output, mode="json", warnings=False),
        "status": outcome.status.value,
        "summary": outcome.summary,
        "confidence": outcome.confidence,
        "concerns": [concern.model_dump(mode="json") for concern in outcome.concerns],
        "next_steps": list(outcome.next_steps),
        "usage": outcome.usage.model_dump(mode="json"),
        "repairs": list(outcome.repairs),
    }


def unpack_outcome(packed: JsonObject, contract: object) -> Outcome[object]:
    """Turn JSON types back into an outcome."""
    return Outcome(
        output=_fitting(packed["output"], adapter_of(contract)),
        status=Status(packed["status"]),
        summary=packed["summary"],
        confidence=packed["confidence"],
        concerns=tuple(Concern.model_validate(concern) for concern in packed["concerns"]),
        next_steps=tuple(packed["next_steps"]),
        usage=Usage.model_validate(packed["usage"]),
        repairs=tuple(packed["repairs"]),
    )


def _check(output: object, contract: TypeAdapter[object]) -> None:
    """Refuse an output that fits, and would not arrive as it is."""
    try:
        fitted = validate_strict(output, contract).value
    except ValidationError:
        return
    recordable(fitted, contract)


def _fitting(plain: object, contract: TypeAdapter[object]) -> object:
    """Return an output as its contract has it; as it came when it does not fit, for the boundary to judge."""
    try:
        return validate_strict(plain, contract).value
    except ValidationError:
        return plain


def _received(packed: JsonObject, contract: object) -> Received[object]:
    # One store for each root, so that its cache serves all calls of this process.
    store = _STORES.setdefault(packed["store"], OutputStore(packed["store"]))
    return Received(Handoff.model_validate(packed["handoff"]), store, contract)
