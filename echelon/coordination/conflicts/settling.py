"""Conflicts are settled by the nearest common owner, before anybody gets the outputs that contradict each other (X9).

What decides is a rule or an agent that the job states, each conflict a step of its own; where nothing does, or it
cannot tell, it is a concern in the line of the owner, and the outputs fall short. All of it is on record first.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from echelon.agents.agent import Agent
from echelon.coordination.conflicts.concerns import NAMED, concerns_about_conflicts
from echelon.coordination.conflicts.statements import find_between, statements_of
from echelon.coordination.conflicts.touched import TouchedFiles, touched_in
from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import Gathered, PhaseOutput, together
from echelon.coordination.placement import StageOrder
from echelon.coordination.rolling.beside import steps_beside
from echelon.coordination.rolling.steps import StepMaker
from echelon.coordination.step.envelope import MAX_MESSAGE, shortened
from echelon.coordination.step.layers import layers
from echelon.coordination.step.step import Perform, Step
from echelon.definition.conflicts.settling import settlement_of
from echelon.journal.digest import digest_of
from echelon.journal.failpoints import failpoint
from echelon.model.conflicts.conflict import Conflict, ConflictRecord, SettledConflict
from echelon.model.conflicts.overruled import Overruled
from echelon.model.handoff import Handoff, Missing
from echelon.model.integration import settlement_id
from echelon.model.phrasing import listed
from echelon.oversight.conflicts.answered import answer_to
from echelon.oversight.conflicts.finding import find_conflicts, nearest_owner
from echelon.oversight.conflicts.joined import known_as
from echelon.runlog.judging.conflict_events import ConflictFound, ConflictSettled
from echelon.runlog.losses import missing_of

Handed: TypeAlias = Mapping[str, Sequence[Handoff]]
"""Handoffs by the phase that they are of."""


class Ruling(NamedTuple):
    """What was decided about outputs."""

    overruled: Mapping[str, Sequence[Overruled]]
    """What does not count, by task."""
    doubts: tuple[Missing, ...]
    """Outputs of which nobody knows whether they count."""
    carriers: Mapping[str, str] = {}
    """Task that was integrated → the output that its work is in."""

    def mark(self, output: PhaseOutput) -> PhaseOutput:
        """Return an output with what was decided about what is in it."""
        if not (self.overruled or self.doubts):
            return output
        there = {one.task_id for one in output.handoffs}
        doubts = tuple(one for one in self.doubts if self._carrier(one.task_id) in there)
        handoffs = tuple(map(self._marked, output.handoffs))
        return output.model_copy(update={"handoffs": handoffs, "replaced": (*output.replaced, *doubts)})

    def _marked(self, handoff: Handoff) -> Handoff:
        own = (said for task, said in self.overruled.items() if self._carrier(task) == handoff.task_id)
        found = tuple(dict.fromkeys(one for said in own for one in said))
        return handoff.model_copy(update={"overruled": (*handoff.overruled, *found)}) if found else handoff

    def _carrier(self, task_id: str) -> str:
        return self.carriers.get(task_id, task_id)


async def settle_conflicts(run: RunContext, order: StageOrder, output: PhaseOutput) -> PhaseOutput:
    """Settle what outputs of a phase still contradict each other about, at its sync point."""
    return (await _Settling(run, order).settle(output)).mark(output)


async def decide_conflicts(
    run: RunContext, order: StageOrder, conflicts: Iterable[Conflict], handoffs: Handed
) -> tuple[list[ConflictRecord], list[Missing]]:
    """Let conflicts between handoffs be decided; returns where they stand, and what could not be asked."""
    return await _Settling(run, order).decide(conflicts, handoffs)


async def settle_received(
    run: RunContext, order: StageOrder, received: Mapping[str, PhaseOutput], side_by_side: Collection[str]
) -> dict[str, PhaseOutput]:
    """Settle what phases that were at work side by side contradict each other about, before one that needs them begins.

    What came behind another phase may say something else: it knew of that.
    """
    handoffs = {name: received[name].handoffs for name in side_by_side}
    files = touched_in(run, handoffs)
    found = await find_between(run, order.phase, handoffs, files)
    if not found:
        return dict(received)
    ruling = await _Settling(run, order).rule(found, _with_integrated(handoffs, files))
    ruling = ruling._replace(carriers=files.carriers)
    return {name: ruling.mark(output) for name, output in received.items()}


async def settle_gathered(run: RunContext, order: StageOrder, gathered: Gathered) -> Gathered:
    """Settle what outputs that reached a coordinator contradict each other about, before it integrates them."""
    ruling = await _Settling(run, order).settle(together((gathered.agents, gathered.parts)))
    return Gathered(agents=ruling.mark(gathered.agents), parts=ruling.mark(gathered.parts))


@dataclass(frozen=True)
class _Settling:
    """Settles conflicts in one phase."""

    run: RunContext
    order: StageOrder

    async def settle(self, output: PhaseOutput) -> Ruling:
        """Find conflicts, let their owners decide, and put all of it on record."""
        phase, handoffs = self.order.phase, {self.order.phase: output.handoffs}
        files = touched_in(self.run, handoffs)
        statements = [*await statements_of(self.run, phase, output.handoffs), *files.statements]
        conflicts = find_conflicts(phase, statements)
        if not conflicts:
            return Ruling({}, ())
        ruling = await self.rule(conflicts, _with_integrated(handoffs, files))
        known = set(output.replaced)
        return ruling._replace(doubts=tuple(one for one in ruling.doubts if one not in known), carriers=files.carriers)

    async def rule(self, conflicts: Iterable[Conflict], handoffs: Handed) -> Ruling:
        """Let conflicts be decided; returns what follows for the outputs."""
        settled, failed = await self.decide(conflicts, handoffs)
        return Ruling(_overruled(settled), (*self._doubts(settled), *failed))

    async def decide(
        self, conflicts: Iterable[Conflict], handoffs: Handed
    ) -> tuple[list[ConflictRecord], list[Missing]]:
        """Put conflicts on record and let them be decided; returns where they stand, and what could not be asked."""
        job, versions = self.run.spec.job, {one.task_id: one.version for own in handoffs.values() for one in own}
        found = [self._record(one, versions) for one in conflicts]
        await self._record_found(found)
        await self._take_answers(found)
        settler, known = job.phases[self.order.phase].settler or job.settler, self.run.log.state.conflicts
        asked = [known[one.id] for one in found]
        failed = await self._decide_all(asked, settler, handoffs) if settler is not None else []
        settled = [self.run.log.state.conflicts[one.id] for one in found]
        await self._raise_undecided(settled)
        now = [known_as(one.conflict, versions, [known]) or known for one, known in zip(found, settled, strict=True)]
        return now, failed

    def _record(self, conflict: Conflict, versions: Mapping[str, str]) -> ConflictRecord:
        """Return the record of a conflict: the one that it has already, on another level or with others on a side."""
        known, identity = self.run.claims.records, self.run.claims.identity(conflict)
        return known.get(identity) or known.setdefault(identity, self._find_record(conflict, versions))

    def _find_record(self, conflict: Conflict, versions: Mapping[str, str]) -> ConflictRecord:
        identity, known = digest_of(conflict)[:12], self.run.log.state.conflicts
        joined = None if identity in known else known_as(conflict, versions, known.values())
        if joined is not None:
            return joined
        agreeing = {task for side in conflict.sides for task in side.agrees}
        owner = nearest_owner(self.run.spec.plan, (side.producer for side in conflict.sides))
        return ConflictRecord(
            id=identity,
            conflict=conflict,
            owner=owner.id,
            level=owner.kind.value,
            at=self.run.now(),
            versions={task: version for task, version in versions.items() if task in agreeing},
        )

    async def _record_found(self, found: Sequence[ConflictRecord]) -> None:
        """Put conflicts on record; in a run that is resumed they are already."""
        run = self.run
        new = [one for one in found if one.id not in run.log.state.conflicts]
        if new:
            await run.log.append(*(ConflictFound(run_id=run.spec.run_id, at=one.at, record=one) for one in new))
        failpoint("conflict.found")

    async def _take_answers(self, found: Iterable[ConflictRecord]) -> None:
        """Put it on record what people have decided since, with the disposition of the concern about a conflict."""
        run, state = self.run, self.run.log.state
        answers = ((one.id, answer_to(state.conflicts[one.id], state.concerns.values())) for one in found)
        decided = {identity: settled for identity, settled in answers if settled is not None}
        if decided:
            events = (
                ConflictSettled(run_id=run.spec.run_id, at=run.now(), conflict_id=identity, settled=settled)
                for identity, settled in decided.items()
            )
            await run.log.append(*events)
        failpoint("conflict.answered")

    async def _decide_all(self, records: Iterable[ConflictRecord], settler: Agent, handoffs: Handed) -> list[Missing]:
        """Let conflicts be settled that are not; returns what could not be asked, or failed."""
        open_ones = [one for one in records if self._is_to_be_decided(one)]
        asking = _Asking(steps_beside(self.run, self.order), layers(self.run), settler, _by_version(handoffs))
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(self._decide(one, asking)) for one in open_ones]
        return [lost for one in asked if (lost := one.result()) is not None]

    def _is_to_be_decided(self, record: ConflictRecord) -> bool:
        """Say whether nobody was asked yet, or somebody wants it asked once more where it could not be told."""
        again = settlement_id(self.order.phase, record.id) in self.run.log.state.retried
        return record.settled is None or (again and not record.is_decided)

    async def _decide(self, record: ConflictRecord, asking: "_Asking") -> Missing | None:
        """Let a conflict be settled, in a step that is done once whatever crashes."""
        run, settler = self.run, asking.settler
        ended = await asking.perform(self._step(record, asking))
        failpoint("conflict.settled")
        if ended.output_location is None:  # it is asked again when the run goes on
            return missing_of(ended)
        said = await run.read(ended.output_location, settler.output_type)
        decided = settlement_of(said, record.conflict, settler)
        settled = SettledConflict(
            chosen=decided.chosen, by=settler.name, reason=shortened(decided.reason, MAX_MESSAGE), at=run.now()
        )
        event = ConflictSettled(run_id=run.spec.run_id, at=settled.at, conflict_id=record.id, settled=settled)
        await run.log.append(event)
        failpoint("conflict.recorded")
        return None

    def _step(self, record: ConflictRecord, asking: "_Asking") -> Step:
        run = self.run
        versions = {side.version for side in record.conflict.sides}
        sides = {name: PhaseOutput(handoffs=_of(own, versions)) for name, own in asking.handed.items()}
        identity = settlement_id(self.order.phase, record.id)
        made = asking.steps.check_of_phases(asking.settler, identity, sides)
        path = run.spec.plan.path(record.owner)
        return replace(made, node=record.owner, path=path, call=replace(made.call, item=record.conflict))

    async def _raise_undecided(self, records: Iterable[ConflictRecord]) -> None:
        """Raise concerns about what nobody has decided, once."""
        events = concerns_about_conflicts(self.run, self.order.phase, (one for one in records if not one.is_decided))
        if events:
            await self.run.log.append(*events)
        failpoint("conflict.raised")

    def _doubts(self, records: Iterable[ConflictRecord]) -> list[Missing]:
        """Return the outputs that nobody has decided about, each once with what it is contradicted about."""
        about: dict[str, list[str]] = {}
        agent_of, made_by = self.run.spec.plan.agent_of, dict[str, str]()
        for one in (one for one in records if not one.is_decided):
            for side in one.conflict.sides:
                for task in side.tasks:
                    about.setdefault(task, []).append(one.conflict.subject)
                    made_by.setdefault(task, agent_of.get(task, side.producer))
        return [
            Missing(
                task_id=task,
                producer=made_by[task],
                reason=f"contradicted by others about {listed(subjects, NAMED)}; nobody has decided which counts",
            )
            for task, subjects in about.items()
        ]


def _with_integrated(handoffs: Handed, files: TouchedFiles) -> Handed:
    """Return handoffs with those of tasks that were integrated, and are sides all the same."""
    return {phase: (*own, *files.integrated.get(phase, ())) for phase, own in handoffs.items()}


class _Asking(NamedTuple):
    """What the steps share in which conflicts are settled."""

    steps: StepMaker
    perform: Perform[Handoff]
    settler: Agent
    handed: Mapping[str, Mapping[str, Sequence[tuple[int, Handoff]]]]
    """Handoffs by phase and version, with their places."""


def _by_version(handoffs: Handed) -> dict[str, dict[str, list[tuple[int, Handoff]]]]:
    found: dict[str, dict[str, list[tuple[int, Handoff]]]] = {name: {} for name in handoffs}
    for name, several in handoffs.items():
        for place, one in enumerate(several):
            found[name].setdefault(one.version or "", []).append((place, one))
    return found


def _of(own: Mapping[str, Sequence[tuple[int, Handoff]]], versions: Iterable[str]) -> tuple[Handoff, ...]:
    """Return the handoffs of these versions, in their order."""
    placed = [placed for version in versions for placed in own.get(version, ())]
    return tuple(one for _, one in sorted(placed, key=itemgetter(0)))


def _overruled(records: Iterable[ConflictRecord]) -> dict[str, list[Overruled]]:
    found: dict[str, list[Overruled]] = {}
    for one in records:
        if one.settled is None or not one.settled.is_decided:
            continue
        conflict, settled = one.conflict, one.settled
        said = Overruled(subject=conflict.subject, decided=f"{settled.chosen} counts, as {settled.by} decided")
        for side in one.lost:
            for task in side.tasks:
                found.setdefault(task, []).append(said)
    return found
