"""What a command says that it used: tokens, calls and cost, read from what it prints (F4, M1).

What is not said is not known, which is never zero. Nothing that goes wrong here fails the task: it is logged, and the
usage stays unknown.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from math import isfinite
from typing import TypeAlias

from pydantic_core import from_json

from echelon.agents.observed import OBSERVER
from echelon.model.edges import Foreign, is_listing, is_mapping, is_object
from echelon.model.errors import InvalidJob
from echelon.model.usage import Usage

log = logging.getLogger("echelon.agents")

#: What can be read; seconds are measured around the call.
_FIELDS = ("tokens_in", "tokens_out", "calls", "cost")

#: Where a figure stands in JSON: names and positions between dots, several places are added up.
Place: TypeAlias = str | Sequence[str]

#: How usage is read: a function of stdout, or the place of each figure.
ReadUsage: TypeAlias = Callable[[str], Usage] | Mapping[str, Place]

_UNKNOWN = Usage(calls=1)


def check_places(stated: ReadUsage | None, command: str) -> None:
    """Refuse what is neither a function nor places of figures; `InvalidJob` says which figures can be read."""
    if stated is None or callable(stated):
        return
    known = ", ".join(_FIELDS)
    if not is_mapping(stated) or not stated:
        raise InvalidJob(f"command {command!r}: usage takes a function of stdout, or places of figures ({known})")
    for name, place in stated.items():
        if name not in _FIELDS:
            raise InvalidJob(f"command {command!r}: usage has no {name!r}; figures are {known}")
        several = place if is_listing(place) else (place,)
        if not several or not all(isinstance(one, str) and one for one in several):
            raise InvalidJob(f"command {command!r}: the place of {name} is a path such as 'usage.input_tokens'")


def usage_in(stdout: str, read: ReadUsage, command: str) -> Usage:
    """Return what a command says that it used, at least one call; unknown where it does not say it."""
    try:
        found = _read(stdout, read)
        if not isinstance(found, Usage):
            raise TypeError(f"it is a {type(found).__name__}, and no Usage")
    except Exception as error:  # noqa: BLE001 - a reader of the user's may raise anything, and the work is done
        why = f"{type(error).__name__}: {error}"
        _report(f"command {command!r}: its usage could not be read, tokens and cost are unknown: {why}")
        return _UNKNOWN
    return counted(found)


def _report(message: str) -> None:
    """Put a message into the log of the step; where no run is at work, into that of the process."""
    observer = OBSERVER.get()
    if observer is None:
        log.warning(message)
    else:
        observer.logged(logging.WARNING, message)


def counted(usage: Usage) -> Usage:
    """Return a usage that has the call itself, where its commands told no calls."""
    return usage if usage.calls else usage.model_copy(update={"calls": 1})


def _read(stdout: str, read: ReadUsage) -> object:
    return read(stdout) if callable(read) else _from_places(stdout, read)


def _from_places(stdout: str, places: Mapping[str, Place]) -> Usage:
    documents = list(_documents(stdout))
    figures = {name: _figure(name, documents, _places(place)) for name, place in places.items()}
    if all(figure is None for figure in figures.values()):
        raise ValueError(f"stdout has none of {', '.join(one for place in places.values() for one in _places(place))}")
    return Usage.model_validate({name: figure for name, figure in figures.items() if figure is not None})


def _documents(stdout: str) -> Iterator[Foreign]:
    """Yield the JSON that was printed, the last first: one document, a list of messages, or one on each line."""
    try:
        whole = from_json(stdout)
    except ValueError:
        for line in reversed(stdout.splitlines()):
            if line.lstrip().startswith("{"):
                try:
                    yield from_json(line)
                except ValueError:
                    continue
    else:
        yield whole
        yield from reversed(whole) if is_listing(whole) else ()


def _figure(name: str, documents: Sequence[Foreign], places: Sequence[str]) -> float | None:
    """Return the sum of what stands at the places, each where it was said last; None where none is said."""
    said = [_last(documents, place) for place in places]
    figures = [figure for figure in said if figure is not None]
    for figure in figures:
        if isinstance(figure, bool) or not isinstance(figure, int | float) or not isfinite(figure) or figure < 0:
            raise ValueError(f"{name} is {figure!r}, and no figure")
    return sum(figures) if figures else None


def _last(documents: Sequence[Foreign], place: str) -> Foreign:
    found = (reduce(_within, place.split("."), document) for document in documents)
    return next((value for value in found if value is not None), None)


def _within(document: Foreign, name: str) -> Foreign:
    if is_object(document):
        return document.get(name)
    known = is_listing(document) and name.isdecimal() and int(name) < len(document)
    return document[int(name)] if known else None


def _places(place: Place) -> tuple[str, ...]:
    return (place,) if isinstance(place, str) else tuple(place)
