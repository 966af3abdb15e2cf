"""Work that goes back and forth between the same versions is ended, and the owner decides which one counts (X5).

What is decided so has not passed its check: it is handed on with that said.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from echelon.coordination.conflicts.settling import decide_conflicts
from echelon.coordination.conflicts.statements import statements_of
from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import PastRound, StageOrder
from echelon.model.conflicts.conflict import Conflict, ConflictRecord, Side
from echelon.model.conflicts.overruled import Overruled
from echelon.model.handoff import Handoff, Missing, OutputReference
from echelon.oversight.conflicts.damping import reactions_in
from echelon.oversight.conflicts.finding import bounded


class Revision(NamedTuple):
    """What one round made of something."""

    handoff: Handoff
    phase: str
    round: int
    version: str
    said: dict[str, object]
    """What it says of it, as far as that is known already."""


def versions_of(rounds: Iterable[PastRound]) -> list[str]:
    """Return the version that each round of a task made."""
    return [location.sha256 for one in rounds if (location := one.handoff.output_location) is not None]


async def settle_versions(run: RunContext, order: StageOrder, rounds: Sequence[PastRound]) -> Handoff | None:
    """Let the owner of a task decide which of its versions counts; None where nothing does."""
    made = [
        Revision(one.handoff, order.phase, number, location.sha256, {})
        for number, one in enumerate(rounds, start=1)
        if (location := one.handoff.output_location) is not None
    ]
    record, sides = await _decide(run, order, made[-1].handoff.task_id, made)
    chosen = next((one for one, side in sides if _counts(record, side)), None)
    return None if chosen is None else chosen.handoff.model_copy(update={"shortfall": _never_passed(record)})


class Revisions:
    """What phases that are repeated together made, round by round: each task, and each thing that several speak of."""

    def __init__(self) -> None:
        self._made: dict[str, list[Revision]] = {}
        self._rounds = 0

    async def add(self, run: RunContext, outputs: Mapping[str, PhaseOutput]) -> None:
        """Take what another round made."""
        self._rounds += 1
        for phase, output in outputs.items():
            handoffs = {one.task_id: one for one in (*output.tasks, *output.handoffs) if one.output_location}
            for one in handoffs.values():
                assert one.output_location is not None, "looked for just before"
                self._add(one.task_id, Revision(one, phase, self._rounds, one.output_location.sha256, {}))
            for statement in await statements_of(run, phase, list(handoffs.values()), least=1):
                for claim in statement.claims:
                    by, said = handoffs[statement.task_id], {claim.field: claim.said}
                    made = Revision(by, phase, self._rounds, claim.digest, said)
                    self._add(f"{claim.subject} {claim.field}", made)

    def alternating(self, limit: int) -> str:
        """Return the first thing that went back and forth as often as the limit; empty where nothing did."""
        found = (name for name, made in self._made.items() if reactions_in([one.version for one in made]) >= limit)
        return next(found, "")

    async def settle(
        self, run: RunContext, order: StageOrder, name: str, outputs: Mapping[str, PhaseOutput]
    ) -> dict[str, PhaseOutput] | None:
        """Let the owner decide about what went back and forth; returns what is handed on, None where nobody does."""
        record, sides = await _decide(run, order, name, self._made[name])
        chosen = next((one for one, side in sides if _counts(record, side)), None)
        if chosen is None:
            return None
        others = {one.handoff.task_id for one, side in sides if not _counts(record, side)} - {chosen.handoff.task_id}
        return {phase: _decided(output, record, chosen.handoff, others) for phase, output in outputs.items()}

    def _add(self, name: str, revision: Revision) -> None:
        self._made.setdefault(name, []).append(revision)


async def _decide(
    run: RunContext, order: StageOrder, name: str, made: Sequence[Revision]
) -> tuple[ConflictRecord, list[tuple[Revision, Side]]]:
    """Put it on record that something goes back and forth between two versions, and let it be decided."""
    last = made[-1]
    before = next(one for one in reversed(made) if one.version != last.version)
    sides = [(one, _side(run, one)) for one in (before, last)]
    conflict = Conflict(phase=order.phase, subject=name, sides=tuple(side for _, side in sides))
    handed: dict[str, list[Handoff]] = {}
    for one, _ in sides:
        handed.setdefault(one.phase, []).append(one.handoff)
    (record,), _ = await decide_conflicts(run, order, [conflict], handed)
    return record, sides


def _side(run: RunContext, revision: Revision) -> Side:
    handoff = revision.handoff
    location = handoff.output_location
    assert location is not None, "what is a version has an output"
    return Side(
        task_id=handoff.task_id,
        round=revision.round,
        producer=run.spec.plan.agent_of.get(handoff.task_id, handoff.producer),
        version=location.sha256,
        confidence=handoff.confidence,
        says=revision.said or _read(run, location),
    )


def _read(run: RunContext, location: OutputReference) -> dict[str, object]:
    return {"output": bounded(run.outputs.read_json(location))}


def _counts(record: ConflictRecord, side: Side) -> bool:
    return record.settled is not None and record.settled.chosen == side.name


def _never_passed(record: ConflictRecord) -> str:
    assert record.settled is not None, "asked of what is decided"
    return f"its check never passed; {record.settled.by} decided that {record.settled.chosen} counts"


def _decided(output: PhaseOutput, record: ConflictRecord, chosen: Handoff, others: set[str]) -> PhaseOutput:
    """Return what a phase hands on: the version that counts, and what does not count is marked."""
    said, subject = _never_passed(record), record.conflict.subject
    overruled = Overruled(subject=subject, decided=said)
    handoffs = tuple(
        chosen
        if one.task_id == chosen.task_id
        else one.model_copy(update={"overruled": (*one.overruled, overruled)})
        if one.task_id in others
        else one
        for one in output.handoffs
    )
    made_here = {one.task_id for one in (*output.tasks, *output.handoffs)}
    if chosen.task_id not in made_here:
        return output.model_copy(update={"handoffs": handoffs})
    short = Missing(task_id=chosen.task_id, producer=chosen.producer, reason=said)
    return output.model_copy(update={"handoffs": handoffs, "replaced": (*output.replaced, short)})
