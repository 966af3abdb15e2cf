"""Strict and flexible reading of what an agent delivered (C5). Pure.

Strict takes a value as its contract says and nothing else; numbers are not made of text, nor text of numbers. What has
no kind of its own in JSON (a date, a path, a word of a vocabulary) may come as text. Flexible repairs what can be
repaired without guessing, and says what it repaired; what comes of it fits the strict contract.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json, to_jsonable_python

from echelon.contract.complaint import Problem, described, place, quoted, words_allowed
from echelon.contract.vocabulary import meant
from echelon.model.phrasing import head

#: Rounds of repair; a misfit can hide others behind it.
MAX_ROUNDS = 8

#: Repairs told; the rest is counted.
REPAIRS_RECORDED = 20


@dataclass(frozen=True)
class Fitted:
    """An output that fits its contract, with what was repaired for it."""

    value: object
    repairs: tuple[str, ...] = ()


def validate_strict(value: object, contract: TypeAdapter[object]) -> Fitted:
    """Return an output that fits as it is; pydantic's `ValidationError` says where it does not."""
    try:
        return Fitted(contract.validate_python(value, strict=True))
    except ValidationError as misfit:
        contract.validate_python(value)  # refuses instances of other classes, whatever they look like in JSON
        try:
            data = to_json(value)
        except ValueError:
            raise misfit from None
        return Fitted(contract.validate_json(data, strict=True))


def validate_lenient(value: object, contract: TypeAdapter[object]) -> Fitted:
    """Return an output that fits, repaired where that takes no guess; `ValidationError` where it would (C5)."""
    try:
        return validate_strict(value, contract)
    except ValidationError as misfit:
        try:
            plain = to_jsonable_python(value)
        except ValueError:
            raise misfit from None
        return _repaired(deepcopy(plain), contract)


def _repaired(plain: object, contract: TypeAdapter[object]) -> Fitted:
    repairs: list[str] = []
    holder = [plain]  # so that the output itself can be replaced like anything in it
    for _ in range(MAX_ROUNDS):
        try:
            fitted = contract.validate_json(to_json(holder[0]))
        except ValidationError as misfit:
            repaired = [told for problem in misfit.errors(include_url=False) if (told := _repair(holder, problem))]
            if not repaired:
                raise
            repairs += repaired
        else:
            return Fitted(fitted, _recorded([*repairs, *_coerced(holder[0], contract)]))
    return Fitted(contract.validate_json(to_json(holder[0])), _recorded(repairs))


def _repair(holder: list[object], problem: Problem) -> str | None:
    """Repair one misfit in place and say what was done; None when that would take a guess."""
    repair = _REPAIRERS.get(problem["type"])
    path = (0, *problem["loc"])
    parent = _at(holder, path[:-1])
    if repair is None or not _has(parent, path[-1]):
        return None
    return repair(parent, path[-1], problem)


def _drop(parent: Any, key: Any, problem: Problem) -> str | None:
    if not isinstance(parent, dict):
        return None
    del parent[key]
    return f"{place(problem['loc'])}: dropped, the contract has no such field"


def _reword(parent: Any, key: Any, problem: Problem) -> str | None:
    said = parent[key]
    word = meant(said, words_allowed(problem)) if isinstance(said, str) else None
    if word is None:
        return None
    parent[key] = word
    return f"{place(problem['loc'])}: {quoted(said)} read as {quoted(word)}"


#: Kind of misfit → how it is repaired.
_REPAIRERS: dict[str, Callable[[Any, Any, Problem], str | None]] = {
    "extra_forbidden": _drop,
    "enum": _reword,
    "literal_error": _reword,
}


def _coerced(plain: object, contract: TypeAdapter[object]) -> list[str]:
    """Say what pydantic turned into another kind."""
    try:
        contract.validate_json(to_json(plain), strict=True)
    except ValidationError as misfit:
        problems = misfit.errors(include_url=False)
        return [f"{place(one['loc'])}: {described(one['input'])} read as the contract's kind" for one in problems]
    return []


def _recorded(repairs: Sequence[str]) -> tuple[str, ...]:
    """Return the repairs to record. None at all means that only the JSON form fits: another class of the same shape."""
    if not repairs:
        return ("the output: read from its JSON form",)
    return tuple(head(repairs, REPAIRS_RECORDED))


def _at(value: Any, path: Sequence[object]) -> object:
    for key in path:
        if not _has(value, key):
            return None
        value = value[key]
    return value


def _has(parent: object, key: object) -> bool:
    if isinstance(parent, dict):
        return key in parent
    return isinstance(parent, list) and isinstance(key, int) and key < len(parent)
