"""What the work on a task left behind, whatever its result claims (D11): what was read, run, called and changed."""

from collections.abc import Iterable

from pydantic import Field

from echelon.model.base import Value
from echelon.model.graph import WorkerKind
from echelon.model.phrasing import truncate

#: Entries that are kept of each kind, and the longest of them in characters: a trace is part of a handoff.
MAX_ENTRIES, MAX_CHARACTERS = 200, 300


#: Changed files of which a trace says what was in them, and the largest of them in bytes.
MAX_DIGESTS, MAX_DIGESTED_BYTES = 200, 32 * 2**20


class ChangedFolder(Value):
    """A folder in which files were changed, with what was in them when the work was done (X9)."""

    folder: str
    """Where it is."""
    tree: str = ""
    """Identity of what lay in it before, by names and sizes: copies of one tree have the same; empty: nothing did."""
    files: dict[str, str]
    """Path below the folder → digest of the content; empty where the file was taken away."""


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
    folders: tuple[ChangedFolder, ...] = ()
    """What was in those files, as far as it was looked at; paths that tools of a model were given are not in it."""
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
