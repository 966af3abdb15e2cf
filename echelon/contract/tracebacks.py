"""The whole error of an agent: the code that it came through, and what caused it (V2)."""

import os
import traceback
from collections.abc import Iterator
from pathlib import Path

from echelon.contract.complaint import legible
from echelon.redaction import redact

#: The most that is kept of a whole error, in characters: its beginning, and more of its end, where the cause stands.
MAX_CHARACTERS = 4_000
_BEGINNING = 800

#: What led to the agent is the same for all: only its own code says something.
_OURS = f"{Path(__file__).parents[1]}{os.sep}"


def traceback_of(error: BaseException) -> str:
    """Return an error with its traceback and its causes, without secrets; frames of Echelon itself are left out."""
    whole = traceback.TracebackException.from_exception(error)
    for part in _parts(whole):
        own = [frame for frame in part.stack if not frame.filename.startswith(_OURS)]
        part.stack = traceback.StackSummary.from_list(own) if own else None  # pyright: ignore[reportAttributeAccessIssue] - `format` takes None
    lines = redact("".join(whole.format())).splitlines()
    return _shortened("\n".join(map(legible, lines)))


def _parts(whole: traceback.TracebackException) -> Iterator[traceback.TracebackException]:
    yield whole
    for part in (whole.__cause__, whole.__context__, *(whole.exceptions or ())):
        if part is not None:
            yield from _parts(part)


def _shortened(text: str) -> str:
    if len(text) <= MAX_CHARACTERS:
        return text
    end = MAX_CHARACTERS - _BEGINNING
    return f"{text[:_BEGINNING]}\n… {len(text) - MAX_CHARACTERS:,} characters left out …\n{text[-end:]}"
