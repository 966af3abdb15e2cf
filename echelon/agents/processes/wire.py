"""How arguments and results of a function cross to another process: as JSON, typed by the function's annotations."""

from typing import Any, cast, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from echelon.agents.call import Workspace
from echelon.agents.handoffs import Handoffs, Previous, Received
from echelon.agents.outcome import Outcome, outcome_of
from echelon.contract.repair import validate_strict
from echelon.journal.outputs import OutputStore
from echelon.model.adapter import JsonObject, adapter_of
from echelon.model.concern import Concern
from echelon.model.handoff import Handoff, Missing
from echelon.model.usage import Usage

_STORES: dict[str, OutputStore] = {}


def pack(value: object) -> object:
    """Turn one argument into JSON types."""
    if isinstance(value, Handoffs):
        handoffs = cast("Handoffs[object]", value)
        missing = [m.model_dump(mode="json") for m in handoffs.missing]
        return {"received": [pack(received) for received in handoffs], "missing": missing}
    if isinstance(value, Previous):
        received = cast("Previous[object]", value).received
        return pack(received) if received else None
    if isinstance(value, Received):
        return {"handoff": value.handoff.model_dump(mode="json"), "store": value.store.url}
    if isinstance(value, Workspace):
        return str(value)
    return TypeAdapter(Any).dump_python(value, mode="json")


def unpack(packed: Any, annotation: object) -> object:
    """Turn JSON types back into what the parameter's annotation says."""
    origin = get_origin(annotation) or annotation
    inner = (get_args(annotation) or (Any,))[0]
    if origin is Handoffs:
        missing = [Missing.model_validate(m) for m in packed["missing"]]
        return Handoffs([_received(r, inner) for r in packed["received"]], missing)
    if origin is Previous:
        return Previous(_received(packed, inner) if packed else None)
    if annotation is Workspace:
        return Workspace(packed)
    return adapter_of(annotation).validate_python(packed)


def pack_outcome(returned: object, contract: object) -> JsonObject:
    """Turn what a function returned into JSON types."""
    outcome = outcome_of(returned)
    return {
        # As it is: whether it fits is judged at the boundary, in the parent, by the policy that holds there (C5).
        "output": adapter_of(contract).dump_python(outcome.output, mode="json", warnings=False),
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
        summary=packed["summary"],
        confidence=packed["confidence"],
        concerns=tuple(Concern.model_validate(concern) for concern in packed["concerns"]),
        next_steps=tuple(packed["next_steps"]),
        usage=Usage.model_validate(packed["usage"]),
        repairs=tuple(packed["repairs"]),
    )


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
