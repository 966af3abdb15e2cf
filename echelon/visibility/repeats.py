"""Concerns that say the same: a job that runs every night raises them every night, and people read them once. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from echelon.model.concern import ConcernRecord, Route

#: Every list begins with what cannot wait.
URGENCY = (Route.IMMEDIATE, Route.HUMAN_REVIEW, Route.NORMAL, Route.PATTERN_LOG)


@dataclass(frozen=True, kw_only=True)
class RepeatedConcern:
    """What was raised once or several times in runs of one job, always with the same words."""

    job: str
    """The job; empty when it is not known."""
    records: tuple[ConcernRecord, ...]
    """Each time it was raised, the last one first."""

    @property
    def last(self) -> ConcernRecord:
        """The last time."""
        return self.records[0]

    @property
    def runs(self) -> int:
        """How many runs raised it."""
        return len({record.run_id for record in self.records})


def repeated(records: Iterable[ConcernRecord], jobs: Mapping[str, str]) -> list[RepeatedConcern]:
    """Put together what says the same, the most urgent and then the newest first; `jobs` has the job of each run."""
    groups: dict[tuple[object, ...], list[ConcernRecord]] = {}
    for record in sorted(records, key=lambda record: record.at, reverse=True):
        groups.setdefault(_sense(record, jobs), []).append(record)
    found = [RepeatedConcern(job=jobs.get(same[0].run_id, ""), records=tuple(same)) for same in groups.values()]
    return sorted(found, key=lambda each: URGENCY.index(each.last.concern.route))


def alike(record: ConcernRecord, records: Iterable[ConcernRecord], jobs: Mapping[str, str]) -> list[ConcernRecord]:
    """Return the concerns that say the same as `record`, itself included."""
    return [each for each in records if _sense(each, jobs) == _sense(record, jobs)]


def _sense(record: ConcernRecord, jobs: Mapping[str, str]) -> tuple[object, ...]:
    """Return what makes two concerns the same: how sure somebody is, and what it rests on, may differ a little."""
    concern = record.concern
    verdict = record.disposition.verdict if record.disposition else ""
    return jobs.get(record.run_id, record.run_id), concern.about, concern.message, concern.route, verdict
