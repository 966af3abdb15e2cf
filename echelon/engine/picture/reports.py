"""What Prefect shows of a report: Markdown as it is, pictures as data, what is too large not at all."""

import base64
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from echelon.engine.picture.strokes import ShowReport
from echelon.model.adapter import JsonObject

#: An artifact larger than this does not help a reader, and Prefect keeps it in its database; in bytes.
MAX_ARTIFACT_BYTES = 500_000

#: A folder that people named may hold much else: only so many files of a report are shown.
MAX_ARTIFACTS = 20


def artifacts_of(report: ShowReport) -> list[JsonObject]:
    """Return what is to be posted for the files of a report, those that were written before the run left out."""
    shown: list[JsonObject] = []
    for file in _files(report.folder, report.since):
        name = file.relative_to(report.folder).as_posix()
        stem, _, suffix = name.rpartition(".")
        kind, data = _SHOWN[suffix](file.read_bytes())
        key = re.sub(r"[^a-z0-9]+", "-", f"{report.job}-{stem}".lower()).strip("-")
        shown.append({"key": key, "type": kind, "data": data})
    return shown


def _files(folder: Path, since: datetime) -> Iterator[Path]:
    found = sorted(file for depth in ("*", "*/*") for file in folder.glob(depth) if file.suffix[1:] in _SHOWN)
    fresh = [file for file in found if _is_shown(file, since)]
    yield from fresh[:MAX_ARTIFACTS]


def _is_shown(file: Path, since: datetime) -> bool:
    status = file.stat()
    # A second less: file systems round the time.
    return file.is_file() and status.st_size <= MAX_ARTIFACT_BYTES and status.st_mtime >= since.timestamp() - 1


def _markdown(content: bytes) -> tuple[str, str]:
    return "markdown", content.decode(errors="replace")


def _picture(content: bytes) -> tuple[str, str]:
    return "image", f"data:image/svg+xml;base64,{base64.b64encode(content).decode()}"


#: How files are shown, by their suffix.
_SHOWN: dict[str, Callable[[bytes], tuple[str, str]]] = {"md": _markdown, "svg": _picture}
