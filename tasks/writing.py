"""Writing into a folder that others may change meanwhile: never out of it, each file as a whole or not at all.

Folders are opened one by one, and no link is followed, so that nobody can lead a write elsewhere between a look and it.
Needs a system that opens files below an open folder, as Linux and macOS do.
"""

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from echelon import AgentFailed

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe is not waited for
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW

#: What a system says of a link, where a folder is to be opened and links are not followed.
_NO_FOLDER = (errno.ENOTDIR, errno.ELOOP)

#: What is nowhere has this digest.
NOTHING = ""


class NewContent(NamedTuple):
    """What a file is to hold."""

    name: str
    """Path below the folder, with forward slashes."""
    expected: str
    """Digest of what must be there now; `NOTHING` where no file may be."""
    data: bytes
    """What is to be there."""


def digest_of_bytes(data: bytes) -> str:
    """Return the digest of what is in a file."""
    return hashlib.sha256(data).hexdigest()


def content_of(root: Path, name: str) -> bytes | None:
    """Return what is in a file below a folder, None where there is none; `AgentFailed` for a link."""
    try:
        with _opened(root, name) as place:
            return _content(place)
    except FileNotFoundError:
        return None


def write_files(root: Path, files: Sequence[NewContent]) -> None:
    """Write files below a folder that is there, each in one step.

    Raises `AgentFailed`, and has written nothing, where one of them is not what it is expected to be, or cannot be
    written. `OSError` says which are written, should the disk fail in between.
    """
    with contextlib.ExitStack() as open_ones:
        staged = [_stage(open_ones, root, one) for one in files]
        for one in staged:
            _check(one.place, one.new)
        written: list[str] = []
        for one in staged:
            try:
                _put(one)
            except OSError as error:
                if not written:
                    raise _nothing_written(f"{one.new.name} cannot be written: {error.strerror}") from error
                raise OSError(
                    error.errno, f"written: {', '.join(written)}; {one.new.name} and what follows is not: {error}"
                ) from error
            written.append(one.new.name)


@dataclass(frozen=True)
class _Place:
    folder: int
    name: str
    shown: str


@dataclass(frozen=True)
class _Staged:
    place: _Place
    new: NewContent
    beside: str


@contextlib.contextmanager
def _opened(root: Path, name: str) -> Generator[_Place]:
    """Open the folder of a file, from the root down; `FileNotFoundError` where it is not there."""
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or PurePosixPath(name).is_absolute():
        raise _nothing_written(f"{name!r} is no path below {root}")
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _nothing_written(f"{root} cannot be opened: {error.strerror}") from error
    try:
        for part in parts[:-1]:
            below = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = below
        yield _Place(folder, parts[-1], name)
    except OSError as error:
        if error.errno in _NO_FOLDER:
            raise _nothing_written(f"{name} is below a link, or below what is no folder") from error
        raise
    finally:
        os.close(folder)


def _content(place: _Place) -> bytes | None:
    try:
        handle = os.open(place.name, _READ, dir_fd=place.folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _nothing_written(f"{place.shown} is a link, or cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _nothing_written(f"{place.shown} is no regular file")
    with os.fdopen(handle, "rb") as file:
        return file.read()


def _stage(open_ones: contextlib.ExitStack, root: Path, new: NewContent) -> _Staged:
    """Write the new content beside its file, so that a full disk is found before anything is changed."""
    try:
        place = open_ones.enter_context(_opened(root, new.name))
        _check(place, new)
        beside = f".{place.name[:100]}.{secrets.token_hex(8)}.tmp"
        handle = os.open(beside, _CREATE, 0o666, dir_fd=place.folder)
        open_ones.callback(_remove, place.folder, beside)
        with os.fdopen(handle, "wb") as file:
            file.write(new.data)
            if new.expected != NOTHING:
                os.fchmod(handle, stat.S_IMODE(os.stat(place.name, dir_fd=place.folder, follow_symlinks=False).st_mode))
            file.flush()
            os.fsync(handle)
    except OSError as error:
        raise _nothing_written(f"{new.name} cannot be written: {error.strerror}") from error
    return _Staged(place, new, beside)


def _check(place: _Place, new: NewContent) -> None:
    found = _content(place)
    if (NOTHING if found is None else digest_of_bytes(found)) == new.expected:
        return
    if found is None:
        raise _outdated(f"{place.shown} is gone")
    changed = "is there already" if new.expected == NOTHING else "was changed meanwhile"
    raise _outdated(f"{place.shown} {changed}")


def _put(one: _Staged) -> None:
    folder = one.place.folder
    if one.new.expected == NOTHING:
        os.link(one.beside, one.place.name, src_dir_fd=folder, dst_dir_fd=folder)  # fails where a file is
    else:
        os.replace(one.beside, one.place.name, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)


def _remove(folder: int, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


def _nothing_written(why: str) -> AgentFailed:
    return AgentFailed(f"nothing was written: {why}; run again")


def _outdated(why: str) -> AgentFailed:
    """Say that what was made is for files that are not as they were: resuming the run would say so for ever."""
    error = _nothing_written(why)
    error.next_step = "begin a new run, which looks at the files as they are now: resuming this one ends the same"
    return error
