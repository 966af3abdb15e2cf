"""How long news took from when it happened to when it was seen, in memory that does not grow with the run (V10)."""

from echelon.oversight.exceptions.expecting import quantile

#: Delays that are kept at most; of more every second one is, then every fourth, and so on.
MAX_KEPT = 4_096


class Delays:
    """A sample of delays, evenly spread over the run."""

    def __init__(self) -> None:
        self.seen = 0
        """How many there were."""
        self._kept: list[float] = []
        self._step = 1

    def add(self, seconds: float) -> None:
        """Take one in; clocks that were set back make none shorter than nothing."""
        if self.seen % self._step == 0:
            self._kept.append(max(0.0, seconds))
            if len(self._kept) > MAX_KEPT:
                self._kept = self._kept[::2]
                self._step *= 2
        self.seen += 1

    def share(self, percent: int) -> float | None:
        """Return what so many in a hundred were at most, in seconds; None where there was none."""
        return quantile(sorted(self._kept), percent) if self._kept else None
