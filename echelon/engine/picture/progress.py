"""How far the picture of a run is drawn, kept beside its request, so that another process goes on from there."""

import contextlib
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from echelon.journal.private import write_private

#: A run that is resumed later than this is drawn once more as a whole, which changes nothing that is there; in days.
KEPT_DAYS = 30

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Progress:
    """How far a picture is drawn."""

    seq: int = 0
    """Place of the last event that is in it; 0: nothing is drawn."""
    until: datetime = _EPOCH
    """When that was, in UTC."""


class ProgressFile:
    """The progress of one run in one server."""

    def __init__(self, folder: Path, run_id: str, server: str) -> None:
        self._file = folder / f"{run_id}.progress"
        self._server = server

    def read(self) -> Progress:
        """Return how far the picture is drawn in this server; another one knows nothing of it."""
        try:
            kept = json.loads(self._file.read_text())
            if kept["server"] == self._server:
                return Progress(kept["seq"], datetime.fromisoformat(kept["until"]))
        except (OSError, ValueError, KeyError, TypeError):
            pass  # whatever is there, drawing from the beginning is right
        return Progress()

    def write(self, progress: Progress) -> None:
        """Keep how far the picture is drawn."""
        kept = {"server": self._server, "seq": progress.seq, "until": progress.until.isoformat()}
        write_private(self._file, json.dumps(kept).encode())

    def forget(self) -> None:
        """Draw from the beginning the next time."""
        self._file.unlink(missing_ok=True)


def remove_old(folder: Path) -> None:
    """Remove what is kept of runs that are hardly resumed any more, and requests that could never be met."""
    oldest = time.time() - KEPT_DAYS * 86_400
    for file in (*folder.glob("*.progress"), *folder.glob("*.json"), *folder.glob(".*.trouble")):
        with contextlib.suppress(FileNotFoundError):
            if file.stat().st_mtime < oldest:
                file.unlink()
