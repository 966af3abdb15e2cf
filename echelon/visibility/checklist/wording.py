"""How counts, shares and names read in a proof."""

from collections import Counter
from collections.abc import Collection, Mapping

NAMED = 3  # names told one by one; the others are counted
NAME_CHARACTERS = 40


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return `1 agent`, `2 agents`; `plural` is for words that take more than an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {plural or noun + 's'}"


def share(part: float) -> str:
    """Return a share as a percentage, with one digit so that a threshold and what missed it differ."""
    return f"{part * 100:.1f} %"


def named(names: Collection[str]) -> str:
    """Return the first names, each cut to a readable length, and how many more there are."""
    first = [name if len(name) <= NAME_CHARACTERS else f"{name[: NAME_CHARACTERS - 1]}…" for name in names][:NAMED]
    more = len(names) - len(first)
    return ", ".join(first) + (f" and {more:,} more" if more > 0 else "")


def tallied(counts: Mapping[str, int]) -> str:
    """Return `completed 238, failed 2`, the most frequent first."""
    return ", ".join(f"{name.replace('_', ' ')} {number:,}" for name, number in Counter(counts).most_common())
