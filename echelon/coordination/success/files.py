"""Which files changed in a folder: a cheap look at it before and after, bounded, without what git keeps there."""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from echelon.journal.digest import digest_of
from echelon.model.verification.trace import MAX_DIGESTED_BYTES, MAX_DIGESTS

#: Folders that are never looked into: what is in them is made by tools, or is another's.
LEFT_OUT = frozenset({".git", ".hg", ".venv", "node_modules", "__pycache__", ".pytest_cache", ".ruff_cache"})

#: Files that are looked at in one folder at most.
MAX_LOOKED_AT = 50_000


@dataclass(frozen=True)
class FolderState:
    """What lay in a folder at one moment."""

    files: Mapping[str, tuple[int, int]]
    """Path below the folder → time of the last change in nanoseconds, and size in bytes."""
    is_whole: bool
    """Was everything in it looked at? Of a folder that is too large nobody knows what changed."""

    @property
    def tree(self) -> str:
        """Identity of what lay in it, by names and sizes; empty when nothing did. Times differ from copy to copy."""
        return digest_of(sorted((path, size) for path, (_, size) in self.files.items())) if self.files else ""

    def changed_since(self, before: "FolderState") -> list[str]:
        """Return the files that were made, changed or taken away since."""
        made = [path for path, known in self.files.items() if before.files.get(path) != known]
        gone = [path for path in before.files if path not in self.files] if self.is_whole else []
        return sorted((*made, *gone))


EMPTY = FolderState({}, is_whole=True)


def look_at(folder: Path, apart: Path | None = None, most: int = MAX_LOOKED_AT) -> FolderState:
    """Look at a folder; one that is not there, or may not be read, is empty. Links are not followed.

    What lies in `apart` belongs to somebody else.
    """
    files: dict[str, tuple[int, int]] = {}
    for path, known in _files_in(folder, "", str(apart)):
        if len(files) >= most:
            return FolderState(files, is_whole=False)
        files[path] = (known.st_mtime_ns, known.st_size)
    return FolderState(files, is_whole=True)


def digests_in(folder: Path, paths: Sequence[str]) -> dict[str, str]:
    """Return what is in files below a folder, as digests; empty for one that is not there any more.

    Bounded: what is no regular file, or is too large, is left out, and so are the files behind the first ones.
    """
    found = ((path, _digest(folder / path)) for path in paths[:MAX_DIGESTS])
    return {path: digest for path, digest in found if digest is not None}


def _digest(path: Path) -> str | None:
    try:
        # Neither a link that leads elsewhere nor a pipe that nobody writes into.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return ""
    except OSError:  # a link, or not ours to read: nothing is known of it
        return None
    with os.fdopen(descriptor, "rb") as file:
        known = os.fstat(descriptor)
        if not stat.S_ISREG(known.st_mode) or known.st_size > MAX_DIGESTED_BYTES:
            return None
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files_in(folder: Path | str, below: str, apart: str) -> Iterator[tuple[str, os.stat_result]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:  # gone meanwhile, or not ours to read: nothing is known of it
        return
    for entry in entries:
        path = f"{below}{entry.name}"
        try:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in LEFT_OUT and entry.path != apart:
                    yield from _files_in(entry.path, f"{path}/", apart)
            else:
                yield path, entry.stat(follow_symlinks=False)
        except OSError:  # gone between the two looks
            continue
