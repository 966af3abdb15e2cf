"""Asking for Prefect's picture of a run: a file in a folder, and a process that draws what is asked for there.

One drawing process serves all runs of a home; it is started when there is none and ends when nothing is left to draw.
What was asked for and not drawn, since a machine went down for example, is drawn by the next one. No Prefect here.
"""

import atexit
import contextlib
import hashlib
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from echelon.engine.bytecode import bytecode_environment
from echelon.engine.picture.lock import take_start
from echelon.engine.server.kept import kept_server
from echelon.journal.private import private_folder, write_private
from echelon.settings import Settings

log = logging.getLogger("echelon.engine.picture")

Granularity = Literal["agent", "team"]

#: Drawing waits for whoever has work to do.
DRAWING_NICENESS = 10

#: How often a picture that is waited for is looked at, in seconds.
_GLANCE_SECONDS = 0.05

#: Processes that were started to draw; each is asked once in a while whether it has ended, so that none stays behind.
_STARTED: "list[subprocess.Popen[bytes]]" = []


@dataclass(frozen=True, kw_only=True)
class PictureRequest:
    """A run that Prefect is to show."""

    run_id: str
    """The run."""
    flow_run_id: str | None = None
    """The flow run of Prefect that it is; None: one is made for it."""
    granularity: Granularity | None = None
    """Is every agent a task run, or every team? None decides by the number of agents (R4)."""
    api_url: str = ""
    """The Prefect API; empty: the one that is kept in the home, or started for this by who draws."""
    parent_run_id: str | None = None
    """The run of ours that it was begun inside of."""
    parent_flow_run_id: str | None = None
    """The flow run of Prefect that it was begun inside of, where that is known."""


def request_picture(request: PictureRequest, settings: Settings) -> None:
    """Have a run drawn; returns at once. Whatever goes wrong costs the picture, and not the run."""
    try:
        _request(request, settings)
    except OSError as error:
        log.warning("run %s is not shown in Prefect: %s", request.run_id, error)


def _request(request: PictureRequest, settings: Settings) -> None:
    folder = requests_folder(settings)
    private_folder(folder)
    asked = json.dumps(asdict(_located(request, settings)))
    write_private(folder / f"{request.run_id}.json", asked.encode())
    if take_start(folder):
        _start_recorder(folder, settings)


def _located(request: PictureRequest, settings: Settings) -> PictureRequest:
    """Name no address for the server that is kept in this home: whichever runs later has the same records."""
    kept = kept_server(settings.home) if request.api_url else None
    return replace(request, api_url="") if kept is not None and kept.is_at(request.api_url) else request


def _start_recorder(folder: Path, settings: Settings) -> None:
    with (folder / "drawing.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "echelon.engine.picture.recorder"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_environment(settings),
            cwd=folder,  # Prefect reads settings from the working folder, which may be anybody's
            start_new_session=True,  # Ctrl-C in a terminal is for the run; its picture says that it was stopped
            creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),
        )
    if sys.platform != "win32":
        with contextlib.suppress(OSError):  # it has ended, or may not be told; it says so itself too
            os.setpriority(os.PRIO_PROCESS, process.pid, DRAWING_NICENESS)
    _STARTED[:] = [started for started in _STARTED if started.poll() is None]
    _STARTED.append(process)


@atexit.register
def _leave_running() -> None:
    """Let go of who still draws when this process ends: it goes on by itself, and Python need not warn of it."""
    for process in _STARTED:
        if process.poll() is None:
            process.returncode = 0


def note_trouble(folder: Path, run_id: str, why: str) -> None:
    """Note why a run cannot be drawn at the moment, for whoever waits for it; empty: it can."""
    file = folder / f".{run_id}.trouble"
    if why:
        file.write_text(why, encoding="utf-8")
    else:
        file.unlink(missing_ok=True)


def trouble_of(run_id: str, settings: Settings) -> str:
    """Return why a run is not drawn yet; empty where nothing is known to stand in the way."""
    try:
        return (requests_folder(settings) / f".{run_id}.trouble").read_text(encoding="utf-8")
    except OSError:
        return ""


def all_troubles(settings: Settings) -> dict[str, str]:
    """Return why runs are not drawn yet, by run."""
    files = sorted(requests_folder(settings).glob(".*.trouble"))
    return {file.name[1 : -len(".trouble")]: file.read_text(encoding="utf-8") for file in files}


def wait_for_picture(run_id: str, settings: Settings, timeout_seconds: float) -> bool:
    """Wait until a run is drawn; False when that takes too long."""
    file, until = requests_folder(settings) / f"{run_id}.json", time.monotonic() + timeout_seconds
    while file.exists():
        if time.monotonic() > until:
            return False
        time.sleep(_GLANCE_SECONDS)
    return True


def read_request(file: Path) -> PictureRequest:
    """Return the request in a file; `ValueError` or `TypeError` when it is none."""
    return PictureRequest(**json.loads(file.read_text()))


def requests_folder(settings: Settings) -> Path:
    """Return where pictures are asked for: one folder a journal, since a run is found in its journal only."""
    journal = hashlib.sha256(settings.journal_url.encode()).hexdigest()[:12]
    return settings.home / "prefect" / "pictures" / journal


def _environment(settings: Settings) -> Mapping[str, str]:
    return {
        **os.environ,
        **bytecode_environment(),
        "ECHELON_HOME": str(settings.home),
        "ECHELON_JOURNAL_URL": settings.journal_url,
        "ECHELON_OUTPUTS_URL": settings.outputs_url,
    }
