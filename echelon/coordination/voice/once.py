"""What must be on record once, whoever reads it how often: concerns and proposals, by id (O1)."""

from echelon.runlog.state import RunState


class OnRecord:
    """Knows what this process is about to put on record, which the state does not know yet."""

    def __init__(self) -> None:
        self._coming: set[str] = set()

    def is_new(self, identity: str | None, state: RunState) -> bool:
        """Say whether this is met for the first time; what has no id always is."""
        if identity is None:
            return True
        known = identity in self._coming or identity in state.concerns or identity in state.proposals
        self._coming.add(identity)
        return not known
