"""The difference of two texts, as git writes it. Pure."""

import difflib
import re
from collections.abc import Iterator


def unified(name: str, before: str, after: str) -> str:
    """Return the difference of two texts as git writes it; empty when there is none.

    >>> print(unified("a.py", "x\\n", "y"), end="")
    --- a/a.py
    +++ b/a.py
    @@ -1 +1 @@
    -x
    +y
    \\ No newline at end of file
    """
    old, new = f"a/{name}", f"b/{name}"
    lines = difflib.unified_diff(_lines(before), _lines(after), _quoted(old), _quoted(new))
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """Return the lines of a text, with their ends: those that git knows, not all of Python's."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _quoted(name: str) -> str:
    """Return a name as git writes it: in quotes, where a character in it would end it."""
    if not re.search(r'[\x00-\x1f\x7f"\\]', name):
        return f"{name}\t" if " " in name else name
    return f'"{"".join(_escaped(name))}"'


def _escaped(name: str) -> Iterator[str]:
    for character in name:
        plain = character >= " " and character != "\x7f"
        yield (f"\\{character}" if character in '"\\' else character) if plain else f"\\{ord(character):03o}"
