"""Markdown that agents read, made from names that anybody may have written.

A name comes from a plan, which may come from a model or a file: it is hostile text. It stands in code marks, on one
line and cut to a length, so that it can neither begin a heading, a list or a block, nor fill the page.
"""

import re
from collections.abc import Sequence

from echelon.model.phrasing import listed, one_line, truncate

NAMED_AT_MOST = 12  # names in one list; the others are counted
NAME_CHARACTERS = 80  # of one name


def literal(text: str, most: int = NAME_CHARACTERS) -> str:
    """Return `text` in code marks, as it is but for what cannot be printed and for what exceeds `most` characters."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    line = one_line(printable)
    if not line:
        return "(no name)"
    shown = truncate(line, most)
    longest = _longest_marks(shown)
    marks, room = "`" * (longest + 1), " " if longest else ""
    return f"{marks}{room}{shown}{room}{marks}"


def names(ids: Sequence[str], most: int = NAMED_AT_MOST) -> str:
    """Return up to `most` names and the number of the others."""
    return listed(ids, most, literal)


def fenced(text: str, language: str = "text") -> str:
    r"""Return a text of several lines in a fence that is longer than any in it, so that nothing in it ends the block.

    >>> fenced("a\n```\n# b")
    '````text\na\n```\n# b\n````'
    """
    marks = "`" * max(3, _longest_marks(text) + 1)
    return f"{marks}{language}\n{text}\n{marks}"


def section(title: str, lines: Sequence[str]) -> str:
    """Return a heading with a list below it."""
    return "\n".join([f"## {title}", *(f"- {line}" for line in lines)])


def paragraph(title: str, lines: Sequence[str]) -> str:
    """Return the same as one item of a list: for pages too small for headings."""
    return f"- **{title}:** {' '.join(lines)}"


def _longest_marks(text: str) -> int:
    return max(map(len, re.findall(r"`+", text)), default=0)
