"""Whose child a process is, written in its environment: what a dead process left behind is found and ended (F8).

A child leaves the group of its parent, or makes a session of its own, but it inherits the environment.
"""

import contextlib
import os
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from echelon.journal.holder import began_at

if TYPE_CHECKING:
    import psutil

#: Names the process of ours that started a child: its number, and when it began.
OWNER = "ECHELON_OWNER"

#: How long processes that were killed may take to be gone, in seconds.
GONE_SECONDS = 5.0


def owned() -> Mapping[str, str]:
    """Return what the environment of a child says about this process."""
    return {OWNER: _mark(os.getpid())}


def end_orphans(pids: Collection[int]) -> tuple[int, ...]:
    """Kill what processes of ours with these numbers, which are dead, left behind on this machine.

    Returns the numbers of what was killed. Raises nothing: what cannot be seen or killed is somebody else's.
    """
    import psutil  # 10 ms, which nothing else in a run waits for

    found = [process for process in psutil.process_iter() if _is_orphan(process, pids)]
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(found, timeout=GONE_SECONDS)
    return tuple(process.pid for process in found)


def _is_orphan(process: "psutil.Process", pids: Collection[int]) -> bool:
    import psutil

    try:
        mark = process.environ().get(OWNER, "")
    except (psutil.Error, OSError):  # of another user, or it has ended
        return False
    pid = mark.partition(":")[0]
    return pid.isdigit() and int(pid) in pids and mark != _mark_now(int(pid))


def _mark_now(pid: int) -> str:
    """Return the mark of the process that has this number now; empty when none has."""
    import psutil

    try:
        return f"{pid}:{began_at(pid):.2f}"
    except psutil.Error:
        return ""


@lru_cache(maxsize=1)
def _mark(pid: int) -> str:
    return _mark_now(pid)
