"""How arguments and results of a function cross to another process: as JSON, typed by the function's annotations."""

from typing import Any, Literal, TypedDict, cast, get_args, get_origin

from pydantic import JsonValue, TypeAdapter, ValidationError

from echelon.agents.call import Workspace
from echelon.agents.handoffs import Handoffs, Previous, Received
from echelon.agents.outcome import Outcome, outcome_of
from echelon.contract.repair import validate_strict
from echelon.journal.outputs import OutputStore
from echelon.model.concern import Concern
from echelon.model.edges import Contract, OutputType
from echelon.model.handoff import Handoff, Missing
from echelon.model.usage import Usage

_STORES: dict[str, OutputStore] = {}


class PackedReceived(TypedDict):
    """One handoff that was received: its envelope, and where its output is."""

    handoff: dict[str, JsonValue]
    store: str


class PackedHandoffs(TypedDict):
    """What was received, and what is missing."""

    received: list[PackedReceived]
    missing: list[dict[str, JsonValue]]


class PackedOutcome(TypedDict):
    """What a function returned."""

    output: JsonValue
    summary: str
    confidence: float
    concerns: list[dict[str, JsonValue]]
    next_steps: list[str]
    usage: dict[str, JsonValue]
    repairs: list[str]


class Failure(TypedDict):
    """Why a function returned nothing."""

    message: str
    concerns: list[dict[str, JsonValue]]
    passing: bool


class Request(TypedDict):
    """A call of a function, as one line to a child."""

    module: str
    name: str
    log_level: int
    arguments: dict[str, JsonValue]


class Heard(TypedDict):
    """Something that the function did while it worked, for the observer in the parent."""

    what: Literal["output_read", "logged", "stdout", "stderr"]
    about: str
    """The task whose output was read; empty for what was logged or printed."""
    level: int
    """Of what was logged; 0 for the rest."""
    text: str
    """The version that was read, or what was said."""


class Reply(TypedDict, total=False):
    """What a child answers, as one line: one of both."""

    outcome: PackedOutcome
    error: Failure
    heard: list[Heard]


def pack(value: object) -> JsonValue:
    """Turn one argument into JSON types."""
    if isinstance(value, Handoffs):
        handoffs = cast("Handoffs[object]", value)
        missing: list[JsonValue] = [one.model_dump(mode="json") for one in handoffs.missing]
        return {"received": [pack(one) for one in handoffs], "missing": missing}
    if isinstance(value, Previous):
        return pack(cast("Previous[object]", value).received)
    if isinstance(value, Received):
        value = cast("Received[object]", value)
        return {"handoff": value.handoff.model_dump(mode="json"), "store": value.store.url}
    if isinstance(value, Workspace):
        return str(value)
    return TypeAdapter(Any).dump_python(value, mode="json")


def unpack(packed: JsonValue, annotation: OutputType) -> object:
    """Turn JSON types back into what the parameter's annotation says."""
    origin = get_origin(annotation) or annotation
    inner = (get_args(annotation) or (Any,))[0]
    if origin is Handoffs:
        handoffs = cast("PackedHandoffs", packed)
        missing = [Missing.model_validate(one) for one in handoffs["missing"]]
        return Handoffs([_received(one, inner) for one in handoffs["received"]], missing)
    if origin is Previous:
        return Previous(_received(cast("PackedReceived", packed), inner) if packed else None)
    if annotation is Workspace:
        return Workspace(str(packed))
    return TypeAdapter(annotation).validate_python(packed)


def pack_outcome(returned: object, contract: OutputType) -> PackedOutcome:
    """Turn what a function returned into JSON types."""
    outcome = outcome_of(returned)
    return {
        # As it is: whether it fits is judged at the boundary, in the parent, by the policy that holds there (C5).
        "output": TypeAdapter(contract).dump_python(outcome.output, mode="json", warnings=False),
        "summary": outcome.summary,
        "confidence": outcome.confidence,
        "concerns": [concern.model_dump(mode="json") for concern in outcome.concerns],
        "next_steps": list(outcome.next_steps),
        "usage": outcome.usage.model_dump(mode="json"),
        "repairs": list(outcome.repairs),
    }


def unpack_outcome(packed: PackedOutcome, contract: OutputType) -> Outcome[object]:
    """Turn JSON types back into an outcome."""
    return Outcome(
        output=_fitting(packed["output"], TypeAdapter(contract)),
        summary=packed["summary"],
        confidence=packed["confidence"],
        concerns=tuple(Concern.model_validate(concern) for concern in packed["concerns"]),
        next_steps=tuple(packed["next_steps"]),
        usage=Usage.model_validate(packed["usage"]),
        repairs=tuple(packed["repairs"]),
    )


def _fitting(plain: object, contract: Contract) -> object:
    """Return an output as its contract has it; as it came when it does not fit, for the boundary to judge."""
    try:
        return validate_strict(plain, contract).value
    except ValidationError:
        return plain


def _received(packed: PackedReceived, contract: OutputType) -> Received[object]:
    # One store for each root, so that its cache serves all calls of this process.
    store = _STORES.setdefault(packed["store"], OutputStore(packed["store"]))
    return Received(Handoff.model_validate(packed["handoff"]), store, contract)
