"""The validator of a contract: the one place where a value that is a type becomes one for the type checker."""

from typing import cast

from pydantic import TypeAdapter


def adapter_of(contract: object) -> TypeAdapter[object]:
    """Return the validator of a contract: a class, a container of some, a union, `Any`.

    No type says "what pydantic can validate", so that contracts are objects everywhere else.
    """
    return TypeAdapter(cast("type[object]", contract))
