"""What the work on a task left behind, whatever its result claims (D11): what was read, run, called and changed."""

from collections.abc import Iterable

from pydantic import Field

from echelon.model.base import Value
from echelon.model.graph import WorkerKind
from echelon.model.phrasing import truncate

#: Entries that are kept of each kind, and the longest of them in characters: a trace is part of a handoff.
MAX_ENTRIES, MAX_CHARACTERS = 200, 300


class Trace(Value):
    """What was seen of the work on a task while it was done. A check gets it by its type, or by the name `trace`."""

    kind: WorkerKind = WorkerKind.FUNCTION
    """What did the work; it decides what can be seen of it."""
    reads: tuple[str, ...] = ()
    """What it read: paths that tools of a model were given to read, tasks whose outputs a function read."""
    commands: tuple[str, ...] = ()
    """What it ran: the command line of a command, and those that tools of a model were given to run."""
    calls: tuple[str, ...] = ()
    """Every call of a tool, as its name and arguments; of a function, what it asked Echelon for: outputs to read, a
    folder to write in. What only says something is none."""
    changes: tuple[str, ...] = ()
    """Files that were made, changed or taken away, and paths that tools of a model were given to write."""
    left_out: int = Field(default=0, ge=0)
    """Entries that are not kept, of all of these."""
    leaves_trace: bool = True
    """Can anything be seen of work of this kind? Where not, nothing in it says that nothing was done."""
    said: tuple[str, ...] = ()
    """What the agent said while it worked: concerns, and lines that it logged or printed. Its own word, no evidence."""


def kept(entries: Iterable[str]) -> tuple[tuple[str, ...], int]:
    """Return the entries that a trace keeps, each once and bounded, and how many it leaves out."""
    found = list(dict.fromkeys(truncate(" ".join(one.split()), MAX_CHARACTERS) for one in entries if one.strip()))
    return tuple(found[:MAX_ENTRIES]), max(0, len(found) - MAX_ENTRIES)
