"""Where types end: the validator of a contract, and JSON that somebody else wrote. Named once, with the reason."""

from typing import Any, TypeAlias, cast

from pydantic import TypeAdapter

#: An object of JSON, as a program reads or makes it: what is in it is known by its keys only, and `object` would need
#: a cast at each of them.
JsonObject: TypeAlias = dict[str, Any]


def adapter_of(contract: object) -> TypeAdapter[object]:
    """Return the validator of a contract: a class, a container of some, a union, `Any`.

    No type says "what pydantic can validate", so that contracts are objects everywhere else.
    """
    return TypeAdapter(cast("type[object]", contract))
