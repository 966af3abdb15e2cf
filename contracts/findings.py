"""Findings from run to run: what is new, what is open, what is closed, and what was not looked at."""

from enum import StrEnum

from contracts.modules import CodeFinding


class FindingState(StrEnum):
    """How a finding stands against the run before (C3)."""

    NEW = "new"  #: found in this run, and not in the one before
    OPEN = "open"  #: found again; in a first run everything is open
    CLOSED = "closed"  #: looked for and not found, or its file is gone
    KEPT = "kept"  #: not looked for this time, so that it stands as it did
    OUT_OF_SCOPE = "out of scope"  #: its file is there and not part of this audit, so that it stands as it did


#: States of what is still there, as far as anybody knows.
STANDING = (FindingState.NEW, FindingState.OPEN, FindingState.KEPT, FindingState.OUT_OF_SCOPE)


class TrackedFinding(CodeFinding):
    """A finding with how it stands."""

    state: FindingState
    """How it stands against the run before."""
    reason: str = ""
    """Why it is closed, kept or out of scope."""
    moved_from: str = ""
    """What its module was called in the run before, when that was something else."""
