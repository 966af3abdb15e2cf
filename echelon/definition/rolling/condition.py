"""Whether a phase is wanted: a function of what the phases before it handed on, or of the inputs of the job (X12)."""

from collections.abc import Callable
from typing import Any, TypeAlias, cast, get_args

from echelon.agents.binding import hints_of
from echelon.agents.call import CallShape
from echelon.agents.function import FunctionAgent
from echelon.model.errors import InvalidJob

Condition: TypeAlias = Callable[..., bool | str] | FunctionAgent[..., bool | str]
"""Says True where a phase is wanted; False, or a text with the reason, where it is not."""


def condition_of(phase: str, when: Condition, shape: CallShape) -> FunctionAgent[..., object]:
    """Return what says whether a phase is wanted, as an agent; `InvalidJob` for what cannot say it."""
    made = cast("FunctionAgent[..., object]", when) if isinstance(when, FunctionAgent) else _function(when)
    says: Any = made.output_type
    if not all(one in (bool, str) for one in get_args(says) or (says,)):
        raise InvalidJob(f"phase {phase!r}: `when` returns bool, or a text that says why the phase is not wanted")
    if made.effect != "read":
        raise InvalidJob(f"phase {phase!r}: {made.name!r} only decides, so its effect must be read, not {made.effect}")
    return made.bind(CallShape(inputs_type=shape.inputs_type, upstream=shape.upstream))


def why_not(condition: str, said: object) -> str:
    """Return why a phase is not wanted, given what its condition said; empty when it is."""
    if said is True:
        return ""
    reason = said.strip() if isinstance(said, str) else ""
    return reason or f"{condition} says that it is not wanted"


def _function(when: Callable[..., object]) -> FunctionAgent[..., object]:
    name = getattr(when, "__name__", "when")
    stated = hints_of(when, name).get("return", bool | str)
    return FunctionAgent(function=when, name=name, goal=f"Decide whether it is wanted: {name}", output_type=stated)
