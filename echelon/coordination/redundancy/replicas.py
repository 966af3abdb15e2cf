"""Tasks that several do at the same time, or that have a standby: whose handoff counts is on record at the end (F9).

Each of them is a step like any other, with a key, a guard, a slot and a budget of its own. Those that nobody needs any
more are stopped; what they used by then counts. A run that is resumed takes up those that ended, and does the others
only where they are still needed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from echelon.agents.agent import Agent
from echelon.coordination.context import RunContext
from echelon.coordination.redundancy.another import done_by
from echelon.coordination.redundancy.comparing import read_compared
from echelon.coordination.redundancy.ending import delivered, not_delivered
from echelon.coordination.redundancy.settling import Vote, settled
from echelon.coordination.step.envelope import error_report, one_line
from echelon.coordination.step.recall import reuse, why_lost
from echelon.coordination.step.record import record_of, record_step, record_with_news
from echelon.coordination.step.step import Perform, Step, StepControl
from echelon.definition.facts import model_name
from echelon.definition.redundancy.redundancy import Redundancy
from echelon.journal.digest import digest_of
from echelon.journal.failpoints import failpoint
from echelon.model.errors import AgentFailed
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.graph import TaskSpec
from echelon.model.handoff import ErrorReport, Handoff
from echelon.model.phrasing import duration
from echelon.model.run import StepKind, StepRecord
from echelon.resilience.guard import Guard

#: Why a replica is stopped.
NOT_NEEDED = "it is not needed any more: what others delivered, or failed to, has settled the task"


@dataclass(frozen=True)
class Redundant:
    """Lets tasks be done as often as they say; `guard` gives the guard of another agent for a task."""

    run: RunContext
    redundancy: Redundancy
    guard: Callable[[Agent, str], Guard]
    inner: Perform[Handoff]

    def __call__(self, step: Step) -> Awaitable[Handoff]:
        """Do a step; a task that is done once, and whatever is no task, is done as ever."""
        task = self.run.spec.tasks.get(step.task_id) if step.kind is StepKind.TASK else None
        once = task is None or (task.replicas == 1 and self.redundancy.standby is None)
        return self.inner(step) if task is None or once else _Team(self, task, step).work()


class _Team:
    """Those who do one task."""

    def __init__(self, layer: Redundant, task: TaskSpec, step: Step) -> None:
        self._run = layer.run
        self._perform = layer.inner
        self._redundancy = layer.redundancy
        self._task = task
        self._step = step
        self._members = {one.replica: one for one in _members(layer, task, step)}
        self._ended: dict[int, Handoff] = {}
        self._outputs: dict[int, object] = {}
        """What must be equal, of those that delivered."""
        self._failed: dict[int, ErrorReport] = {}
        self._votes: list[Vote] = []
        self._counted: tuple[int, ...] | None = None
        self._one_ended = asyncio.Event()

    async def work(self) -> Handoff:
        """Do the task; the handoff that is returned is on record."""
        known = self._on_record()
        for _, record in known:
            handoff = await self._recall_end(record)
            if handoff is not None:
                return handoff
        for number, _ in known:
            if self._counted is None:
                await self._work(number)
        if self._counted is None:
            async with asyncio.TaskGroup() as group:
                for number in self._members.keys() - self._ended.keys():
                    waits = self._redundancy.standby is not None and number > 1
                    group.create_task(self._stand_by(number) if waits else self._work(number))
        failpoint("replicas.settled")
        return await self._end()

    def _on_record(self) -> list[tuple[int, StepRecord]]:
        """Return the members whose work is on record and still counts, in the order in which it ended."""
        found: list[tuple[int, StepRecord]] = []
        for number, one in self._members.items():
            hit = self._run.memo.recall(one.key, one.kind, one.task_id, one.contract_name, one.agent, one.round)
            if hit.known is not None:
                found.append((number, hit.known))
        return sorted(found, key=lambda one: (one[1].finished, one[0]))

    async def _recall_end(self, record: StepRecord) -> Handoff | None:
        """Return what ended the task before, where it is the output of this member that counted."""
        known = self._run.memo.find(self._final_key(record.handoff))
        if known is None or await why_lost(self._run, known.handoff):
            return None
        return reuse(self._run, self._step.phase, known)

    async def _work(self, number: int) -> None:
        """Let one member work, and see what that settles."""
        step = self._members[number]
        try:
            handoff = await self._perform(step)
            failpoint("replica.ended")
            await self._count(number, handoff)
        finally:
            self._one_ended.set()
            if step.control is not None:
                step.control.begun.set()

    async def _stand_by(self, number: int) -> None:
        """Wait until the first one has ended, or is late; then do the task, if that is still wanted."""
        late, first = self._redundancy.late_seconds, self._members[1]
        assert first.control is not None, "members are given one"
        await first.control.begun.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(late):
                await self._one_ended.wait()
        if self._counted is not None:
            return
        if not self._one_ended.is_set():
            await self._run.log.push(self._late(number))
        await self._work(number)

    async def _count(self, number: int, handoff: Handoff) -> None:
        """Take into account how a member ended; stop the others as soon as the task is settled."""
        if self._counted is not None:
            return
        self._ended[number] = handoff
        if handoff.error is not None:
            self._failed[number] = handoff.error
        else:
            await self._vote(number, handoff)
        task = self._task
        most = len(self._members)
        if self._counted is None:
            self._counted = settled(self._votes, len(self._failed), replicas=most, agree=task.agree)
        if self._counted is not None:
            for other, step in self._members.items():
                if other not in self._ended and step.control is not None:
                    step.control.stop.stop(NOT_NEEDED)

    async def _vote(self, number: int, handoff: Handoff) -> None:
        if self._task.agree == 1:
            self._votes.append(Vote(number, ""))
            return
        try:
            output = await read_compared(self._run, self._members[number], handoff, self._redundancy.agree_on)
        except AgentFailed as error:
            self._failed[number] = error_report(error)
            return
        self._outputs[number] = output
        self._votes.append(Vote(number, digest_of(output)))

    async def _end(self) -> Handoff:
        """Put it on record how the task ended; nothing of it is counted twice."""
        step, counted = self._step, self._counted
        assert counted is not None, "members end when it is settled, and the last of them settles it"
        if not counted:
            handoff = not_delivered(step, self._task, self._labels, self._ended, self._failed, self._outputs)
            # Another key each time: a run that is resumed may lose it again.
            key = digest_of((step.key, "replicas", "lost", len(self._run.log.state.steps)))
            await record_with_news(self._run, step, record_of(self._run, replace(step, key=key), handoff))
            return handoff
        won = self._members[counted[0]]
        made = self._ended[counted[0]]
        standby = self._redundancy.standby is not None and won.replica > 1
        handoff = delivered(made, self._task, counted, won.agent.name, standby=standby)
        last = replace(step, key=self._final_key(made), agent=won.agent)
        await record_step(self._run, record_of(self._run, last, handoff, model=model_name(won.agent)))
        return handoff

    @property
    def _labels(self) -> dict[int, str]:
        """What those who do the task are called."""
        with_standby = self._redundancy.standby is not None
        return {
            number: f"{'standby ' * (number > 1)}{one.agent.name}"
            if with_standby
            else f"replica {number} ({one.agent.name})"
            for number, one in self._members.items()
        }

    def _final_key(self, made: Handoff) -> str:
        """Return what the end of the task is recorded under: a task that is done in another way ends anew."""
        location = made.output_location
        assert location is not None, "what counts has an output"
        how = (self._task.replicas, self._task.agree, self._redundancy.standby is not None)
        return digest_of((self._step.key, "replicas", *how, made.producer, location.sha256))

    def _late(self, number: int) -> ExceptionReport:
        said = (
            f"{self._step.task_id} is at work for {duration(self._redundancy.late_seconds)}, and was expected to be "
            f"done by now; {self._members[number].agent.name} takes over, and the first handoff wins"
        )
        return ExceptionReport(
            trigger=Trigger.LATE,
            level=Level.WARNING,
            path=self._step.path,
            message=one_line(said),
            at=self._run.now(),
        )


def doers(redundancy: Redundancy, task: TaskSpec, agent: Agent) -> tuple[Agent, ...]:
    """Return who does a task at the same time: its own agent first, as often as no others are named."""
    return (agent, *(redundancy.others or (agent,) * (task.replicas - 1)))[: task.replicas]


def _members(layer: Redundant, task: TaskSpec, step: Step) -> Iterator[Step]:
    """Yield the steps of those who do a task, numbered from 1; the first is its own agent."""
    standby = layer.redundancy.standby
    everybody = (*doers(layer.redundancy, task, step.agent), *((standby,) if standby else ()))
    for number, agent in enumerate(everybody, start=1):
        guard = step.guard if agent is step.agent else layer.guard(agent, step.task_id)
        key = digest_of((step.key, "replica", number, agent.name))
        one = done_by(layer.run, step, agent, guard, key)
        brief = one.call.brief.model_copy(update={"replica": number})
        control = StepControl()
        # A round that is to be checked is the end of all of them, not one of them (X12).
        yield replace(one, call=replace(one.call, brief=brief), replica=number, control=control, interim=False)
