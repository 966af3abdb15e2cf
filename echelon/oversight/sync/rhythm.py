"""The rhythm of a phase, or of a domain in it: which tasks are the next wave, given the waves on record (X3). Pure."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from echelon.model.sync.policy import SyncPolicyTerms
from echelon.model.sync.seen import EndedBy, SyncSeen, Wave
from echelon.oversight.sync.adaptive import Pace, first_pace, next_pace

#: What one agent does in a phase, one task after the other: it is in one wave with all of it.
Holding = tuple[str, ...]


class NextWave(NamedTuple):
    """The tasks of a wave before it begins."""

    holdings: tuple[Holding, ...]
    ended_by: EndedBy
    """Why it ends, when nothing ends it before."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """All of its tasks."""
        return tuple(task for holding in self.holdings for task in holding)


def waves_of(seen: SyncSeen, phase: str, number: int, domain: str) -> tuple[Wave, ...]:
    """Return the waves on record of a round of a phase, or of a domain in it."""
    return tuple(one for one in seen.waves if (one.phase, one.round, one.domain) == (phase, number, domain))


def waves_told(waves: Sequence[Wave]) -> Sequence[Wave]:
    """Return the waves that agents of the phase were told of: nobody comes behind the last."""
    return waves[:-1] if waves and waves[-1].ended_by == "last" else waves


def pace_after(terms: SyncPolicyTerms, waves: Iterable[Wave]) -> Pace:
    """Return how often to synchronise behind these waves; a run that is resumed goes on with the same."""
    pace = first_pace(terms)
    for wave in waves:
        pace = next_pace(pace, terms, max(len(wave.tasks), 1), wave.revealed)
    return pace


def next_wave(
    terms: SyncPolicyTerms, waves: Sequence[Wave], left: Sequence[Holding], milestone_of: Callable[[str], object]
) -> NextWave:
    """Return the tasks of the next wave, of all that are left; there is one left at least.

    `milestone_of` says of a task to which milestone it belongs.
    """
    if terms.policy == "milestone":
        first = milestone_of(left[0][0])
        held = [one for one in left if milestone_of(one[0]) == first]
        return NextWave(tuple(held), "last" if len(held) == len(left) else "milestone")
    if terms.policy in ("phase", "event"):
        return NextWave(tuple(left), "last")
    size = terms.every or pace_after(terms, waves).size
    held = _first(left, size)
    return NextWave(held, "last" if len(held) == len(left) else "interval")


def _first(left: Sequence[Holding], size: int) -> tuple[Holding, ...]:
    """Return the first agents that hold so many tasks together, or a few more."""
    tasks = 0
    for number, holding in enumerate(left, start=1):
        tasks += len(holding)
        if tasks >= size:
            return tuple(left[:number])
    return tuple(left)
