"""Is what consumers will read the same as what was delivered? In JSON types and secrets get lost (C6). Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

from pydantic import SecretBytes, SecretStr
from pydantic.errors import PydanticUserError

from echelon.contract.complaint import described, place
from echelon.model.adapter import JsonObject
from echelon.model.edges import Contract, is_listing, is_mapping
from echelon.redaction import secrets_in

Place = tuple[object, ...]

#: Nothing is there.
_LOST = object()


class Difference(NamedTuple):
    """Something that consumers would read as something else."""

    where: Place
    """Keys and positions that lead to it."""
    delivered: object
    """What was delivered."""
    read: object
    """What would be read."""

    @property
    def is_secret(self) -> bool:
        """Would it be masked?"""
        return isinstance(self.delivered, SecretStr | SecretBytes)

    def __str__(self) -> str:
        """Say what it is, in one line, without its value when that is a secret."""
        if self.is_secret:
            return f"{place(self.where)}: a secret is not recorded; hand on where to find it instead"
        if self.read is _LOST:
            return f"{place(self.where)}: {described(self.delivered)} would be lost, the contract has no such field"
        return f"{place(self.where)}: {described(self.delivered)} would be read as {described(self.read)}"


def holds_secret(value: object) -> bool:
    """Say whether there is a secret anywhere in a value."""
    return next(secrets_in(value), None) is not None


def differences(delivered: object, read: object, contract: Contract) -> tuple[Difference, ...]:
    """Return where an output and what is read of it are not the same, as far as the contract says what is to be there.

    Where it takes anything, no more is promised than what JSON has; only a secret must not become asterisks there.
    """
    found = all_differences(delivered, read, contract)
    schema = _schema_of(contract) if found else {}
    return tuple(one for one in found if one.is_secret or _states(schema, one.where))


def all_differences(sent: object, arrived: object, contract: Contract) -> tuple[Difference, ...]:
    """Return where two values are not the same, also where their contract takes anything."""
    before, after = (
        contract.dump_python(one, serialize_as_any=True, round_trip=True, warnings=False) for one in (sent, arrived)
    )
    return tuple(_compare(before, after, ()))


def _compare(before: object, after: object, where: Place) -> Iterator[Difference]:
    if is_mapping(before) and is_mapping(after):
        for key, member in before.items():
            if key in after:
                yield from _compare(member, after[key], (*where, key))
            else:
                yield Difference((*where, key), member, _LOST)
    elif is_listing(before) and is_listing(after) and len(before) == len(after):
        for position, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _compare(one, other, (*where, position))
    elif not _is_same(before, after):
        yield Difference(where, before, after)


#: Numbers of one value are the same: where a float is promised, a whole one may be given.
_NUMBERS = (int, float)


def _is_same(before: object, after: object) -> bool:
    """Compare what is no container. A member of a string enumeration is that string; 1 and True are not the same."""
    if type(before).__eq__ is object.__eq__:
        return True  # nobody can tell
    kinds = type(before), type(after)
    related = issubclass(*kinds) or issubclass(*reversed(kinds))
    return before == after and ((related and bool not in kinds) or kinds[0] is kinds[1] or set(kinds) == set(_NUMBERS))


def _schema_of(contract: Contract) -> JsonObject:
    """Return what a contract says as a JSON schema; one that says nothing where it cannot be written so."""
    try:
        return contract.json_schema(by_alias=False, mode="serialization")
    except PydanticUserError:
        return {}


#: Keys by which a schema says what is to be there.
_STATEMENTS = frozenset({"type", "const", "enum", "properties"})


def _states(schema: JsonObject, where: Place) -> bool:
    """Say whether a schema states what is to be at a place; also that nothing is."""
    nodes = _arms(schema, schema)
    for step in where:
        below = [_below(node, step) for node in nodes]
        if not below:
            return False
        if all(node is None for node in below):
            return True
        nodes = [arm for node in below if node is not None for arm in _arms(node, schema)]
    return bool(nodes) and all(_STATEMENTS & node.keys() for node in nodes)


def _arms(node: JsonObject, schema: JsonObject) -> list[JsonObject]:
    """Return the schemas that a node stands for: what it refers to, each arm of a choice."""
    if "$ref" in node:
        return _arms(schema["$defs"][str(node["$ref"]).rpartition("/")[2]], schema)
    arms = [arm for choice in ("anyOf", "oneOf", "allOf") for arm in node.get(choice, ())]
    return [found for arm in arms for found in _arms(arm, schema)] if arms else [node]


def _below(node: JsonObject, step: object) -> JsonObject | None:
    """Return the schema of a member of what a node describes; None when it has no such member."""
    if node.get("type") == "array":
        first = cast("list[JsonObject]", node.get("prefixItems", []))
        if isinstance(step, int) and step < len(first):
            return first[step]
        return _any_or(node.get("items", {}))
    properties = cast("Mapping[str, JsonObject]", node.get("properties", {}))
    if step in properties:
        return properties[str(step)]
    if node.get("type") != "object":
        return {} if not _STATEMENTS & node.keys() else None
    return _any_or(node.get("additionalProperties", False if properties else {}))


def _any_or(rest: Any) -> JsonObject | None:
    """Return the schema of the rest of an array or object, where True is anything and False is nothing."""
    if isinstance(rest, bool):
        return {} if rest else None
    return cast("JsonObject", rest)
