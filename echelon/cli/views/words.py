"""How numbers, times and lists read in a line. Pure."""

from collections.abc import Sequence
from datetime import datetime


def count(number: int, noun: str) -> str:
    """Return `1 agent`, `2 agents`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(seconds: float | None) -> str:
    """Return seconds as people say them: 0.4 s, 12 s, 3 min 5 s, 2 h 1 min; nothing for None."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def percent(share: float | None) -> str:
    """Return a share as a percentage; `unknown` for None, which is never the same as zero."""
    return "unknown" if share is None else f"{share * 100:.0f} %"


def moment(at: datetime | None) -> str:
    """Return a moment in local time, to the second; nothing for None."""
    return "" if at is None else f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def cut(text: str, most: int) -> str:
    """Return a text, or its beginning with an ellipsis, in at most `most` characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def first(lines: Sequence[str], most: int) -> list[str]:
    """Return the first lines and, where there are more, how many."""
    rest = len(lines) - most
    return [*lines[:most], f"and {rest} more"] if rest > 0 else list(lines)
