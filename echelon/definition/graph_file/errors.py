"""What pydantic found wrong in a task-graph file, as one line: where, what, and what is known instead."""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from echelon.definition.graph_file.values import shown
from echelon.model.edges import is_mapping
from echelon.model.errors import InvalidInput
from echelon.model.graph import Coupling, Dependency, TaskCriterion, TaskGraph, TaskSpec
from echelon.model.organisation import Organisation, Structure
from echelon.model.oversight.terms import Gate
from echelon.model.priors import Priors
from echelon.model.usage import Budget, Price

#: Whose keys are known where; numbers of items and names of models are left out of the path.
_OWNERS: Mapping[tuple[str, ...], type[BaseModel]] = {
    (): TaskGraph,
    ("tasks",): TaskSpec,
    ("tasks", "depends_on"): Dependency,
    ("tasks", "success"): TaskCriterion,
    ("tasks", "gate"): Gate,
    ("organisation",): Organisation,
    ("priors",): Priors,
    ("budget",): Budget,
    ("standing",): Budget,
    ("prices",): Price,
}

_WORDS: Mapping[str, tuple[str, ...]] = {kind.__name__: tuple(kind) for kind in (Coupling, Structure)}

Error = Mapping[str, Any]


def _last(error: Error) -> str:
    return str(error["path"][-1])


def _unknown_key(error: Error) -> str:
    path: Sequence[str | int] = error["path"]
    owner = _OWNERS.get(_keys_of(path[:-1]))
    if owner is None:
        return f"the key {shown(_last(error))} is unknown"
    known = list(owner.model_fields)
    near = difflib.get_close_matches(_last(error)[:100], known, n=1)
    advice = f"did you mean {near[0]!r}?" if near else f"the known ones are {', '.join(known)}"
    return f"the key {shown(_last(error))} is unknown; {advice}"


def _keys_of(path: Sequence[str | int]) -> tuple[str, ...]:
    if path[:1] == ("prices",):
        return ("prices",)
    return tuple(part for part in path if isinstance(part, str))


#: What is said about each type of error; everything else in pydantic's words.
_SAYINGS: Mapping[str, Callable[[Error], str]] = {
    "missing": lambda error: f"{_last(error)!r} is missing; give it",
    "extra_forbidden": _unknown_key,
    "string_type": lambda error: f"must be a text, not {shown(error['input'])}; put it in quotes",
    "int_type": lambda error: f"must be a whole number, not {shown(error['input'])}",
    "float_type": lambda error: f"must be a number, not {shown(error['input'])}",
    "bool_type": lambda error: f"must be true or false, not {shown(error['input'])}",
    "tuple_type": lambda error: f"must be a list, not {shown(error['input'])}",
    "dict_type": lambda error: f"must be an object, not {shown(error['input'])}",
    "model_type": lambda error: f"must be an object, not {shown(error['input'])}",
    "is_instance_of": lambda error: f"must be one of {', '.join(_WORDS[error['ctx']['class']])}",
    "value_error": lambda error: f"{error['ctx']['error']}; correct this in the file",
}


def explained(document: object, error: ValidationError, above: Sequence[str] = ()) -> InvalidInput:
    """Return what is wrong with a document, or with the part of it under the keys `above`; the first thing found."""
    first: Error = error.errors(include_url=False)[0]
    path = (*above, *first["loc"])
    kind = first["type"]
    place = path[:-1] if kind in ("missing", "extra_forbidden") else path
    saying = _SAYINGS.get(kind, _in_pydantics_words)({**first, "path": path})
    where = _where(document, place)
    return InvalidInput(f"{where}: {saying}" if where else saying)


def _in_pydantics_words(error: Error) -> str:
    said = str(error["msg"]).replace("Input should be", "must be")
    return f"{said[:1].lower()}{said[1:]}, not {shown(error['input'])}"


def _where(document: object, path: Sequence[str | int]) -> str:
    """Return a path as people write it, with the id of the task that it leads through."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{_key(part)}" for part in path).removeprefix(".")
    ids = [value["id"] for value in _passed(document, path) if is_mapping(value) and "id" in value]
    return f"{text} (id {shown(ids[-1])})" if ids else text


def _key(name: str) -> str:
    """Return a key as it stands in a path; one that would break the line is quoted."""
    return name if name.isprintable() else shown(name)


def _passed(document: Any, path: Sequence[str | int]) -> Iterator[object]:
    """Yield what lies on a path, outermost first."""
    for part in path:
        document = document[part]
        yield document
