"""What children do that are hard to end; each says its number through a pipe first."""

import os
import signal
import subprocess
import sys
from pathlib import Path


def busy_in_python(pipe: str) -> int:
    """Work for ever."""
    _say(pipe)
    while True:
        pass


def busy_in_c(pipe: str) -> int:
    """Work for ever without letting another thread of the process do anything."""
    _say(pipe)
    return pow(7, 10**9)


def deaf(pipe: str) -> int:
    """Ignore what can be ignored."""
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    _say(pipe)
    while True:
        signal.pause()


def with_a_child(pipe: str) -> int:
    """Start another process and wait for it."""
    child = subprocess.Popen([sys.executable, "-S", "-c", "import signal; signal.pause()"])
    _say(pipe, child.pid)
    return child.wait()


def _say(pipe: str, *others: int) -> None:
    Path(pipe).write_text(" ".join(map(str, (os.getpid(), *others))), encoding="utf-8")


#: A command that ends at once and leaves a process in a session of its own.
DAEMON = """
import os, signal, sys
if child := os.fork():
    os.waitpid(child, 0)  # or the group is ended before the daemon has left it
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
for stream in (0, 1, 2):
    os.dup2(os.open(os.devnull, os.O_RDWR), stream)
with open(sys.argv[1], "w") as pipe:
    pipe.write(str(os.getpid()))
signal.pause()
"""
