"""The process that draws: `python -m echelon.engine.picture.recorder`, started by whoever asks for a picture.

One serves a folder of requests at a time. It follows the journals of the runs asked for, draws them at a low priority,
and ends when nothing is left to draw. Nothing it does can disturb a run: it only reads the journal.
"""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
import time
from pathlib import Path

from echelon.engine.picture.api import Refused, Unreachable
from echelon.engine.picture.following import Follower, Log
from echelon.engine.picture.lock import say, serving
from echelon.engine.picture.progress import remove_old
from echelon.engine.picture.request import DRAWING_NICENESS, PictureRequest, note_trouble, read_request, requests_folder
from echelon.engine.picture.servers import Servers
from echelon.journal.journal import SqlJournal
from echelon.journal.private import private_folder
from echelon.model.errors import EchelonError, JournalError
from echelon.model.phrasing import one_line
from echelon.settings import Settings

log = logging.getLogger("echelon.engine.picture")

#: How often the folder is looked at, and how long without requests it is, in seconds.
GLANCE_SECONDS = 0.2
IDLE_SECONDS = 2.0

#: A server that is away is tried again, after longer and longer, for so long; then it is left for the next time.
PATIENCE_SECONDS = 30.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0

#: The log is cut to its second half when it is longer than this, in bytes.
MAX_LOG_BYTES = 500_000

Stamp = tuple[int, int]
"""Tells a request file from a later one of the same name."""


class Recorder:
    """Draws what is asked for in one folder."""

    def __init__(self, folder: Path, journal: Log, servers: Servers) -> None:
        self._folder = folder
        self._journal = journal
        self._servers = servers
        self._drawing: dict[Path, asyncio.Task[None]] = {}
        self._left: dict[Path, Stamp] = {}
        """Requests that are left for the next time."""

    async def serve(self) -> None:
        """Draw until nothing has been asked for during a while."""
        busy_at = time.monotonic()
        try:
            while True:
                if self._look():
                    busy_at = time.monotonic()
                elif time.monotonic() - busy_at > IDLE_SECONDS:
                    # From here on whoever asks starts another process; who asked before is seen now.
                    say(self._folder, "closing")
                    if not self._look():
                        return
                    say(self._folder, "serving")
                await asyncio.sleep(GLANCE_SECONDS)
        finally:
            for task in self._drawing.values():
                task.cancel()
            await asyncio.gather(*self._drawing.values(), return_exceptions=True)

    def _look(self) -> bool:
        """Begin with new requests, and say whether anything is being drawn."""
        for file, task in list(self._drawing.items()):
            if task.done():
                del self._drawing[file]
        for file in self._folder.glob("[!.]*.json"):
            stamp = _stamp(file)
            if file not in self._drawing and stamp is not None and self._left.get(file) != stamp:
                self._drawing[file] = asyncio.create_task(self._draw(file, stamp))
        return bool(self._drawing)

    async def _draw(self, file: Path, stamp: Stamp) -> None:
        try:
            await self._draw_patiently(read_request(file))
        except (Unreachable, EchelonError) as error:
            log.warning("%s is not drawn now: %s", file.stem, error)
            self._left[file] = stamp
            return
        except (Refused, ValueError, TypeError) as error:
            log.warning("%s cannot be drawn: %s", file.stem, error)
        except Exception:
            log.exception("drawing %s failed", file.stem)
        note_trouble(self._folder, file.stem, "")  # it is drawn, or never will be: nothing is in the way any more
        _remove(file, stamp)

    async def _draw_patiently(self, request: PictureRequest) -> None:
        """Draw one run; raises `Unreachable` when its server stays away, or never takes what comes next.

        `JournalError` when the journal does.
        """
        since, pause, reached = time.monotonic(), FIRST_PAUSE_SECONDS, 0
        while True:
            follower = Follower(request, self._journal, self._folder)
            try:
                async with self._servers.connect(request) as (api, server):
                    await follower.follow(api, server)
            except (Unreachable, JournalError) as error:
                note_trouble(self._folder, request.run_id, one_line(error))
                if follower.seq > reached:
                    since, pause, reached = time.monotonic(), FIRST_PAUSE_SECONDS, follower.seq
                elif time.monotonic() - since > PATIENCE_SECONDS:
                    raise
            else:
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


async def record(folder: Path, settings: Settings) -> None:
    """Draw everything that is asked for in a folder, then end; a signal to end ends it too."""
    task = asyncio.current_task()
    assert task is not None, "a coroutine runs in a task"
    with contextlib.suppress(NotImplementedError):  # Windows
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    servers = Servers(settings.home)
    try:
        async with SqlJournal.open(settings) as journal:
            await Recorder(folder, journal, servers).serve()
    finally:
        say(folder, "closing")
        await servers.stop()


def main() -> int:
    """Serve the folder of requests of this environment's journal, unless somebody else does."""
    _lower_priority()
    settings = Settings()
    folder = requests_folder(settings)
    private_folder(folder)
    with serving(folder) as is_mine:
        if not is_mine:
            return 0
        _bound_log(folder)
        logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(levelname)s %(message)s")
        log.setLevel(logging.INFO)
        remove_old(folder)
        gc.freeze()
        try:
            asyncio.run(record(folder, settings))
        except EchelonError as error:
            log.warning("nothing is drawn now: %s", error)
            return 1
        except (asyncio.CancelledError, KeyboardInterrupt):
            log.info("asked to end; what is not drawn is left for the next time")
    return 0


def _lower_priority() -> None:
    if sys.platform != "win32":
        os.nice(max(0, DRAWING_NICENESS - os.getpriority(os.PRIO_PROCESS, 0)))


def _bound_log(folder: Path) -> None:
    file = folder / "drawing.log"
    if file.exists() and file.stat().st_size > MAX_LOG_BYTES:
        kept = file.read_bytes()[-MAX_LOG_BYTES // 2 :]
        os.truncate(file, 0)  # the same file: it is our standard error already
        with file.open("ab") as log_file:
            log_file.write(kept)


def _stamp(file: Path) -> Stamp | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def _remove(file: Path, stamp: Stamp) -> None:
    """Remove a request that was met, but not one that has taken its place meanwhile."""
    taken = file.with_name(f".{file.name}.met")
    with contextlib.suppress(FileNotFoundError):
        file.replace(taken)
        if _stamp(taken) == stamp:
            taken.unlink()
        else:
            taken.replace(file)


if __name__ == "__main__":
    sys.exit(main())
