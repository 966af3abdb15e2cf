"""The ledger of concerns: what says the same in runs of one job is one entry, with what became of it (O1, O7). Pure.

It is made from records of all runs, which the journal folds from their events; nothing is left out or taken away.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from echelon.model.concern import URGENCY, ConcernRecord, Disposition, Route
from echelon.oversight.routing import NO_RECORD, TrackRecord

Sense = tuple[str, str]
"""What makes two concerns of a job the same: what each is about, and its words. Weights may differ a little."""


def sense_of(record: ConcernRecord) -> Sense:
    """Return what a concern says."""
    return record.concern.about, record.concern.message


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """What was raised once or several times in runs of one job, always with the same words."""

    job: str
    """The job; empty when it is not known."""
    records: tuple[ConcernRecord, ...]
    """Each time it was raised, the last one first."""

    @property
    def last(self) -> ConcernRecord:
        """The last time that is still open; the last time, where none is."""
        return next(iter(self.open), self.records[0])

    @property
    def count(self) -> int:
        """How often it was raised."""
        return len(self.records)

    @property
    def runs(self) -> int:
        """How many runs raised it."""
        return len({record.run_id for record in self.records})

    @property
    def first_seen(self) -> datetime:
        """When it was raised first, in UTC."""
        return self.records[-1].at

    @property
    def last_seen(self) -> datetime:
        """When it was raised last, in UTC."""
        return self.records[0].at

    @cached_property
    def open(self) -> tuple[ConcernRecord, ...]:
        """Those that nobody has ended."""
        return tuple(record for record in self.records if record.is_open)

    @property
    def open_since(self) -> datetime | None:
        """Since when one of them waits, in UTC; None when none does."""
        return min((record.open_since for record in self.open), default=None)

    @property
    def route(self) -> Route:
        """Where it goes now: the most urgent of those that are open, or of all where none is."""
        return min((record.route for record in self.open or self.records), key=URGENCY.index)

    @property
    def dispositions(self) -> tuple[Disposition, ...]:
        """Everything that ended one of them, in that order, whether it was taken back or not."""
        ends = [end for record in self.records for end in ends_of(record)]
        return tuple(sorted(ends, key=lambda end: end.at))

    @property
    def reopened(self) -> int:
        """How often the end of one of them was taken back."""
        return sum(len(record.reopened) for record in self.records)

    def dismissed_before(self, record: ConcernRecord) -> int:
        """Return how often one that says the same had been dismissed when one of them was raised (O7)."""
        others = (end for one in self.records if one.id != record.id for end in ends_of(one))
        return max(record.dismissed_before, sum(end.verdict == "dismissed" and end.at < record.at for end in others))

    @property
    def filtering_failures(self) -> int:
        """How often it was dismissed and was right: it was reopened, or one that says the same proved true (O7)."""
        taken_back = sum(one.disposition.verdict == "dismissed" for record in self.records for one in record.reopened)
        proved = max((at for record in self.records if (at := _proved(record))), default=None)
        standing = [record.disposition for record in self.records if record.disposition is not None]
        return taken_back + sum(
            end.verdict == "dismissed" and proved is not None and end.at < proved for end in standing
        )


def ends_of(record: ConcernRecord) -> tuple[Disposition, ...]:
    """Return everything that ended a concern, in that order; what was taken back is a part of it."""
    now = (record.disposition,) if record.disposition is not None else ()
    return (*(one.disposition for one in record.reopened), *now)


def ledger_of(records: Iterable[ConcernRecord], jobs: Mapping[str, str]) -> list[LedgerEntry]:
    """Put together what says the same, the most urgent and then the newest first; `jobs` has the job of each run.

    Of a run whose job is not known nothing is put together with other runs.
    """
    groups: dict[tuple[str, Sense], list[ConcernRecord]] = {}
    for record in sorted(records, key=lambda record: record.at, reverse=True):
        groups.setdefault((jobs.get(record.run_id, record.run_id), sense_of(record)), []).append(record)
    entries = [LedgerEntry(job=jobs.get(same[0].run_id, ""), records=tuple(same)) for same in groups.values()]
    return sorted(entries, key=lambda entry: URGENCY.index(entry.route))


@dataclass(frozen=True, kw_only=True)
class EarlierConcerns:
    """What earlier runs of a job say of a concern that is raised now."""

    dismissed: Mapping[Sense, int] = field(default_factory=dict[Sense, int])
    """How often each was dismissed, by what it says."""
    tracks: Mapping[str, TrackRecord] = field(default_factory=dict[str, TrackRecord])
    """What became of the concerns of each source."""

    def track_of(self, source: str) -> TrackRecord:
        """Return what became of the concerns of a source."""
        return self.tracks.get(source, NO_RECORD)


#: What is known where there was no run before.
NOTHING_EARLIER = EarlierConcerns()


def earlier_of(records: Iterable[ConcernRecord]) -> EarlierConcerns:
    """Return what earlier concerns of one job say of later ones."""
    dismissed, right, wrong = Counter[Sense](), Counter[str](), Counter[str]()
    for record in records:
        dismissed[sense_of(record)] += sum(end.verdict == "dismissed" for end in ends_of(record))
        if _proved(record):
            right[record.source] += 1
        elif record.disposition is not None:
            wrong[record.source] += 1
    tracks = {source: TrackRecord(right[source], wrong[source]) for source in right | wrong}
    return EarlierConcerns(dismissed={sense: number for sense, number in dismissed.items() if number}, tracks=tracks)


def _proved(record: ConcernRecord) -> datetime | None:
    """Return when a concern was found to be true; None where nobody found that."""
    end = record.disposition
    if end is not None and end.verdict != "dismissed":
        return end.at
    taken_back = [one.at for one in record.reopened if one.disposition.verdict == "dismissed"]
    return taken_back[0] if taken_back and end is None else None
