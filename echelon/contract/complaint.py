"""What is told about an output that does not fit: the place, the value's kind, the words allowed (C3, C5). Pure.

What an agent delivered is hostile text: it is cut, and escaped, before it is quoted anywhere.
"""

import ast
import difflib
import re
from collections.abc import Mapping, Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from echelon.model.phrasing import listed, truncate

#: How much of a delivered text is quoted, in characters.
QUOTED_CHARACTERS = 60

#: How much of what a validator says is told, in characters.
TOLD_CHARACTERS = 300

#: How many words of a vocabulary are listed.
WORDS_LISTED = 12

#: Joins parts of an emoji and letters of some scripts; harmless, though not printable.
_JOINERS = frozenset("\u200c\u200d")

#: Errors of pydantic that mean a word outside of a vocabulary.
_WORD_ERRORS = frozenset({"enum", "literal_error"})

#: A quoted word in pydantic's list of the expected ones.
_QUOTED_WORD = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")

#: What people call the kinds of values.
_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "the truth value"),
    (str, "the text"),
    (int, "the number"),
    (float, "the number"),
    (Mapping, "an object"),
    (list, "a list"),
    (tuple, "a list"),
    (type(None), "nothing"),
)


def complaint(error: ValidationError, producer: str) -> str:
    """Say in one line what the first misfit is: place, what was wanted, what was delivered, and by whom."""
    return f"{producer} delivered something else than its contract: {misfits(error)}"


def said_of(error: Exception) -> str:
    """Return what an error says; of a validation that failed its first misfit, in place of a paragraph for each."""
    if isinstance(error, ValidationError):
        return f"{legible(error.title)[:QUOTED_CHARACTERS]}: {misfits(error)}"
    return str(error) or repr(error)


def misfits(error: ValidationError) -> str:
    """Say in one line what the first misfit is, and how many more there are."""
    problems = error.errors(include_url=False)
    more = f" (and {len(problems) - 1:,} more)" if len(problems) > 1 else ""
    return f"{misfit(problems[0])}{more}"


def misfit(problem: ErrorDetails) -> str:
    """Say what one error of pydantic means."""
    where = place(problem["loc"])
    delivered = problem.get("input")
    allowed = words_allowed(problem)
    if allowed and isinstance(delivered, str):
        return f"{where}: {quoted(delivered)} is not in its vocabulary: {_listed(nearest_first(delivered, allowed))}"
    return f"{where}: {legible(str(problem['msg']))[:TOLD_CHARACTERS]}, got {described(delivered)}"


def place(location: Sequence[object]) -> str:
    """Return where in an output something is; names of fields may come from the agent too."""
    return ".".join(legible(str(part))[:QUOTED_CHARACTERS] for part in location) or "the output"


def words_allowed(problem: ErrorDetails) -> tuple[str, ...]:
    """Return the vocabulary that a word is not in; empty for every other misfit (C3)."""
    if problem["type"] not in _WORD_ERRORS:
        return ()
    expected = str((problem.get("ctx") or {}).get("expected", ""))
    return tuple(ast.literal_eval(word) for word in _QUOTED_WORD.findall(expected))


def nearest_first(word: str, allowed: Sequence[str]) -> list[str]:
    """Return the words of a vocabulary, the one most like `word` first."""
    start = word[:QUOTED_CHARACTERS].casefold()
    return sorted(allowed, key=lambda one: -difflib.SequenceMatcher(None, start, one.casefold()).ratio())


def described(value: object) -> str:
    """Return the kind of a value, and the value where it is short."""
    kind = next((name for type_, name in _KINDS if isinstance(value, type_)), f"a {type(value).__name__}")
    if isinstance(value, str):
        return f"{kind} {quoted(value)}"
    if isinstance(value, int) and value.bit_length() > 200:
        return f"{kind} with {value.bit_length():,} bits"
    return f"{kind} {value}" if isinstance(value, bool | int | float) else kind


def quoted(text: str) -> str:
    """Return delivered text in quotes: cut, and without anything a terminal or a page could obey."""
    return f"'{legible(truncate(text, QUOTED_CHARACTERS))}'"


def legible(text: str) -> str:
    """Return text on one line in which control characters, and those that turn the direction, are written out."""
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    return " " if character.isspace() else character.encode("unicode_escape").decode()


def _listed(words: Sequence[str]) -> str:
    return listed(words, WORDS_LISTED, quoted)
