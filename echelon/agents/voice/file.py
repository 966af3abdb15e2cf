"""The file in which everything that one step says is kept until it is on record: one line of JSON each (X15).

A file, since it is the one thing that a function, another process, a command and its children can all write, and that
is there after whoever wrote it was killed. Its first line says which step it is; what follows may be written by
anybody, and is read as hostile text.
"""

import json
import os
import shutil
import stat
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from echelon.journal.private import FILE_MODE, private_folder
from echelon.model.base import Value
from echelon.model.concern import Concern
from echelon.model.phrasing import truncate
from echelon.model.voice.said import Said, SaidConcern, read_said
from echelon.model.voice.speaking import UNWEIGHED_CONFIDENCE, UNWEIGHED_IMPACT

#: Variable in which a command finds the file, to add lines to.
VOICE_FILE = "ECHELON_VOICE"

#: How much of what one step says is read, in bytes, and how long a line may be.
MAX_BYTES = 4 * 2**20
MAX_LINE_BYTES = 64 * 2**10

#: Who writes into a file may have put a link or a pipe in its place: neither is followed, nor waited for.
_PLAIN = os.O_NOFOLLOW | os.O_NONBLOCK

#: How much of a line is told that is no JSON, in characters.
MAX_WORDS = 2_000


class Speaker(Value):
    """The step that a file belongs to: its first line, so that it can be put on record by another process."""

    key: str
    """Identity of the step (F8)."""
    task_id: str
    """The task; for an integration what it is recorded as."""
    node: str
    """Who does it."""
    phase: str
    """The phase."""
    owner: str
    """The coordinator that it reports to."""


@dataclass(frozen=True)
class Heard:
    """What is in a file behind a place."""

    said: tuple[Said, ...]
    """What was said, in order."""
    end: int
    """The place up to which it was read."""
    unread: int = 0
    """Bytes behind that place that are not read any more: more was written than is taken."""


class VoiceFile:
    """The file of one step, in the process in which its agent works."""

    def __init__(self, path: Path, speaker: Speaker | None = None) -> None:
        self.path = path
        self._speaker = speaker
        self._lock = threading.Lock()
        self._bytes = 0

    def make(self) -> None:
        """Make the file with its first line, unless it is there."""
        if self._speaker is None:  # who works in another process writes into a file that is there
            return
        private_folder(self.path.parent)
        with self._lock:
            if not self.path.exists():
                self._write(self._speaker.model_dump_json().encode() + b"\n")

    def say(self, said: Said) -> None:
        """Add a line; it is in the file, and survives this process, when this returns. Without bound it never grows."""
        self.make()
        line = said.model_dump_json().encode() + b"\n"
        with self._lock:
            self._bytes += len(line)
            if self._bytes <= 2 * MAX_BYTES:
                self._write(line)

    def _write(self, line: bytes) -> None:
        # One write, to the end: lines of several threads and processes never mix.
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _PLAIN, FILE_MODE)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)


def read_speaker(path: Path) -> Speaker | None:
    """Return whose file it is; None for one that does not say so."""
    try:
        with _open_plain(path) as file:
            return _speaker_in(file)
    except OSError:
        return None


def read_voice(path: Path, subject: str, start: int = 0, *, ended: bool = False) -> Heard:
    """Return what was said behind a place; `subject` is what words are about that do not say it.

    A line that is not complete yet is left, unless whoever wrote it has `ended`. A line that is none of ours is a
    concern in plain words, and so is a file that cannot be read: nothing that was said is lost unnoticed (O1). A file
    that was begun anew, without its first line, is read when whoever wrote it has ended, from its beginning.
    """
    try:
        with _open_plain(path) as file:
            size = os.fstat(file.fileno()).st_size
            is_begun_anew = _speaker_in(file) is None
            if is_begun_anew and not ended:
                return Heard((), start)
            start = 0 if is_begun_anew else max(start, file.tell())
            file.seek(start)
            content = file.read(max(0, MAX_BYTES - start))
    except FileNotFoundError:
        return Heard((), start)
    except OSError as error:
        why = f"what it said in its file cannot be read: {error.strerror or error}"
        return Heard((_concern(why, subject),) if ended else (), start)
    end = start + len(content)
    unread = max(0, size - end) if end >= MAX_BYTES else 0
    if not ended and not content.endswith(b"\n"):
        content = content[: content.rfind(b"\n") + 1]
        end = start + len(content)
    lines = [line for line in content.split(b"\n") if line.strip()]
    return Heard(tuple(_said_in(line, subject) for line in lines), end, unread)


def remove_voice(path: Path) -> None:
    """Take a file away, or whatever was put in its place."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _open_plain(path: Path) -> BinaryIO:
    """Open a file to read; `OSError` for a link, a pipe, a folder or a device."""
    file = os.fdopen(os.open(path, os.O_RDONLY | _PLAIN), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError("it is no plain file any more")
    return file


def _speaker_in(file: BinaryIO) -> Speaker | None:
    try:
        return Speaker.model_validate_json(file.readline(MAX_LINE_BYTES))
    except ValidationError:
        return None


def _said_in(line: bytes, subject: str) -> Said:
    try:
        return read_said(line)
    except ValidationError:
        words = truncate(line.decode(errors="replace"), MAX_WORDS)
    return _concern(_message_of(words), subject)


def _concern(message: str, subject: str) -> SaidConcern:
    values = {"about": subject, "confidence": UNWEIGHED_CONFIDENCE, "impact": UNWEIGHED_IMPACT}
    return SaidConcern(concern=Concern.model_validate({**values, "message": message}))


def _message_of(words: str) -> str:
    """Return what words say that are no line of ours: of JSON with a message, that message."""
    try:
        plain = json.loads(words)
    except (ValueError, RecursionError):  # also a text of nothing but brackets
        return words
    message = plain.get("message") if isinstance(plain, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - JSON of anybody
    return message if isinstance(message, str) and message.strip() else words
