"""Whether a phase is wanted: a function of what the phases before it handed on, or of the inputs of the job (X12)."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias, cast, get_origin

from echelon.agents.binding import hints_of
from echelon.agents.call import CallShape
from echelon.agents.function import FunctionAgent
from echelon.agents.handoffs import Handoffs
from echelon.contract.fit import arms_of
from echelon.model.errors import InvalidJob

_Says: TypeAlias = bool | str | Awaitable[bool] | Awaitable[str] | Awaitable[bool | str]

Condition: TypeAlias = Callable[..., _Says] | FunctionAgent[..., _Says]
"""Says True where a phase is wanted, and False where it is not; or a text: why it is not, empty when it is."""


def condition_of(phase: str, when: Condition, shape: CallShape) -> FunctionAgent[..., object]:
    """Return what says whether a phase is wanted, as an agent; `InvalidJob` for what cannot say it."""
    made = cast("FunctionAgent[..., object]", when) if isinstance(when, FunctionAgent) else _function(when)
    if not all(one in (bool, str) for one in arms_of(made.output_type)):
        raise InvalidJob(f"phase {phase!r}: `when` returns bool, or a text that says why the phase is not wanted")
    if made.effect != "read":
        raise InvalidJob(f"phase {phase!r}: {made.name!r} only decides, so its effect must be read, not {made.effect}")
    if not shape.upstream and any((get_origin(hint) or hint) is Handoffs for hint in _taken(made)):
        raise InvalidJob(
            f"phase {phase!r}: {made.name!r} asks for handoffs, but the phase needs no other: add `needs=`"
        )
    return made.bind(CallShape(inputs_type=shape.inputs_type, upstream=shape.upstream))


def why_not(condition: str, said: object) -> str:
    """Return why a phase is not wanted, given what its condition said; empty when it is.

    >>> why_not("risky", False), why_not("risky", "nothing was found"), why_not("risky", True), why_not("risky", "")
    ('risky says that it is not wanted', 'nothing was found', '', '')
    """
    if isinstance(said, str):
        return said.strip()
    return "" if said is True else f"{condition} says that it is not wanted"


def _function(when: Callable[..., object]) -> FunctionAgent[..., object]:
    name = getattr(when, "__name__", "when")
    stated = hints_of(when, name).get("return", bool | str)
    return FunctionAgent(function=when, name=name, goal=f"Decide whether it is wanted: {name}", output_type=stated)


def _taken(made: FunctionAgent[..., object]) -> list[object]:
    hints = hints_of(made.function, made.name)
    return [hint for name, hint in hints.items() if name != "return"]
