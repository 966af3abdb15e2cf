"""What JSON and YAML have in common: numbers that can be added up, and objects whose keys are given once."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from echelon.model.adapter import JsonObject
from echelon.model.edges import is_listing, is_mapping
from echelon.model.errors import InvalidInput
from echelon.model.phrasing import HALVES, truncate

#: No count of tokens, seconds or money is larger; sums over millions of tasks stay far below what a float can hold.
LARGEST_NUMBER = 10**18

LARGEST_DIGITS = 30  # characters; a longer whole number is refused unread, because reading one takes its time squared

SHOWN_CHARACTERS = 80  # of a value in a message

_TOO_LARGE = f"too large, the largest number that is read is {LARGEST_NUMBER:.0e}"

#: A whole pair in a text is one character of its own.
_HALF = re.compile(f"[{HALVES}]")

#: How files write what Python writes otherwise.
_WORDS = {None: "null", True: "true", False: "false"}


class Unread:
    """A number that cannot be planned with. It fits nowhere, so that it is refused where it stands, with its place."""

    def __init__(self, text: str, why: str = "") -> None:
        self.text = text if len(text) <= LARGEST_DIGITS else f"{text[:LARGEST_DIGITS]}…"
        self.why = why

    def __repr__(self) -> str:
        return f"{self.text} ({self.why})" if self.why else self.text


def whole(text: str) -> int | Unread:
    """Read a whole number, unless it is too large for anything that is counted."""
    if len(text) > LARGEST_DIGITS or abs(int(text)) > LARGEST_NUMBER:
        return Unread(text, _TOO_LARGE)
    return int(text)


def decimal(text: str) -> float | Unread:
    """Read a decimal number, unless it is too large for anything that is counted."""
    number = float(text)
    return number if abs(number) <= LARGEST_NUMBER else Unread(text, _TOO_LARGE)


def object_of(pairs: Sequence[tuple[str, Any]]) -> JsonObject:
    """Make an object of keys and values, its lists unchangeable; `InvalidInput` names a key that is given twice."""
    made: JsonObject = {key: tuple(value) if is_listing(value) else value for key, value in pairs}
    if len(made) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        where = f" in the object with the id {shown(made['id'])}" if "id" in made else ""
        raise InvalidInput(f"the key {shown(twice)} is given twice{where}; keep one of them")
    return made


def refuse_half_pairs(document: object) -> None:
    """Refuse texts that UTF-8 cannot write: an escape, as `\\ud800`, can stand for half of a surrogate pair."""
    left = [document]
    while left:
        value = left.pop()
        if is_mapping(value):
            left += (*value, *value.values())
        elif is_listing(value):
            left += value
        elif isinstance(value, str) and _HALF.search(value):
            raise InvalidInput(f"the text {shown(value)} has half a surrogate pair in it; write the whole character")


def shown(value: object) -> str:
    """Return a value as it is shown in a message: on one line, and cut short."""
    if isinstance(value, dict | tuple | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = _WORDS.get(value, repr(value)) if value is None or isinstance(value, bool) else repr(value)
    return truncate(text, SHOWN_CHARACTERS)
