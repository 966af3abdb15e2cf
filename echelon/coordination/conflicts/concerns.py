"""Conflicts that nobody has decided, as concerns in the line of their owner: one for each pair of outputs (X9, O1)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from echelon.coordination.context import RunContext
from echelon.coordination.step.envelope import MAX_MESSAGE, shortened
from echelon.coordination.voice.recording import unrecorded
from echelon.coordination.voice.statements import said_id
from echelon.model.concern import Concern
from echelon.model.conflicts.conflict import ConflictRecord, Side
from echelon.model.phrasing import listed
from echelon.oversight.conflicts.answered import evidence_of
from echelon.runlog.events import ConcernRaised

#: One of two is wrong, and nobody knows which: low confidence in each, so that a person looks, always (O1).
_CONFIDENCE, _IMPACT = 0.5, 0.9

#: Subjects, and fields, that a message names; all subjects are in its evidence.
NAMED = 3


def concerns_about_conflicts(run: RunContext, phase: str, records: Iterable[ConflictRecord]) -> list[ConcernRaised]:
    """Return the events that raise what is not decided, without what is on record already.

    Each is about two tasks, so that nothing irreversible begins that uses either of them (X13).
    """
    pairs: dict[tuple[str, str, str], list[ConflictRecord]] = {}
    for one in records:
        for left, right in _pairs(one.conflict.sides):
            pairs.setdefault((one.owner, left.name, right.name), []).append(one)
    return unrecorded(run, (_event(run, phase, *names, found) for names, found in _new(run, phase, pairs)))


def _pairs(sides: Sequence[Side]) -> list[tuple[Side, Side]]:
    """Return pairs that contradict each other, every side in one of them: the first that does, for each."""
    placed = list(enumerate(sides))
    found: dict[tuple[int, int], tuple[Side, Side]] = {}
    for place, side in placed[1:]:
        other = next((number for number, one in placed if number != place and one.contradicts(side)), 0)
        least, most = min(place, other), max(place, other)
        found.setdefault((least, most), (sides[least], sides[most]))
    return list(found.values())


def _new(
    run: RunContext, phase: str, pairs: Mapping[tuple[str, str, str], Sequence[ConflictRecord]]
) -> Iterator[tuple[tuple[str, str, str], Sequence[ConflictRecord]]]:
    """Yield the pairs about which nothing was raised before by this process."""
    raised = run.claims.raised
    for names, found in pairs.items():
        identity = (phase, *names, *(one.id for one in found))
        if identity not in raised:
            raised.add(identity)
            yield names, found


def _event(
    run: RunContext, phase: str, owner: str, first: str, other: str, records: Sequence[ConflictRecord]
) -> ConcernRaised:
    subjects = [one.conflict.subject for one in records]
    left, right = records[0].conflict.side(first), records[0].conflict.side(other)
    assert left is not None, "a pair is of sides of each of its conflicts"
    assert right is not None, "a pair is of sides of each of its conflicts"
    message = (
        f"{first} and {other} contradict each other about {listed(subjects, NAMED)}, and nobody has decided which "
        f"counts: {_said(left)} against {_said(right)}"
    )
    concern = Concern(
        about=right.task_id,
        message=shortened(message, MAX_MESSAGE),
        confidence=_CONFIDENCE,
        impact=_IMPACT,
        evidence=tuple(shortened(evidence_of(one), MAX_MESSAGE) for one in records),
    )
    identity = said_id(run.spec.run_id, f"{phase}/conflicts/{owner}", concern)
    return run.raising.event(identity, owner, concern, run.now(), task_id=left.task_id, phase=phase)


def _said(side: Side) -> str:
    return listed([f"{field} {value!r}" for field, value in side.says.items()], NAMED)
