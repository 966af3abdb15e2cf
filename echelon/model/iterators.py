"""Iterators give their values once: whoever looks at one takes them away from everybody after. Pure."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import cast

#: An iterator that gives more than this is taken for one that never ends.
MAX_VALUES = 1_000_000


def read_out(value: object) -> object:
    """Return a value with every iterator in it, also below lists, tuples and dictionaries, read into a list.

    `ValueError` for one that has more than MAX_VALUES. What is no iterator and holds none is returned as it is.
    """
    if isinstance(value, Iterator):
        values = list(islice(cast("Iterator[object]", value), MAX_VALUES + 1))
        if len(values) > MAX_VALUES:
            raise ValueError(f"a {type(value).__name__} gives more than {MAX_VALUES:,} values; return a list")
        return [read_out(member) for member in values]
    if type(value) is dict:
        return _same(value, {key: read_out(member) for key, member in cast("Mapping[object, object]", value).items()})
    if type(value) in (list, tuple):
        members = cast("list[object]", value)
        return _same(members, type(members)(map(read_out, members)))
    return value


def _same(before: object, after: object) -> object:
    """Return what was there before when nothing in it was read out."""
    old, new = (list(one.values()) if isinstance(one, dict) else cast("list[object]", one) for one in (before, after))
    return before if all(was is now for was, now in zip(old, new, strict=True)) else after
