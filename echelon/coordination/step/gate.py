"""Where a step waits for people before it begins (O5). No step has a gate yet: what is behind it is done at once."""

from echelon.coordination.step.step import Perform
from echelon.model.handoff import Handoff


def gate(inner: Perform[Handoff]) -> Perform[Handoff]:
    """Return what does a step behind its gate."""
    return inner
