"""What an output says about what, field by field, so that outputs can be compared (X9). Pure.

    class Finding(BaseModel):
        file: Annotated[str, Key()]          # what it is about
        severity: Severity                   # what it says of that
        note: Annotated[str, Remark()] = ""  # said beside it, and no claim

Two outputs that say something else about one key contradict each other. What is None is not known, and says nothing.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple, cast

from pydantic_core import to_jsonable_python

from echelon.contract.canonical import canonical
from echelon.contract.keys import Key, keyed_values, marks_any
from echelon.contract.marked import fields_of
from echelon.journal.digest import digest_of
from echelon.model.edges import OutputType, is_listing, is_mapping


@dataclasses.dataclass(frozen=True)
class Remark:
    """Marks a field that is no claim, such as a text in words of one's own: `Annotated[str, Remark()]`."""


class FieldClaim(NamedTuple):
    """What one field of an output says about one subject."""

    subject: str
    """The type of the value, and its key, as in `Finding:auth.py/12`."""
    field: str
    digest: str
    """What tells it from anything else that could be said."""
    said: object
    """What it says, as JSON."""
    of: str = ""
    """Which class the value is of: another one of the same name speaks of something else."""


#: Types whose values say themselves what they are.
_SCALARS = frozenset({int, float, bool})

#: How deep a value is looked into.
_DEPTH = 50


def field_claims(output: object) -> tuple[FieldClaim, ...]:
    """Return what an output says about what, wherever in it that stands; nothing where no field is marked as a key.

    Where one output says several things of a subject itself, its key does not tell apart what it is about, so that
    this is no claim.
    """
    found: dict[tuple[str, str, str], dict[str, FieldClaim]] = {}
    for keyed in keyed_values(output):
        for claim in _claims_of(f"{keyed.kind.__name__}:{keyed.key}", keyed.value):
            found.setdefault((claim.subject, claim.field, claim.of), {})[claim.digest] = claim
    return tuple(next(iter(said.values())) for said in found.values() if len(said) == 1)


def has_keys(contract: OutputType) -> bool:
    """Say whether a contract marks any field as a key, itself or in what it is made of."""
    return marks_any(contract, Key)


def _claims_of(subject: str, value: object) -> Iterator[FieldClaim]:
    of = _class_name(type(value))
    for name in claiming_fields(type(value)):
        said = getattr(value, name)
        if type(said) in _SCALARS:  # most are, and need no digest
            yield FieldClaim(subject, name, f"{canonical(said)!r}", said, of)
        elif type(said) is str:
            yield FieldClaim(subject, name, digest_of(canonical(said)), said, of)
        elif said is not None:
            same = _plain(said, _DEPTH, canonical)
            yield FieldClaim(subject, name, digest_of(same), _plain(said, _DEPTH, _as_it_is), of)


@lru_cache(maxsize=1024)
def _class_name(kind: type[Any]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


@lru_cache(maxsize=1024)
def claiming_fields(kind: type[Any]) -> tuple[str, ...]:
    """Return the fields of a class that are neither keys nor remarks."""
    return tuple(one.name for one in fields_of(kind) if not one.has_mark(Key, Remark))


def _as_it_is(value: object) -> object:
    return value


def _plain(value: object, depth: int, single: Callable[[object], object]) -> Any:
    """Return what is said as JSON; a value with a key of its own is only named, since it is compared itself."""
    if depth and is_mapping(value):
        return {str(key): _plain(member, depth - 1, single) for key, member in value.items()}
    if depth and isinstance(value, set | frozenset):
        members = (_plain(one, depth - 1, single) for one in cast("Iterable[object]", value))
        return sorted(members, key=digest_of)
    if not depth or not (fields := fields_of(type(value))):
        if depth and is_listing(value):
            return [_plain(member, depth - 1, single) for member in value]
        return to_jsonable_python(single(value), fallback=str)
    keyed = next(keyed_values(value), None)
    if keyed is not None and keyed.value is value:
        return f"{keyed.kind.__name__}:{keyed.key}"
    claimed = (one.name for one in fields if not one.has_mark(Remark))
    return {name: _plain(getattr(value, name), depth - 1, single) for name in claimed}
