"""The round before something irreversible: all who did work that it uses are asked whether they are ready (O5)."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace

from echelon.agents.agent import Agent
from echelon.agents.asides.ready import ReadyAnswer, asked_whether_ready
from echelon.coordination.context import RunContext
from echelon.coordination.placement import StageOrder
from echelon.coordination.rolling.steps import StepMaker
from echelon.coordination.step.envelope import one_line
from echelon.coordination.step.step import GateAbout, Perform, Step
from echelon.coordination.voice.statements import said_id
from echelon.definition.phase import integrators_of
from echelon.journal.digest import digest_of
from echelon.model.concern import Concern, ConcernRecord
from echelon.model.errors import EchelonError
from echelon.model.handoff import Handoff
from echelon.model.integration import ready_id
from echelon.model.oversight.gate import GateRecord, Readiness
from echelon.oversight.gates.readiness import is_taken_back, known_before, raised_at, taken_back
from echelon.planning.schedule.phase_graph import ancestors
from echelon.runlog.events import ConcernDisposed, ConcernRaised, ConcernReopened, RunEvent

#: What a participant that is not ready leaves on record: a person looks at it, always.
UNSURE, GRAVE = 0.5, 0.9


class ReadinessRound:
    """Asks the participants of one phase once for all its gates, and again for a new gate of the same task."""

    def __init__(self, run: RunContext, order: StageOrder, steps: StepMaker, perform: Perform[Handoff]) -> None:
        self._run = run
        self._order = order
        self._steps = steps
        self._perform = perform
        self._asked: asyncio.Task[tuple[Readiness, ...]] | None = None
        self._served = set[str]()

    async def ask(self, about: GateAbout) -> tuple[Readiness, ...]:
        """Return what everybody said; who cannot be asked is named, and never counts as ready."""
        if self._asked is None or about.task_id in self._served:
            self._asked = asyncio.create_task(self._ask_all(about), name=f"readiness for {self._order.phase}")
            self._served = set[str]()
        self._served.add(about.task_id)
        return await asyncio.shield(self._asked)

    async def _ask_all(self, about: GateAbout) -> tuple[Readiness, ...]:
        # What was said for a gate on record is not said for the next one. Until there is one, it is: a run that was
        # killed in between does not ask twice.
        gates = [gate for gate in self._run.log.state.gates.values() if gate.action.phase == self._order.phase]
        earlier = [gate for gate in gates if (gate.action.task_id, gate.digest) == about]
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(self._ask(one, len(gates) + 1, earlier)) for one in self._participants()]
        return tuple(one.result() for one in asked)

    def _participants(self) -> Iterator[Agent]:
        """Yield the agents of the phases that this one uses, and its own, each once."""
        job, name = self._run.spec.job, self._order.phase
        before = ancestors({phase.name: phase.needs for phase in job.phases.values()}, name)
        known: dict[str, Agent] = {}
        for phase in (*(job.phases[one] for one in job.phases if one in before), job.phases[name]):
            for agent in (*phase.agents, *integrators_of(phase)):
                known.setdefault(agent.name, agent)
        yield from known.values()

    async def _ask(self, agent: Agent, number: int, earlier: Sequence[GateRecord]) -> Readiness:
        goals = ", ".join(one.goal for one in self._run.spec.job.phases[self._order.phase].agents)
        asked = asked_whether_ready(agent, goals)
        if asked is None:
            return Readiness(agent=agent.name, answer="not_asked")
        recorded_as = ready_id(self._order.phase, agent.name)
        step = self._steps.check_of_phases(asked, recorded_as, self._order.upstream)
        if number > 1:  # another question than the one before, and not that one done again
            key = digest_of((step.key, "gate", number))
            step = replace(step, key=key, task_id=f"{recorded_as}/{number}")
        handoff = await self._perform(step)
        if not handoff.done or handoff.output_location is None:
            why = one_line(handoff.error.message) if handoff.error else ""
            return Readiness(agent=agent.name, answer="no_answer", reason=why)
        try:
            answer = await self._run.read(handoff.output_location, ReadyAnswer)
        except EchelonError as error:
            return Readiness(agent=agent.name, answer="no_answer", reason=one_line(str(error)))
        assert isinstance(answer, ReadyAnswer), "it was accepted as one"
        await self._record_concerns(agent.name, answer, step, earlier)
        return Readiness(agent=agent.name, answer="ready" if answer.ready else "not_ready", reason=answer.reason)

    async def _record_concerns(
        self, agent: str, answer: ReadyAnswer, step: Step, earlier: Sequence[GateRecord]
    ) -> None:
        """Put it on record why somebody is not ready, and that it is now: nothing begins before a person has looked."""
        run, concern = self._run, answer.concern
        own = raised_at(run.log.state.concerns.values(), agent, ready_id(self._order.phase, agent))
        if concern is None and not answer.ready:
            message = f"{agent} is not ready: {answer.reason or 'it does not say why'}"
            concern = Concern(about=self._order.phase, message=message, confidence=UNSURE, impact=GRAVE)
        known = known_before(own, concern, earlier) if concern is not None else None
        events: list[RunEvent] = []
        if concern is not None and known is None:
            events.append(self._raised(agent, concern, step))
        elif known is not None and is_taken_back(known):
            events.append(self._reopened(known, step))
        if answer.ready:
            run_id, said = run.spec.run_id, f"{step.task_id}: ready"
            events += [
                ConcernDisposed(run_id=run_id, at=end.at, concern_id=identity, disposition=end)
                for identity, end in taken_back([one for one in own if one is not known], [said], run.now())
            ]
        if events:
            await run.log.append(*events)

    def _raised(self, agent: str, concern: Concern, step: Step) -> ConcernRaised:
        run = self._run
        event = run.raising.event(said_id(run.spec.run_id, step.key, concern), agent, concern, run.now())
        # It holds whatever cannot be undone, as what no step raised does; where it was said is kept to find it again.
        asked_as = ready_id(self._order.phase, agent)
        return event.model_copy(update={"record": event.record.model_copy(update={"task_id": asked_as})})

    def _reopened(self, record: ConcernRecord, step: Step) -> ConcernReopened:
        return ConcernReopened(
            run_id=record.run_id,
            at=self._run.now(),
            concern_id=record.id,
            by=record.source,
            reason=f"{record.source} was asked again, and says once more that it is not ready",
            evidence=(f"{step.task_id}: not ready",),
        )
