"""JSON into plain values, with one clear line for whatever is not JSON. No meaning is given to them here."""

import json

from echelon.definition.graph_file.values import Unread, decimal, object_of, whole
from echelon.model.errors import InvalidInput


def parse_json(text: str) -> object:
    """Return the value of a JSON text; `InvalidInput` says in which line and column it is none."""
    try:
        return json.loads(
            text, object_pairs_hook=object_of, parse_int=whole, parse_float=decimal, parse_constant=Unread
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidInput(f"this is not JSON, at {where}: {error.msg}; correct it there") from error
    except RecursionError as error:
        raise InvalidInput("lists or objects are nested too deeply; a task graph needs five levels") from error
