"""Constants that code refers to, written down in the same way in every process (F8). Pure.

No ids, no addresses, no order of sets. What may be filled while a run is at work, such as a cache, is no constant: a
list or a dict counts where its name is in capitals, by which Python programmers say that it stays as it is.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import partial
from pathlib import PurePath
from typing import Any, cast
from uuid import UUID

#: Values whose `repr` says all of them, in every process.
_PLAIN = (
    *(int, float, complex, str, bytes, bool, type(None), range),
    *(Decimal, Fraction, date, datetime, time, timedelta, UUID, PurePath),
)

#: Values that are constants only where their name says so.
_TABLES = (list, dict, set)


def value_of(value: object) -> str:
    """Write a value down; what cannot be written counts by its kind."""
    for kind, write in _WRITE.items():
        if isinstance(value, kind):
            return write(cast("Any", value))
    return repr(value) if isinstance(value, _PLAIN) else type(value).__qualname__


def is_constant(value: object) -> bool:
    """Say whether a value stays as it is whatever its name is."""
    if isinstance(value, tuple | frozenset):
        return all(map(is_constant, cast("Iterable[object]", value)))
    return isinstance(value, (*_PLAIN, Enum, re.Pattern, partial))


def constants_in(named: Iterable[tuple[str, object]]) -> Iterator[str]:
    """Yield what is constant among named values, written down; names that Python itself sets do not count."""
    for name, value in named:
        if not name.startswith("__") and (is_constant(value) or is_table(name, value)):
            yield f"{name}={value_of(value)}"


def is_table(name: str, value: object) -> bool:
    """Say whether a value that could be filled is a constant by its name."""
    return name.isupper() and isinstance(value, _TABLES)


def parts_of(value: object) -> Iterator[object]:
    """Yield what a value is made of, down to what is no container: functions may stand in tables."""
    if isinstance(value, Mapping):
        for one in cast("Mapping[object, object]", value).values():
            yield from parts_of(one)
    elif isinstance(value, list | tuple | set | frozenset):
        for one in cast("Iterable[object]", value):
            yield from parts_of(one)
    elif isinstance(value, partial):
        yield from parts_of((value.func, *value.args, *value.keywords.values()))
    else:
        yield value


def _set(values: Iterable[object]) -> str:  # `x in {"a", "b"}`
    return f"set({sorted(map(value_of, values))})"


def _sequence(values: Sequence[object]) -> str:
    return f"({','.join(map(value_of, values))})"


def _mapping(values: Mapping[object, object]) -> str:
    return f"dict({sorted((value_of(name), value_of(each)) for name, each in values.items())})"


def _partial(made: "partial[object]") -> str:
    return f"partial({value_of(made.args)},{value_of(made.keywords)})"


def _enum(member: Enum) -> str:
    return f"{type(member).__qualname__}.{member.name}={value_of(member.value)}"


def _pattern(found: "re.Pattern[Any]") -> str:
    return f"re({found.pattern!r},{found.flags})"


#: Kind → how it is written; the first that fits. Members of an enumeration may be texts or numbers too.
_WRITE: dict[type | tuple[type, ...], Any] = {
    Enum: _enum,
    (set, frozenset): _set,
    (tuple, list): _sequence,
    dict: _mapping,
    partial: _partial,
    re.Pattern: _pattern,
}
