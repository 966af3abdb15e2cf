"""Lines of a brief: short, on one line each, without secrets, and bounded in number (X8). Pure."""

from collections.abc import Sequence

from echelon.model.phrasing import head, one_line, printable, truncate
from echelon.redaction import redact

#: The longest line of a brief, in characters.
MAX_LINE = 300

#: Lines of one kind in a brief; the rest is counted.
MAX_LINES = 10


def brief_line(text: str) -> str:
    """Return a text as a line of a brief; it may have been written by anybody."""
    return truncate(printable(one_line(redact(text))), MAX_LINE)


def brief_lines(texts: Sequence[str], most: int = MAX_LINES) -> tuple[str, ...]:
    """Return the first texts as lines of a brief, and how many more there are."""
    return tuple(head([brief_line(one) for one in texts[:most]] + ["" for _ in texts[most:]], most))
