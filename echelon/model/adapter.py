"""Where types end: the validator of a contract, and JSON that somebody else wrote. Named once, with the reason."""

from typing import Any, TypeAlias, cast

from pydantic import ConfigDict, TypeAdapter
from pydantic.errors import PydanticUserError

#: An object of JSON, as a program reads or makes it: what is in it is known by its keys only, and `object` would need
#: a cast at each of them.
JsonObject: TypeAlias = dict[str, Any]


_BYTES = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")


def adapter_of(contract: object) -> TypeAdapter[object]:
    """Return the validator of a contract: a class, a container of some, a union, `Any`.

    No type says "what pydantic can validate", so that contracts are objects everywhere else.
    """
    type_ = cast("type[object]", contract)
    try:
        # Bytes of any kind can be handed on; a class says itself how it writes them.
        return TypeAdapter(type_, config=_BYTES)
    except PydanticUserError:
        return TypeAdapter(type_)


def read_json(contract: TypeAdapter[object], data: bytes | str) -> object:
    """Read what `dump_python` or `dump_json` of the same contract wrote: by the names of fields, whatever aliases say.

    Raise pydantic's `ValidationError` for what is something else.
    """
    return contract.validate_json(data, by_alias=True, by_name=True)
