"""What a family of processes uses: processor seconds and memory, sampled from outside, so that it is not burdened.

A family is a process, everything it starts, and what those start: found by a mark in the environment, which children
inherit even when they detach themselves, and by the parent for those that were given another environment.
"""

import contextlib
import time
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

MARK = "BENCHMARK_FAMILY"

#: Processors busy below which a family counts as idle: a server that waits uses 0.02, one that writes 0.5 and more.
IDLE_PROCESSORS = 0.05
IDLE_SECONDS = 2.0

#: Memory is read whenever it has grown by this much, and otherwise at this interval: a reading takes milliseconds.
GROWTH = 1.01
MEMORY_SECONDS = 0.25

MEBIBYTE = 1024 * 1024


class Family:
    """All processes that carry one mark, and those that come from them."""

    def __init__(self, name: str) -> None:
        self._mark = f"{name}-{uuid.uuid4().hex}"
        self._members: dict[int, psutil.Process] = {}
        self._strangers: set[int] = set()
        self._parents: dict[int, int] = {}
        self._seconds: dict[int, float] = {}
        """By process: its own, and those of children that it has waited for."""
        self._left_seconds = 0.0
        """Of processes that ended without a parent here that could have waited for them."""

    @property
    def environment(self) -> dict[str, str]:
        """What the first process must find in its environment."""
        return {MARK: self._mark}

    def processor_seconds(self) -> float:
        """Look for members, and return what all of them used so far, in user and system mode, ended ones included."""
        self._find()
        for pid, process in list(self._members.items()):
            try:
                with process.oneshot():
                    self._seconds[pid] = sum(process.cpu_times()[:4])  # user, system, and both of children waited for
                    self._parents[pid] = process.ppid()
            except psutil.Error:
                self._members.pop(pid)
        self._bury()
        return self._left_seconds + sum(self._seconds.values())

    def resident_bytes(self) -> int:
        """Return resident memory, shared pages counted once a process."""
        return sum(_resident(process) for process in self._members.values())

    def footprint_bytes(self) -> int:
        """Return what the family occupies: the pages of each process alone, and once those that are shared.

        Not the kernel's proportional share (PSS): what our processes share with the other sides of a benchmark, who
        sleep meanwhile, would be divided among all of them, and nobody is charged for it in full.
        """
        pages = [_pages(process) for process in self._members.values()]
        return sum(unique for unique, _ in pages) + max((shared for _, shared in pages), default=0)

    def end(self, seconds: float = 5.0) -> None:
        """End whoever is still there."""
        self._find()
        for signalled in ("terminate", "kill"):
            living = [process for process in self._members.values() if process.is_running()]
            for process in living:
                try:
                    getattr(process, signalled)()
                except psutil.Error:
                    continue
            psutil.wait_procs(living, timeout=seconds)

    def _find(self) -> None:
        pids = set(psutil.pids())
        self._strangers &= pids
        for pid in sorted(pids - self._members.keys() - self._strangers):
            self._strangers.add(pid)
            with contextlib.suppress(psutil.Error, OSError):  # somebody else's, one of the kernel's, or over already
                process = psutil.Process(pid)
                if process.ppid() in self._members or process.environ().get(MARK) == self._mark:
                    self._members[pid] = process
                    self._strangers.remove(pid)

    def _bury(self) -> None:
        """Keep what ended processes used, unless it is in the account of the parent that waited for them."""
        for pid in self._seconds.keys() - self._members.keys():
            seconds = self._seconds.pop(pid)
            if self._parents.pop(pid) not in self._members:
                self._left_seconds += seconds


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


def _pages(process: psutil.Process) -> tuple[int, int]:
    """Return the bytes that only this process has, and those that it shares with any other."""
    try:
        memory = process.memory_full_info()
    except psutil.AccessDenied:
        return _resident(process), 0
    except psutil.Error:
        return 0, 0
    return memory.uss, max(memory.rss - memory.uss, 0)


@dataclass(frozen=True, kw_only=True)
class Used:
    """What a family used in a turn."""

    processor_seconds: tuple[float, ...]
    """By family, in the order that the meter was given them."""
    peak_mb: float
    """Footprint of the first family at its peak, in MiB."""
    peak_resident_mb: float
    """Resident memory of the first family at its peak, shared pages counted once a process."""
    idle: bool
    """Did everybody come to rest before the time was up?"""


class Meter:
    """Looks at families again and again; memory only at the first of them."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._families = families
        self._began = [family.processor_seconds() for family in families]
        self._peak = self._peak_resident = 0
        self._read_at = 0.0

    def look(self) -> list[float]:
        """Take a sample; return the processor seconds of each family since the beginning."""
        now = [family.processor_seconds() for family in self._families]
        resident = self._families[0].resident_bytes()
        if resident > self._peak_resident * GROWTH or time.monotonic() - self._read_at > MEMORY_SECONDS:
            self._peak = max(self._peak, self._families[0].footprint_bytes())
            self._read_at = time.monotonic()
        self._peak_resident = max(self._peak_resident, resident)
        return [after - before for before, after in zip(self._began, now, strict=True)]

    def until_idle(self, limit_seconds: float, poll_seconds: float) -> Used:
        """Look until all families do nothing any more; what they used counts until they began to do nothing."""
        ends = time.monotonic() + limit_seconds
        samples = deque([(time.monotonic(), self.look())])
        idle = False
        while not idle and time.monotonic() < ends:
            time.sleep(poll_seconds)
            samples.append((time.monotonic(), self.look()))
            while len(samples) > 1 and samples[-1][0] - samples[1][0] >= IDLE_SECONDS:
                samples.popleft()
            idle = _idle(samples[0], samples[-1])
        return Used(
            processor_seconds=tuple(samples[0 if idle else -1][1]),
            peak_mb=self._peak / MEBIBYTE,
            peak_resident_mb=self._peak_resident / MEBIBYTE,
            idle=idle,
        )


def until_idle(families: Sequence[Family], limit_seconds: float, poll_seconds: float = 0.1) -> bool:
    """Wait until all families do nothing any more; return whether they came to that."""
    return Meter(families).until_idle(limit_seconds, poll_seconds).idle


def _idle(first: tuple[float, list[float]], last: tuple[float, list[float]]) -> bool:
    """Say whether no family did anything between two samples that are far enough apart."""
    seconds = last[0] - first[0]
    busiest = max(after - before for before, after in zip(first[1], last[1], strict=True))
    return seconds >= IDLE_SECONDS and busiest <= IDLE_PROCESSORS * seconds
