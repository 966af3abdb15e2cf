"""How the interpreter is set while a run is at work."""

import contextlib
import gc
import sys
from collections.abc import Generator

#: How long a thread may hold the interpreter while another waits, in seconds.
SWITCH_INTERVAL_SECONDS = 0.0005


@contextlib.contextmanager
def tuned_interpreter() -> Generator[None]:
    """Spare a run what the interpreter would waste on it, and give everything back at its end.

    Prefect and its libraries leave half a million objects, which the garbage collector would go through again and
    again: a third of the time of a run of 1,000 agents. And the threads of the journal and of Prefect's client wait up
    to 5 ms for their turn, several times a commit.
    """
    interval_seconds = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(interval_seconds)
