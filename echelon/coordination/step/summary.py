"""What an output is, in one line, for agents that do not say it themselves: made from what they delivered (C1). Pure.

Only JSON types are looked at: nothing that a user made is called. The text is the agent's, and hostile like all output.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from echelon.coordination.step.envelope import one_line
from echelon.model.edges import is_listing, is_object
from echelon.model.phrasing import count, truncate
from echelon.model.phrasing import one_line as on_one_line
from echelon.redaction import redact

#: Members of an output that a summary shows; the others are counted.
_SHOWN = 6

#: The longest name or text of one member, in characters.
_MEMBER = 100

#: How much of a text is looked at, in characters.
_LOOKED_AT = 10_000

#: How deep a summary looks into an output; what lies deeper is counted.
_DEPTH = 2

#: Words of JSON, as people say them.
_WORDS: dict[bool | None, str] = {None: "nothing", True: "yes", False: "no"}


def summary_of(plain: object) -> str:
    """Return one line that says what an output in JSON types is: its own summary, else its text, else its members."""
    own = plain.get("summary") if is_object(plain) else None
    said = next((text for text in (own, plain) if isinstance(text, str)), "")
    return one_line("\n".join(_telling(said))) or one_line(_value(plain))


def _telling(text: str) -> Iterator[str]:
    """Yield the lines of a text that say something, without marks of headings and lists: no rules, no fences."""
    for line in text[:_LOOKED_AT].splitlines():
        if any(map(str.isalnum, line)) and not line.lstrip().startswith("```"):
            yield line.lstrip("#>*- \t")


def _value(plain: object, depth: int = 0) -> str:
    if plain is None or isinstance(plain, bool):
        return _WORDS[plain]
    if isinstance(plain, str):
        return _text(plain)
    if is_object(plain):
        fields = (f"{_text(name)}: {_value(value, depth + 1)}" for name, value in plain.items())
        return _members(fields, len(plain), depth, ", ") or count(len(plain), "field")
    if is_listing(plain):
        items = _members((_value(item, depth + 1) for item in plain), len(plain), depth, "; ")
        return f"{count(len(plain), 'item')}{': ' if items else ''}{items}"
    return str(plain)


def _members(said: Iterable[str], number: int, depth: int, between: str) -> str:
    """Return the first members and how many more there are; empty where there are none, or they lie too deep."""
    if depth >= _DEPTH:
        return ""
    more = f" and {number - _SHOWN:,} more" if number > _SHOWN else ""
    return between.join(islice(said, _SHOWN)) + more


def _text(text: str) -> str:
    """Return a text on one line; what has no words in it, such as bytes as text, is counted."""
    line = on_one_line(redact(text[:_LOOKED_AT]))  # before it is cut: half a secret is not recognised
    unreadable = len(line) > _MEMBER and " " not in line
    return count(len(text), "character") if unreadable else truncate(line, _MEMBER) or "empty"
