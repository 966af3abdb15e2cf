"""How a breaker keeps in step with the same breaker in other processes (F1). Called from the store's thread."""

from pybreaker import STATE_CLOSED, STATE_HALF_OPEN, STATE_OPEN

from echelon.resilience.breaker.machine import BreakerMachine
from echelon.resilience.breaker.results import Judged, Result
from echelon.resilience.breaker.store import BreakerRecord, Ended


class SharedBreaker(BreakerMachine):
    """A breaker that takes over what others did, and tells again what they missed."""

    def follow(self, record: BreakerRecord) -> None:
        """Compare with the shared state, and take over or tell again."""
        with self.lock:
            if self._unpublished:  # what was read is older than what is about to be told
                return
            if record.epoch > self._epoch:
                self._adopt(record)
            elif (record.state, record.isolated) != (self.state, self.isolated) and record.epoch != self._not_followed:
                self._tell_again()

    def published(self, record: BreakerRecord | None) -> None:
        """Hear that what was told is on record, or that it could not be told."""
        with self.lock:
            self._unpublished -= 1
            if record is not None:
                self.follow(record)

    def settled(self, generation: int, ended: Ended, record: BreakerRecord | None) -> None:
        """Hear what became of a probe; when it could not be told, it counts here."""
        with self.lock:
            self.ask_at = self.clock()
            if record is not None:
                self.follow(record)
            elif generation == self.generation:
                self.decide(Judged(ended.result, None, slow=ended.result is Result.SLOW))

    def share_changed(self) -> None:
        """Pass on that the store was lost, or is there again."""
        with self.lock:
            self.tell(lambda listener: listener.shared(self.name, self.shared))

    def _adopt(self, record: BreakerRecord) -> None:
        self._epoch = record.epoch
        self.trips = record.trips
        if record.state == STATE_CLOSED:
            self._adopt_closed()
        elif record.isolated:
            self.open_by_hand(record.isolated, record.isolated_by)
        elif self._must_stay_closed(record.reason):
            self._not_followed = record.epoch  # different from the others on purpose: nothing to tell again
        else:
            self.isolated, self.isolated_by, self.reason = "", "", record.reason
            self._open_for(record.probe_in_seconds)
            self._enter(record.state)

    def _adopt_closed(self) -> None:
        if self.state == STATE_CLOSED:
            self._degrade("")
        else:
            self.recover()

    def _enter(self, state: str) -> None:
        # Half-open again is another half-open time: the probes of the one before say nothing any more.
        if state != self.state or state == STATE_HALF_OPEN:
            self.change(state)

    def _tell_again(self) -> None:
        """The shared state is older than ours: it was lost, or could not be reached when ours changed."""
        if self.state == STATE_HALF_OPEN:
            self.change(STATE_OPEN)
        self.publish()
