"""A contract's name and version: the same type always has the same one, a changed type another (C7). Pure.

A name looks like `Finding@1.2+0c5d…`: type, version, and a digest of the schema. The version is what people promise
each other; the digest is what a step's identity rests on, so that a journal never hands on what was checked against
another schema: such a step is done again.
"""

import hashlib
import json
import re
import types
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple, TypeVar, Union, get_args, get_origin

from pydantic import TypeAdapter

from echelon.model.edges import OutputType
from echelon.model.errors import InvalidJob

Contracted = TypeVar("Contracted", bound=type)

_VERSION = re.compile(r"(?P<major>\d{1,6})(\.(?P<minor>\d{1,6}))?")
_NAME = re.compile(r"(?P<type>.+)@(?P<major>\d+)\.(?P<minor>\d+)\+(?P<digest>[0-9a-f]{12})", re.DOTALL)
#: Where a class states the version of its contract.
_STATED = "contract_version"
_UNIONS = (Union, types.UnionType)


class Version(NamedTuple):
    """What people promise each other: the major part changes when a consumer must change."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


#: The version of a contract that states none.
UNSTATED = Version(1, 0)


class Stated(NamedTuple):
    """What the name of a contract says."""

    type_name: str
    version: Version


def contract(*, version: str) -> Callable[[Contracted], Contracted]:
    """State the version of a contract, as `major.minor`; `InvalidJob` when it is none.

    @contract(version="2.0")
    class Finding(BaseModel): ...
    """

    def decorate(target: Contracted) -> Contracted:
        _read_version(version, target.__name__)
        setattr(target, _STATED, version)
        return target

    return decorate


def contract_name(output_type: OutputType) -> str:
    """Name a contract with its version, and a digest of its schema so that a changed contract is another one (C7)."""
    try:
        return _contract_name(output_type)
    except TypeError:  # an unhashable annotation
        return _contract_name.__wrapped__(output_type)


def version_of(output_type: OutputType) -> Version:
    """Return the version of a contract: the one its class states as `contract_version`.

    A container has the version of what it contains, the highest of several; what states none is 1.0.
    """
    stated = [
        _read_version(getattr(one, _STATED), one.__name__) for one in classes_in(output_type) if states_version(one)
    ]
    return max(stated, default=UNSTATED)


def stated_in(name: str) -> Stated | None:
    """Read the name of a contract; None for one from before contracts had versions."""
    found = _NAME.fullmatch(name)
    return Stated(found["type"], Version(int(found["major"]), int(found["minor"]))) if found else None


def without_digest(name: str) -> str:
    """Return the name of a contract as people read it: type and version."""
    stated = stated_in(name)
    return f"{stated.type_name}@{stated.version}" if stated else name


def type_name(annotation: OutputType) -> str:
    """Return what people call a type."""
    if get_origin(annotation) in _UNIONS:
        return "|".join(type_name(arm) for arm in get_args(annotation))
    inner = [type_name(one) for one in get_args(annotation) if one is not ...]
    own = getattr(annotation, "__name__", None) or (str(annotation) if not inner else "")
    if annotation is type(None):
        return "None"
    return f"{own}[{','.join(inner)}]" if inner else own


def classes_in(annotation: OutputType) -> Iterator[type]:
    """Yield the classes that a type is made of, its own first; classes in fields of a class are its own affair."""
    arms = get_args(annotation)
    if isinstance(annotation, type) and not arms:
        yield annotation
    for arm in arms:
        yield from classes_in(arm)


@lru_cache(maxsize=256)
def _contract_name(output_type: OutputType) -> str:
    schema = TypeAdapter(output_type).json_schema(mode="serialization")
    digest = hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()[:12]
    return f"{type_name(output_type)}@{version_of(output_type)}+{digest}"


def states_version(candidate: type) -> bool:
    """Say whether a class states the version of its contract."""
    return getattr(candidate, _STATED, None) is not None


def _read_version(text: object, whose: str) -> Version:
    found = _VERSION.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise InvalidJob(f"contract {whose!r}: version {text!r} is none; write major.minor, such as '1.2'")
    return Version(int(found["major"]), int(found["minor"] or 0))
