"""The JSON form in which an output is handed on: finite, and readable by whoever gets it (C1, C3). Pure."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import cast

from pydantic import ValidationError
from pydantic_core import to_json

from echelon.contract.complaint import misfit, place, quoted
from echelon.contract.faithful import Difference, differences
from echelon.model.adapter import read_json
from echelon.model.edges import Contract

#: What a number that is not finite may have become in JSON; mostly these are innocent, so that they only raise doubt.
_DOUBTFUL = (b"null", b"NaN", b"Infinity")


#: What to do about bytes in a class, which says itself how it writes them.
_BYTES = (
    "it holds bytes that are no text; give its class "
    "model_config = ConfigDict(ser_json_bytes='base64', val_json_bytes='base64')"
)


def recordable(value: object, contract: Contract) -> object:
    """Return a validated output in JSON types, from which every consumer reads just what was delivered.

    `ValueError` as for `recorded`, and where something would be read as something else.
    """
    plain, lost = recorded(value, contract)
    if lost:
        raise ValueError(str(lost[0]))
    return plain


def recorded(value: object, contract: Contract) -> tuple[object, tuple[Difference, ...]]:
    """Return a validated output in JSON types, read back once as every consumer will, and what they would miss.

    `ValueError` where it has no such form, where a number is not finite, where keys of a dictionary become one, where
    it changes by being looked at, where it holds a secret, or where what was written is not read as the contract: the
    producer is told at the boundary, instead of each consumer later.
    """
    try:
        plain = contract.dump_python(value, mode="json", warnings=False)
    except UnicodeDecodeError as error:
        raise ValueError(_BYTES) from error
    data = to_json(plain)
    if any(word in data for word in _DOUBTFUL):
        _check_finite(contract.dump_python(value, warnings=False))
    again = contract.dump_json(value, warnings=False)
    if again != data:
        check_keys(again)  # a dictionary in Python has each key once, text in JSON may say one twice
        _check_repeatable(data, again)
    try:
        read = read_json(contract, data)
    except ValidationError as error:
        plain, read = _without_computed(value, contract, error)
    lost = () if read == value else differences(value, read, contract)
    for one in lost:
        if one.is_secret:
            raise ValueError(str(one))
    return plain, lost


def _without_computed(value: object, contract: Contract, misread: ValidationError) -> tuple[object, object]:
    """Return an output in JSON types without what it computes, which its own contract may not accept, and as read."""
    plain = contract.dump_python(value, mode="json", round_trip=True, warnings=False)
    try:
        return plain, read_json(contract, to_json(plain))
    except ValidationError:
        told = misfit(misread.errors(include_url=False)[0])
        raise ValueError(f"no consumer could read it, {told}") from misread


def check_keys(data: bytes) -> None:
    """Raise `ValueError` where JSON says a key twice, as for 1 and "1" in Python: one of the values would be lost."""
    json.loads(data, object_pairs_hook=_check_members)


def _check_members(members: list[tuple[str, object]]) -> None:
    twice = [key for key, times in Counter(key for key, _ in members).items() if times > 1]
    if twice:
        raise ValueError(
            f"several keys of a dictionary are {quoted(twice[0])} in JSON, which has text as keys only, and one value "
            "would be left of theirs; use keys of one type"
        )


def _check_repeatable(data: bytes, again: bytes) -> None:
    """Refuse what is another value when it is looked at once more, as what holds an iterator."""
    if json.loads(data) != json.loads(again):
        raise ValueError("it holds an iterator, or something else that is another value at the second look; use lists")


def _check_finite(value: object) -> None:
    """Refuse a number that JSON does not have; written, it would become null, and nobody would know."""
    try:
        json.dumps(value, allow_nan=False, skipkeys=True, default=_opaque)
    except ValueError:
        for where, number in _not_finite(value, ()):
            raise ValueError(
                f"{place(where)}: {number} is not a valid JSON number; leave it out, or return None"
            ) from None


def _opaque(value: object) -> object:
    """Look into what JSON does not have only where it may hold numbers."""
    return list(cast("Iterable[object]", value)) if isinstance(value, set | frozenset) else None


def _not_finite(value: object, where: tuple[object, ...]) -> Iterator[tuple[tuple[object, ...], float]]:
    if isinstance(value, float) and not math.isfinite(value):
        yield where, value
    for key, member in _members(value):
        yield from _not_finite(member, (*where, key))


def _members(value: object) -> Iterable[tuple[object, object]]:
    if isinstance(value, dict):
        return cast("dict[object, object]", value).items()
    return enumerate(cast("Iterable[object]", value)) if isinstance(value, list | tuple | set | frozenset) else ()
