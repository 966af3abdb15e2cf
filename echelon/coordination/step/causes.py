"""What was reported of the causes of failures, so that each is reported once a process (F6)."""


class ReportedCauses:
    """Remembers causes."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def is_first(self, cause: str) -> bool:
        """Say whether a cause is met for the first time; no cause always is."""
        known = bool(cause) and cause in self._known
        self._known.add(cause)
        return not known
