"""Times in which work waits for a person or for a quota: nobody who waits is late (O5, F10). Pure."""

from collections.abc import Iterator
from datetime import datetime

from echelon.runlog.events import GateAnswered, GateClosed, GateRaised, QuotaClosed, RunEvent


class Held:
    """Spans of time in which something was waited for, some of them open."""

    def __init__(self) -> None:
        self._gates: dict[str, tuple[datetime, datetime | None]] = {}
        self._quotas: list[tuple[datetime, datetime, str]] = []

    def see(self, event: RunEvent) -> None:
        """Take note of a gate that is asked or decided, and of a quota that is used up."""
        if isinstance(event, GateRaised):
            self._gates[event.record.id] = (event.at, None)
        elif isinstance(event, GateClosed) or (isinstance(event, GateAnswered) and not event.answer.refused):
            began, ended = self._gates.get(event.gate_id, (event.at, None))
            self._gates[event.gate_id] = (began, ended or event.at)
        elif isinstance(event, QuotaClosed):
            self._quotas.append((event.at, event.window.until, event.window.dependency))

    def of_run(self, since: datetime, until: datetime) -> float:
        """Return how many seconds of a time something of the run waited."""
        if not self._gates and not self._quotas:
            return 0.0
        return _covered(sorted([*self._waits_for_people(until), *self._waits_for_quotas(None)]), since, until)

    def of_task(self, provider: str | None, since: datetime, until: datetime) -> float:
        """Return how many seconds of a time a task waited for the quota of who it calls; it waits for no gate then."""
        if provider is None or not self._quotas:
            return 0.0
        return _covered(sorted(self._waits_for_quotas(provider)), since, until)

    def _waits_for_people(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        return ((began, ended or now) for began, ended in self._gates.values())

    def _waits_for_quotas(self, provider: str | None) -> Iterator[tuple[datetime, datetime]]:
        return ((began, ended) for began, ended, name in self._quotas if provider in (None, name))


def _covered(spans: list[tuple[datetime, datetime]], since: datetime, until: datetime) -> float:
    """Return how many seconds of a time lie in at least one of the spans."""
    covered, reached = 0.0, since
    for began, ended in spans:
        begins, ends = max(began, reached), min(ended, until)
        if ends > begins:
            covered += (ends - begins).total_seconds()
            reached = ends
    return covered
