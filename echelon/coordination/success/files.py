"""Which files changed in a folder: a cheap look at it before and after, bounded, without what git keeps there."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

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

    def changed_since(self, before: "FolderState") -> list[str]:
        """Return the files that were made, changed or taken away since."""
        made = [path for path, stat in self.files.items() if before.files.get(path) != stat]
        gone = [path for path in before.files if path not in self.files] if self.is_whole else []
        return sorted((*made, *gone))


EMPTY = FolderState({}, is_whole=True)


def look_at(folder: Path, apart: Path | None = None, most: int = MAX_LOOKED_AT) -> FolderState:
    """Look at a folder; one that is not there, or may not be read, is empty. Links are not followed.

    What lies in `apart` belongs to somebody else.
    """
    files: dict[str, tuple[int, int]] = {}
    for path, stat in _files_in(folder, "", str(apart)):
        if len(files) >= most:
            return FolderState(files, is_whole=False)
        files[path] = (stat.st_mtime_ns, stat.st_size)
    return FolderState(files, is_whole=True)


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
