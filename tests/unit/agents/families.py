"""Families of processes, as tests of commands see them: who belongs to one, and whether all have ended."""

from pathlib import Path

import psutil


def family_of(pipe: Path) -> list[psutil.Process]:
    """Wait until the family is complete and return it."""
    return [psutil.Process(int(pid)) for pid in pipe.read_text().split()]


def all_end(family: list[psutil.Process]) -> bool:
    """Wait for processes to be gone, at most 10 s; one that nobody reaps counts as gone."""
    for _ in range(200):
        left = [one for one in psutil.wait_procs(family, timeout=0.05)[1] if not is_dead(one)]
        if not left:
            return True
    return False


def is_dead(process: psutil.Process) -> bool:
    """Say whether a process has ended."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
