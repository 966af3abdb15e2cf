"""Markdown that agents read, made from names that anybody may have written.

A name comes from a plan, which may come from a model or a file: it is hostile text. It stands in code marks, on one
line and cut to a length, so that it can neither begin a heading, a list or a block, nor fill the page.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import islice

NAMED_AT_MOST = 12  # names in one list; the others are counted
NAME_CHARACTERS = 80  # of one name


def literal(text: str, most: int = NAME_CHARACTERS) -> str:
    """Return `text` in code marks, as it is but for what cannot be printed and for what exceeds `most` characters."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    line = " ".join(printable.split())
    if not line:
        return "(no name)"
    shown = line if len(line) <= most else f"{line[: most - 1]}…"
    longest = max(map(len, re.findall(r"`+", shown)), default=0)
    marks, room = "`" * (longest + 1), " " if longest else ""
    return f"{marks}{room}{shown}{room}{marks}"


def names(ids: Sequence[str], most: int = NAMED_AT_MOST) -> str:
    """Return up to `most` names and the number of the others."""
    return and_more((literal(name) for name in ids), len(ids), most)


def and_more(texts: Iterable[str], count: int, most: int = NAMED_AT_MOST, between: str = ", ") -> str:
    """Join the first `most` of `count` texts, and say how many were left out."""
    shown = between.join(islice(texts, most))
    return f"{shown} and {count - most:,} more" if count > most else shown


def section(title: str, lines: Sequence[str]) -> str:
    """Return a heading with a list below it."""
    return "\n".join([f"## {title}", *(f"- {line}" for line in lines)])


def paragraph(title: str, lines: Sequence[str]) -> str:
    """Return the same as one item of a list: for pages too small for headings."""
    return f"- **{title}:** {' '.join(lines)}"


def counted(number: int, noun: str, many: str = "s", one: str = "") -> str:
    """Return a number with its noun, in the singular or the plural."""
    return f"{number:,} {noun}{one if number == 1 else many}"
