"""How counts, durations, shares, sizes, moments and lists read in a line: the one home of such texts. Pure."""

import re
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

_HOUR = 3600  # seconds

_SIZES = ("bytes", "KB", "MB", "GB", "TB")


def count(number: int, noun: str, many: str = "") -> str:
    """Return `1 task`, `2 tasks`, `1,200 tasks`; `many` is for nouns that take more than an s.

    >>> count(1, "dependency", "dependencies"), count(1_200, "task")
    ('1 dependency', '1,200 tasks')
    """
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def duration(seconds: float | None) -> str:
    """Return seconds as people say them: 0.4 s, 12 s, 3 min 5 s, 2 h 1 min; nothing for None.

    >>> duration(9.97), duration(59.7), duration(7_259)
    ('10 s', '1 min 0 s', '2 h 1 min')
    """
    if seconds is None:
        return ""
    if round(seconds, 1) < 10:
        return f"{seconds:.1f} s"
    if round(seconds) >= _HOUR:
        hours, minutes = divmod(round(seconds / 60), 60)
        return f"{hours:,} h {minutes} min"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def age(old: timedelta) -> str:
    """Return how old something is, as people say it.

    >>> age(timedelta(seconds=40)), age(timedelta(hours=12, minutes=50)), age(timedelta(days=9, hours=3))
    ('40 s', '12 h', '9 days')
    """
    seconds = int(old.total_seconds())
    for size, unit, least in _AGES:
        if seconds >= size * least:
            return f"{seconds // size:,} {unit}"
    return f"{seconds} s"


def too_old(what: str, old: timedelta, allowed: timedelta) -> str:
    """Say that something is older than it may be; where both sound the same, to the second.

    >>> too_old("the last good output", timedelta(days=9), timedelta(days=7))
    'the last good output is 9 days old, older than the 7 days allowed'
    """
    said = (age(old), age(allowed)) if age(old) != age(allowed) else (str(old), str(allowed))
    return f"{what} is {said[0]} old, older than the {said[1]} allowed"


#: Seconds of a unit, its name, and how many of them make it the unit that is said.
_AGES = ((24 * _HOUR, "days", 2), (_HOUR, "h", 1), (60, "min", 1))

#: Halves of surrogate pairs, which no encoding has; as what follows, a set for a regular expression.
HALVES = "\ud800-\udfff"

#: What moves a terminal's cursor, changes what it does, or turns the direction of writing; and halves of characters.
UNSAFE = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069" + HALVES
_UNSAFE = re.compile(f"[{UNSAFE}]")


def printable(text: str) -> str:
    r"""Return text that a terminal only shows, whoever wrote it; line ends and tabs stay.

    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)


def printable_json(document: str) -> str:
    """Return JSON that means the same and that a terminal only shows: all of this can only stand in its texts."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def percent(share: float | None, digits: int = 0) -> str:
    """Return a share as a percentage; `unknown` for None, which is never the same as zero."""
    return "unknown" if share is None else f"{share * 100:.{digits}f} %"


def size(number: float) -> str:
    """Return a number of bytes in the unit that people use for it.

    >>> size(12), size(1_500), size(999_700)
    ('12 bytes', '2 KB', '1 MB')
    """
    power = 0
    while round(number) >= 1000 and power < len(_SIZES) - 1:
        number /= 1000
        power += 1
    return f"{number:,.0f} {'byte' if power == 0 and round(number) == 1 else _SIZES[power]}"


def moment(at: datetime | None) -> str:
    """Return a moment in local time, to the second; nothing for None."""
    return "" if at is None else f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def spaced(name: str) -> str:
    """Return a name with spaces between its words."""
    return name.replace("_", " ")


def one_line(text: object) -> str:
    """Return a text on one line, with single spaces."""
    return " ".join(str(text).split())


def truncate(text: str, most: int) -> str:
    """Return a text, or its beginning with an ellipsis, in at most `most` characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def head(lines: Sequence[str], most: int) -> list[str]:
    """Return the first lines and, where there are more, how many."""
    rest = len(lines) - most
    return [*lines[:most], f"and {rest:,} more"] if rest > 0 else list(lines)


def listed(items: Collection[T], most: int, show: Callable[[T], str] = str, between: str = ", ") -> str:
    """Return the first items in one line, each as `show` writes it, and how many more there are.

    >>> listed(["a", "b", "c"], 2, repr)
    "'a', 'b' and 1 more"
    """
    rest = len(items) - most
    shown = between.join(show(item) for item in islice(items, most))
    return f"{shown} and {rest:,} more" if rest > 0 else shown


def tally(launched: int, returned: int, missing: int) -> str:
    """Say how many steps a run had to do, how many delivered, and how many did not."""
    return f"{launched:,} launched, {returned:,} returned, {missing:,} missing"
