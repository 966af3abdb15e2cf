"""What the tasks of a phase touch, as it was stated: names, or a function that names them for an item (D4)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias, cast

from echelon.definition.names import recordable_name
from echelon.model.errors import InvalidJob

#: Names of shared things, or a function of the item that returns them.
Touches: TypeAlias = Sequence[str] | Callable[[Any], Sequence[str]]


def check_touches(phase: str, touches: Touches, *, takes_item: bool) -> None:
    """Refuse what cannot name shared things, before any item is known; `InvalidJob` says how."""
    if not callable(touches):
        touched_names(phase, touches)
    elif not takes_item:
        raise InvalidJob(f"phase {phase!r}: `touches` is a function of an item, and there is no `over`; give names")


def touched_by(phase: str, touches: Touches, item: object) -> tuple[str, ...]:
    """Return what the task of an item touches, each once."""
    return touched_names(phase, touches(item) if callable(touches) else touches)


def touched_names(phase: str, names: object) -> tuple[str, ...]:
    """Return names as they are recorded; `InvalidJob` for a text, whose letters are no names, and for anything else."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise InvalidJob(f'phase {phase!r}: `touches` is {names!r}; give the names in a list, as in ["the database"]')
    listed = tuple(cast("Iterable[object]", names))
    wrong = [one for one in listed if not isinstance(one, str) or not one.strip()]
    if wrong:
        raise InvalidJob(f"phase {phase!r}: `touches` names {wrong[0]!r}; each name is a text that is not empty")
    return tuple(dict.fromkeys(recordable_name(str(one)) for one in listed))
