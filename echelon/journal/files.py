"""Where bytes lie: a local folder, or anywhere fsspec reaches. A file is there as a whole or not at all."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import unquote, urlsplit

from echelon.journal.failpoints import failpoint
from echelon.journal.private import private_folder
from echelon.redaction import redact

#: Flags that exist on some platforms only: do not follow a link; do not translate line ends.
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_READ = os.O_RDONLY | _NO_LINK | _BINARY
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY


class Files(Protocol):
    """A folder of files, named by paths below it with forward slashes."""

    root: str
    """Where the folder is, for people."""

    def write(self, location: str, data: bytes) -> None:
        """Write a file as a whole, in place of one that is there; raise `OSError` when that fails."""
        ...

    def flush(self, location: str) -> None:
        """Make a file that was written survive a power cut."""
        ...

    def read(self, location: str) -> bytes:
        """Return the bytes of a file; raise `OSError` when there is none."""
        ...


def files_at(url: str) -> Files:
    """Return the files below `url`, a path or a URL."""
    scheme, separator, _ = url.partition("://")
    if not separator:
        return LocalFiles(url)
    return LocalFiles(unquote(urlsplit(url).path)) if scheme == "file" else FsspecFiles(url)


class LocalFiles:
    """A folder of this machine, through the operating system: ten times cheaper than through fsspec."""

    def __init__(self, root: str) -> None:
        self._folder = Path(root).expanduser().absolute()
        self.root = str(self._folder)

    def write(self, location: str, data: bytes) -> None:
        """Write a new file in its place, which nobody knows of yet; one that is there is replaced in one step.

        A new file that a crash has torn is found by its digest, and replaced when its step is done again.
        """
        path = self._folder / location
        try:
            _fill(path, data)
        except FileExistsError:
            beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
            _fill(beside, data)
            try:
                beside.replace(path)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise

    def flush(self, location: str) -> None:
        """Flush a file, and the folder that names it."""
        path = self._folder / location
        for one, flags in ((path, _READ), (path.parent, os.O_RDONLY)):
            if one == path or os.name != "nt":  # Windows has no handle of a folder to flush
                handle = os.open(one, flags)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)

    def read(self, location: str) -> bytes:
        """Return the bytes; a link is not followed, it could lead out of the folder."""
        with os.fdopen(os.open(self._folder / location, _READ), "rb") as file:
            return file.read()


class FsspecFiles:
    """A folder of any file system of fsspec; what it writes at once is there at once."""

    def __init__(self, url: str) -> None:
        from fsspec.core import url_to_fs  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType] - it has no types

        self.root = redact(url)
        open_url = cast("Callable[[str], tuple[Any, str]]", url_to_fs)  # it has no types
        self._filesystem, path = open_url(url)
        self._path = path.rstrip("/")

    def write(self, location: str, data: bytes) -> None:
        """Write a file as a whole."""
        path = f"{self._path}/{location}"
        self._filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
        self._filesystem.pipe_file(path, data)

    def flush(self, location: str) -> None:
        """What is written is there already, as far as its file system promises."""

    def read(self, location: str) -> bytes:
        """Return the bytes."""
        return self._filesystem.cat_file(f"{self._path}/{location}")


def _fill(path: Path, data: bytes) -> None:
    handle = _create(path)
    try:
        with os.fdopen(handle, "wb") as file:
            failpoint("output.torn", lambda: os.write(handle, data[: len(data) // 2]))
            file.write(data)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _create(path: Path) -> int:
    try:
        return os.open(path, _CREATE, 0o600)
    except FileNotFoundError:  # the first file of its run
        private_folder(path.parent)
        return os.open(path, _CREATE, 0o600)
