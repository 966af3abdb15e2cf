"""Strict and flexible reading of what an agent delivered (C5). Pure.

Strict takes a value as its contract says and nothing else; numbers are not made of text, nor text of numbers. What has
no kind of its own in JSON (a date, a path, a word of a vocabulary) may come as text. Flexible repairs what can be
repaired without guessing, and says what it repaired; what comes of it fits the strict contract.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Protocol, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails, to_json, to_jsonable_python

from echelon.contract.complaint import described, place, quoted, words_allowed
from echelon.contract.iterators import read_out
from echelon.contract.json import check_keys
from echelon.contract.vocabulary import meant
from echelon.model.edges import Contract
from echelon.model.phrasing import head

#: Rounds of repair; a misfit can hide others behind it.
MAX_ROUNDS = 8

#: Repairs told; the rest is counted.
REPAIRS_RECORDED = 20


#: Where something is in a list or an object.
_Key = int | str


class _Container(Protocol):
    """A list or an object of JSON, to be repaired in place."""

    def __getitem__(self, key: _Key, /) -> object: ...
    def __setitem__(self, key: _Key, value: object, /) -> None: ...
    def __delitem__(self, key: _Key, /) -> None: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __len__(self) -> int: ...


@dataclass(frozen=True)
class Fitted:
    """An output that fits its contract, with what was repaired for it."""

    value: object
    repairs: tuple[str, ...] = ()


def validate_strict(value: object, contract: Contract) -> Fitted:
    """Return an output that fits as it is; pydantic's `ValidationError` says where it does not."""
    try:
        return Fitted(contract.validate_python(value, strict=True))
    except ValidationError as misfit:
        value = read_out(value)
        contract.validate_python(value)  # refuses instances of other classes, whatever they look like in JSON
        try:
            data = to_json(value)
        except ValueError:
            raise misfit from None
        check_keys(data)
        return Fitted(contract.validate_json(data, strict=True))


def validate_lenient(value: object, contract: Contract) -> Fitted:
    """Return an output that fits, repaired where that takes no guess; `ValidationError` where it would (C5)."""
    value = read_out(value)  # it is looked at several times
    try:
        return validate_strict(value, contract)
    except ValidationError as misfit:
        try:
            plain, data = to_jsonable_python(value), to_json(value)
        except ValueError:
            raise misfit from None
        check_keys(data)
        return _repaired(deepcopy(plain), contract)


def _repaired(plain: object, contract: Contract) -> Fitted:
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


def _repair(holder: list[object], problem: ErrorDetails) -> str | None:
    """Repair one misfit in place and say what was done; None when that would take a guess."""
    repair = _REPAIRERS.get(problem["type"])
    path = (0, *problem["loc"])
    parent = _at(holder, path[:-1])
    if repair is None or parent is None or not _has(parent, path[-1]):
        return None
    return repair(parent, path[-1], problem)


def _drop(parent: _Container, key: _Key, problem: ErrorDetails) -> str | None:
    if isinstance(parent, list):
        return None
    del parent[key]
    return f"{place(problem['loc'])}: dropped, the contract has no such field"


def _reword(parent: _Container, key: _Key, problem: ErrorDetails) -> str | None:
    said = parent[key]
    if not isinstance(said, str) or (word := meant(said, words_allowed(problem))) is None:
        return None
    parent[key] = word
    return f"{place(problem['loc'])}: {quoted(said)} read as {quoted(word)}"


#: Kind of misfit → how it is repaired.
_REPAIRERS: dict[str, Callable[[_Container, _Key, ErrorDetails], str | None]] = {
    "extra_forbidden": _drop,
    "enum": _reword,
    "literal_error": _reword,
}


def _coerced(plain: object, contract: Contract) -> list[str]:
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


def _at(holder: list[object], path: Sequence[_Key]) -> _Container | None:
    """Return the list or object at a place; None when there is none."""
    found: object = holder
    for key in path:
        parent = _container(found)
        if parent is None or not _has(parent, key):
            return None
        found = parent[key]
    return _container(found)


def _container(value: object) -> _Container | None:
    return cast("_Container", value) if isinstance(value, dict | list) else None


def _has(parent: _Container, key: _Key) -> bool:
    return key < len(parent) if isinstance(parent, list) and isinstance(key, int) else key in parent
