"""Which process this is, and whether another one is verifiably dead: what a lease says about who holds it (F8)."""

import os
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from echelon.model.session import Session

#: Two readings of when a process began differ by less than this when it is the same one, in seconds.
SAME_START_SECONDS = 0.5

#: Later than this is a moment by the clock, as older versions noted it; a process that began since the machine did is
#: younger, in seconds.
_BY_THE_CLOCK = 1e9

#: Where the start of a process stands in its line below /proc, behind its name.
_START_FIELD = 19

#: The same by the clock, which is read in two parts.
_SAME_CLOCK_SECONDS = 2.0

#: What makes process numbers comparable on Linux: one boot, one namespace of processes.
_BOOT, _NAMESPACE = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A process that may hold a run."""

    host: str
    """Name of the machine, for people."""
    machine: str
    """Where its number means something."""
    pid: int
    """Its number."""
    process_started: float
    """When it began, in seconds since the machine did; by the clock where the system says no more."""


def this_process() -> Holder:
    """Return this process; asked for each time, since it may have been forked."""
    return Holder(host=socket.gethostname(), machine=_machine(), pid=os.getpid(), process_started=began_at(os.getpid()))


def is_dead(session: Session) -> bool:
    """Say whether the process of a session is known to have ended; False where that cannot be seen from here."""
    if session.machine != _machine():
        return False
    import psutil

    try:
        process = psutil.Process(session.pid)
        if process.status() == psutil.STATUS_ZOMBIE:  # killed, and not yet noticed by who started it
            return True
        if session.process_started > _BY_THE_CLOCK:
            return abs(process.create_time() - session.process_started) > _SAME_CLOCK_SECONDS
        return abs(began_at(session.pid) - session.process_started) > SAME_START_SECONDS
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


def began_at(pid: int) -> float:
    """Return when a process began, in seconds since the machine did, which no step of the clock changes.

    By the clock where the system says no more. Raises `psutil.NoSuchProcess` when there is none.
    """
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        import psutil

        return psutil.Process(pid).create_time()
    return int(line.rpartition(")")[2].split()[_START_FIELD]) / os.sysconf("SC_CLK_TCK")


def held_message(session: Session, left_seconds: float) -> str:
    """Say why a run or a part cannot be taken."""
    what = f"part {session.part!r} of run {session.run_id!r}" if session.part else f"run {session.run_id!r}"
    return (
        f"{what} is held by process {session.pid} on {session.host} since "
        f"{session.began:%Y-%m-%d %H:%M:%S} UTC; its lease ends in {left_seconds:.0f} s unless it is renewed. Wait for "
        "that process to end, or end it; a run whose process is dead can be resumed then"
    )


@cache
def _machine() -> str:
    try:
        return f"{socket.gethostname()}/{_BOOT.read_text().strip()}/{_NAMESPACE.readlink()}"
    except OSError:  # no Linux
        import psutil

        return f"{socket.gethostname()}/{psutil.boot_time():.0f}"
