"""The round before something irreversible: all who did work that it uses are asked whether they are ready (O5)."""

import asyncio
from collections.abc import Iterator

from echelon.agents.agent import Agent
from echelon.agents.asides.ready import ReadyAnswer, asked_whether_ready
from echelon.coordination.context import RunContext
from echelon.coordination.placement import StageOrder
from echelon.coordination.rolling.steps import StepMaker
from echelon.coordination.step.envelope import one_line
from echelon.coordination.step.record import raised
from echelon.coordination.step.step import Perform
from echelon.definition.phase import integrators_of
from echelon.model.concern import Concern
from echelon.model.errors import EchelonError
from echelon.model.handoff import Handoff
from echelon.model.integration import ready_id
from echelon.model.oversight.gate import Readiness
from echelon.planning.schedule.phase_graph import ancestors

#: What a participant that is not ready leaves on record: a person looks at it, always.
UNSURE, GRAVE = 0.5, 0.9


class ReadinessRound:
    """Asks the participants of one phase, once, however many gates it has."""

    def __init__(self, run: RunContext, order: StageOrder, steps: StepMaker, perform: Perform[Handoff]) -> None:
        self._run = run
        self._order = order
        self._steps = steps
        self._perform = perform
        self._asked: asyncio.Task[tuple[Readiness, ...]] | None = None

    async def ask(self) -> tuple[Readiness, ...]:
        """Return what everybody said; who cannot be asked is named, and never counts as ready."""
        if self._asked is None:
            self._asked = asyncio.create_task(self._ask_all(), name=f"readiness for {self._order.phase}")
        return await asyncio.shield(self._asked)

    async def _ask_all(self) -> tuple[Readiness, ...]:
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(self._ask(one)) for one in self._participants()]
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

    async def _ask(self, agent: Agent) -> Readiness:
        goals = ", ".join(one.goal for one in self._run.spec.job.phases[self._order.phase].agents)
        asked = asked_whether_ready(agent, goals)
        if asked is None:
            return Readiness(agent=agent.name, answer="not_asked")
        step = self._steps.check_of_phases(asked, ready_id(self._order.phase, agent.name), self._order.upstream)
        handoff = await self._perform(step)
        if not handoff.done or handoff.output_location is None:
            why = one_line(handoff.error.message) if handoff.error else ""
            return Readiness(agent=agent.name, answer="no_answer", reason=why)
        try:
            answer = await self._run.read(handoff.output_location, ReadyAnswer)
        except EchelonError as error:
            return Readiness(agent=agent.name, answer="no_answer", reason=one_line(str(error)))
        assert isinstance(answer, ReadyAnswer), "it was accepted as one"
        await self._raise_concerns(agent.name, answer)
        return Readiness(agent=agent.name, answer="ready" if answer.ready else "not_ready", reason=answer.reason)

    async def _raise_concerns(self, agent: str, answer: ReadyAnswer) -> None:
        """Put it on record why somebody is not ready: nothing begins before a person has looked at it."""
        concern = answer.concern
        if concern is None and not answer.ready:
            message = f"{agent} is not ready: {answer.reason or 'it does not say why'}"
            concern = Concern(about=self._order.phase, message=message, confidence=UNSURE, impact=GRAVE)
        if concern is not None:
            run = self._run
            await run.log.append(raised(run, agent, concern, run.now()))
