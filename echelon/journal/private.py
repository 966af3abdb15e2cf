"""Files and folders that are nobody else's: what a run reads and makes may be confidential."""

import contextlib
import errno
import os
import secrets
from pathlib import Path

FOLDER_MODE, FILE_MODE = 0o700, 0o600


def private_folder(path: Path) -> Path:
    """Make a folder, with those above it that are missing, that only its owner may enter; return it."""
    if path.is_dir():
        return path
    if path.parent != path:
        private_folder(path.parent)
    try:
        path.mkdir(mode=FOLDER_MODE)
    except FileExistsError as error:
        if not path.is_dir():  # or another thread has just made it
            raise NotADirectoryError(errno.ENOTDIR, "it is a file, and a folder is wanted", str(path)) from error
    return path


def nearest_existing(path: Path) -> Path:
    """Return a path, or the nearest folder above it that there is."""
    whole = path.absolute()
    return next(one for one in (whole, *whole.parents) if one.exists())


def write_private(path: Path, data: bytes) -> None:
    """Write a file as a whole that only its owner may read; a link in its place is replaced, and not followed."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), FILE_MODE)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def make_private(path: Path) -> None:
    """Take from others what they may do with a file or folder of ours; what belongs to somebody else stays as it is."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):  # there is none, or it cannot be changed: whoever uses it says so
        state = path.stat()
        if state.st_uid == os.geteuid() and state.st_mode & 0o077:
            path.chmod(state.st_mode & 0o700)


def make_file(path: Path) -> None:
    """Make an empty file that only its owner may read, unless there is one; one that others may read is taken back.

    Where it cannot be made, whoever opens it says so.
    """
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, FILE_MODE))
    make_private(path)
