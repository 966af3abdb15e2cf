"""The secret of the local servers of a home: whoever may read the home may use them, and nobody else."""

import contextlib
import os
import secrets
import sys
from collections.abc import Generator
from pathlib import Path

from echelon.journal.private import private_folder, write_private
from echelon.redaction import register_secret

if sys.platform != "win32":
    import fcntl

#: Prefect's names for what a server asks for, and for what a client answers: `user:password`.
SERVER_VARIABLE, CLIENT_VARIABLE = "PREFECT_SERVER_API_AUTH_STRING", "PREFECT_API_AUTH_STRING"

_USER = "echelon"
_RANDOM_BYTES = 24


def secret_file(folder: Path) -> Path:
    """Return where the secret of the servers is kept whose files are in `folder`."""
    return folder / "api-secret"


def choose_secret(folder: Path) -> str:
    """Return what a server that is about to start asks for: what the user's environment says, or our own secret.

    What the environment says is kept, since clients are started from elsewhere.
    """
    chosen = os.environ.get(SERVER_VARIABLE)
    if chosen:
        write_private(secret_file(folder), chosen.encode())
    return read_secret(folder)


def read_secret(folder: Path) -> str:
    """Return the secret as Prefect takes it, `user:password`; made when it is first asked for."""
    file = secret_file(folder)
    found = _read(file)
    if not found:
        _make(file)
        found = _read(file)
    register_secret(found)
    register_secret(found.partition(":")[2])
    return found


def read_credentials(folder: Path) -> tuple[str, str]:
    """Return user and password of the secret, for clients that are not Prefect's."""
    user, _, password = read_secret(folder).partition(":")
    return user, password


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def _make(file: Path) -> None:
    """Make a secret where there is none, or an empty one, of a machine that lost its power."""
    with _alone_in(private_folder(file.parent)):
        if not _read(file):  # another process may just have made one
            write_private(file, f"{_USER}:{secrets.token_urlsafe(_RANDOM_BYTES)}".encode())


@contextlib.contextmanager
def _alone_in(folder: Path) -> Generator[None]:
    """Keep every other process, and thread, that wants the same out of a folder; where that is not known, hope."""
    if sys.platform == "win32":
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a network drive that has no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
