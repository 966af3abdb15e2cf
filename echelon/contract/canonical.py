"""One form for each thing that can be said, so that two texts of the same number or moment are no contradiction. Pure.

A right output is never rejected for how it is written: `1.0` is `1`, 0.1 + 0.2 is 0.3, a moment is the same in every
time zone, and `é` is one letter, whether it is stored as one sign or as two.
"""

import math
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

#: Digits in which two numbers must agree to be the same: what arithmetic adds behind them is noise.
DIGITS = 12


def _text(value: str) -> str:
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def _number(value: float | Decimal) -> object:
    if not math.isfinite(value):
        return str(value).lower()
    if isinstance(value, Decimal) and len(value.as_tuple().digits) + abs(value.adjusted()) > DIGITS:
        return value  # as exact as it was written
    return int(value) if value == int(value) else float(f"{value:.{DIGITS}g}")


def _moment(value: datetime) -> datetime:
    return value if value.utcoffset() is None else value.astimezone(UTC)


def _members(value: Iterable[object]) -> list[str]:
    return sorted(str(canonical(one)) for one in value)


def _of_enum(value: Enum) -> object:
    return canonical(value.value)


#: How a value of a type is brought into its one form; the first row that fits.
_FORMS: tuple[tuple[type | tuple[type, ...], Callable[[Any], object]], ...] = (
    (Enum, _of_enum),
    (str, lambda text: _text(str(text))),
    ((float, Decimal), _number),
    (datetime, _moment),
    ((set, frozenset), _members),
)

#: Types of which every value has one form only.
_ONE_FORM = frozenset({int, bool, type(None)})


def canonical(value: object) -> object:
    """Return the form of a single value by which it is compared; what has no other forms as it is.

    >>> canonical(1.0), canonical(0.1 + 0.2), canonical(Decimal("1.50")), canonical(Decimal(2))
    (1, 0.3, 1.5, 2)
    """
    kind = type(value)
    if kind in _ONE_FORM:  # most are
        return value
    if kind is str:
        return _text(value)  # pyright: ignore[reportArgumentType] - just seen
    form = next((make for kinds, make in _FORMS if isinstance(value, kinds)), None)
    return value if form is None else form(value)


def says_same(one: object, other: object) -> bool:
    """Say whether two single values are the same: in words apart from white space, in numbers as far as one is exact.

    A number that is rounded says the same, with fewer digits.
    """
    if (type(one) is type(other) and one == other) or _is_rounded(one, other) or _is_rounded(other, one):
        return True
    one, other = canonical(one), canonical(other)
    if isinstance(one, str) and isinstance(other, str):
        return one.split() == other.split()
    return one == other


def _is_rounded(short: object, long: object) -> bool:
    """Say whether one number is the other one with fewer digits behind the point."""
    if not (isinstance(short, int | float) and isinstance(long, float)) or isinstance(short, bool):
        return False
    known, exact = Decimal(repr(short)), Decimal(long)
    if not (known.is_finite() and exact.is_finite()):
        return False
    # Of a share 1 and 0 are the ends: 0.6 is not 1, and 0.96 is 1.0.
    digits = 1 if known in (-1, 0, 1) else max(0, -int(known.normalize().as_tuple().exponent))
    return abs(known - exact) <= Decimal("0.5").scaleb(-digits)
