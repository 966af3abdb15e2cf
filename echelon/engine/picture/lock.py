"""Who draws: one process a folder of requests. Whoever asks for a picture sees whether there is one. No Prefect here.

The process that draws holds a lock for as long as it lives, and says beside it whether it will look at the folder once
more. So a request that was written while somebody is *serving*, or *starting*, is seen, and nobody has to be started
for it.
"""

import contextlib
import os
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Literal

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

Stage = Literal["starting", "serving", "closing"]

#: Who was started holds the lock before this, or never; in seconds. Until then nobody else is started.
STARTING_SECONDS = 10.0

#: Who only asks whether somebody serves holds the lock for a moment, which must not be taken for somebody who serves.
GLANCE_SECONDS = 0.2

#: A process that is closing ends its server first, which writes its last records; in seconds.
CLOSING_SECONDS = 60.0

_PAUSE_SECONDS = 0.02


def is_served(folder: Path) -> bool:
    """Say whether somebody draws what is asked for in a folder, and will look at it once more."""
    with _opened(folder) as descriptor:
        return not _locked(descriptor) and _stage(folder) == "serving"


def take_start(folder: Path) -> bool:
    """Say whether somebody has to be started to draw; it is up to the caller then, and others are told that it is."""
    with _opened(folder) as descriptor:
        if not _locked(descriptor):
            return _stage(folder) != "serving"
        if _stage(folder) == "starting" and _age_seconds(folder) < STARTING_SECONDS:
            return False
        say(folder, "starting")
        return True


@contextlib.contextmanager
def serving(folder: Path) -> Generator[bool]:
    """Be the one who draws during the block; False when somebody else is."""
    with _opened(folder) as descriptor:
        is_mine = _wait(descriptor, folder)
        if is_mine:
            say(folder, "serving")
        yield is_mine


def say(folder: Path, stage: Stage) -> None:
    """Say whether the folder will be looked at again; only who holds the lock may."""
    _stage_file(folder).write_text(stage)


def _wait(descriptor: int, folder: Path) -> bool:
    """Take the lock; False when somebody else has it and serves."""
    began = time.monotonic()
    while not _locked(descriptor):
        waited = time.monotonic() - began
        if waited > CLOSING_SECONDS or (waited > GLANCE_SECONDS and _stage(folder) == "serving"):
            return False
        time.sleep(_PAUSE_SECONDS)
    return True


@contextlib.contextmanager
def _opened(folder: Path) -> Generator[int]:
    descriptor = os.open(folder / "recorder.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)  # the lock is given back with it


def _locked(descriptor: int) -> bool:
    """Lock for this process, until the file is closed; False when somebody else has the lock."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _stage(folder: Path) -> str:
    try:
        return _stage_file(folder).read_text()
    except OSError:
        return ""


def _age_seconds(folder: Path) -> float:
    try:
        return time.time() - _stage_file(folder).stat().st_mtime
    except OSError:
        return 0.0


def _stage_file(folder: Path) -> Path:
    return folder / "recorder.stage"
