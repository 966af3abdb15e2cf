"""Iterators give their values once: whoever looks at one takes them away from everybody after. Pure."""

from collections.abc import Iterator
from itertools import islice
from typing import TypeGuard, cast

#: An iterator that gives more than this is taken for one that never ends.
MAX_VALUES = 1_000_000


def is_iterator(value: object) -> TypeGuard[Iterator[object]]:
    """Say whether a value gives its values once only."""
    return isinstance(value, Iterator)


def read_out(value: object) -> object:
    """Return a value with every iterator in it, also below lists, tuples and dictionaries, read into a list.

    `ValueError` for one that has more than MAX_VALUES. What is no iterator and holds none is returned as it is.
    """
    if is_iterator(value):
        values = list(islice(value, MAX_VALUES + 1))
        if len(values) > MAX_VALUES:
            raise ValueError(f"a {type(value).__name__} gives more than {MAX_VALUES:,} values; return a list")
        return [read_out(member) for member in values]
    if type(value) is dict:
        members = cast("dict[object, object]", value)
        read = {key: read_out(member) for key, member in members.items()}
        return members if all(read[key] is member for key, member in members.items()) else read
    if type(value) in (list, tuple):
        sequence = cast("list[object]", value)
        out = [read_out(member) for member in sequence]
        return sequence if all(was is now for was, now in zip(sequence, out, strict=True)) else type(sequence)(out)
    return value
