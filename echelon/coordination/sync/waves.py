"""A phase in waves: between two of them is a light sync point, behind the last the sync point of the phase (X3, X14).

A wave does tasks and puts nothing together. When all have ended, the phase is carried out once more with what they
handed on, so that its integration, and everything behind it, is the same as without waves; what teams and domains do
of it is begun as soon as their tasks have ended. Waves are on record: a run that is resumed recalls what they did, and
goes on with the next one in the same rhythm.
"""

import asyncio
from collections.abc import Callable, Collection, Container, Coroutine, Iterable, Sequence
from functools import partial
from typing import Any

from echelon.coordination.conflicts.settling import settle_conflicts
from echelon.coordination.conflicts.statements import statements_of
from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import Placement, StageOrder
from echelon.coordination.stage import stage_of
from echelon.coordination.sync.admission import Admission
from echelon.coordination.sync.early import EarlyIntegration
from echelon.coordination.sync.stopping import ask_whether_enough
from echelon.definition.sync.early import compares_between_waves, integrates_early
from echelon.definition.sync.sync import PhaseSync, Sync
from echelon.journal.failpoints import failpoint
from echelon.model.handoff import Handoff, Missing
from echelon.model.run import StepKind
from echelon.model.sync.seen import Wave
from echelon.oversight.briefing.decisions import decisions_in
from echelon.oversight.briefing.lines import brief_lines
from echelon.oversight.conflicts.claimed import Claimed
from echelon.oversight.sync.revealing import findings_told, revealed_by
from echelon.oversight.sync.rhythm import Holding, NextWave, next_wave, waves_of
from echelon.runlog.events import RunEvent
from echelon.runlog.judging.sync_events import PhaseStopped, WaveEnded
from echelon.runlog.standing import StepName
from echelon.runlog.state import RunState

Place = Callable[[Admission | None], Placement]
"""Makes what carries orders out; who begins is let in by the admission, None: everybody."""


def worker_of(run: RunContext, phase: str, place: Place) -> Callable[[StageOrder], Coroutine[Any, Any, PhaseOutput]]:
    """Return what does a phase: in waves where it says so."""
    sync = run.spec.job.phases[phase].sync
    if sync is None:
        return place(None).run
    return lambda order: PhaseInWaves(run, place, order, sync).run()


class PhaseInWaves:
    """A phase at work, in one round of it."""

    def __init__(self, run: RunContext, place: Place, order: StageOrder, sync: PhaseSync) -> None:
        self._run = run
        self._phase = run.spec.job.phases[order.phase]
        self._place = place
        self._order = order
        self._sync = sync
        #: What tasks handed on, whether they delivered or not: in waves, or in an earlier round.
        self._ended = dict(order.kept)
        self._unasked: tuple[Missing, ...] = ()
        self._group = asyncio.TaskGroup()
        #: Is a contradiction an event: are results compared at light sync points (X9)?
        self._compares = compares_between_waves(self._phase)
        self._doubts: dict[str, Missing] = {}
        self._early = EarlyIntegration(run, order, partial(place, None), self._group)

    async def run(self) -> PhaseOutput:
        """Do all waves, of each domain in its own rhythm, and put together what they handed on."""
        async with self._group:
            self._take(self._ended.values())
            for domain, left in holdings_by_domain(self._run, self._order, self._sync).items():
                self._group.create_task(self._keep_time(domain, left), name=f"waves of {self._order.phase} {domain}")
        stopped = self._run.log.state.sync.stopped
        changes = {
            "tasks": tuple(task for task in self._order.tasks if task in self._ended or task not in stopped),
            "kept": self._ended,
            "integrated": self._early.outputs(),
        }
        output = await self._place(None).run(self._order.model_copy(update=changes))
        known = {one.task_id for one in output.replaced}
        doubts = (one for task, one in self._doubts.items() if task not in known)
        return output.model_copy(update={"replaced": (*output.replaced, *doubts, *self._unasked)})

    async def _keep_time(self, domain: str, left: Sequence[Holding]) -> None:
        """Do the waves of a domain, one behind the other; those on record are recalled together."""
        run, order = self._run, self._order
        planned = next((one.sync for one in run.spec.plan.domains if one.name == domain), "")
        sync, waves = self._sync.of(domain, planned), [*waves_of(run.log.state.sync, order.phase, order.round, domain)]
        before = {task for wave in waves for task in wave.tasks}
        recalled = [one for one in left if before.issuperset(one)]
        if recalled:
            await self._work(waves, NextWave(tuple(recalled), "interval"), None)
            for number in range(len(waves)):  # in their order, so that each conflict is found as it was
                await self._settle(domain, {task for wave in waves[: number + 1] for task in wave.tasks})
        out = {*self._ended, *run.log.state.sync.stopped}
        left = [one for one in left if not out.issuperset(one)]
        while left:
            wave = next_wave(sync.terms, waves, left, self._milestone(sync))
            admission = Admission(run, sync.terms, wave, self._take, await self._read_claims(domain))
            await self._work(waves, wave, admission)
            over = {one for one in wave.holdings if self._ended.keys() >= set(one)}
            left = [one for one in left if one not in over]
            ended, reason = await self._look_at(domain, wave, len(waves) + 1, admission, more=bool(left))
            await self._record(ended, left, reason)
            waves.append(ended)
            left = () if reason else left

    def _take(self, ended: Iterable[Handoff]) -> None:
        """Take what tasks have handed on, and begin to put together what can be."""
        ended = tuple(ended)
        self._ended |= {one.task_id: one for one in ended}
        if integrates_early(self._phase):
            self._early.begin(ended)

    async def _work(self, waves: Sequence[Wave], wave: NextWave, admission: Admission | None) -> None:
        """Do the tasks of a wave, told of what those before it have revealed."""
        changes = {
            "tasks": wave.tasks,
            "integrates": False,
            "summary": findings_told(self._order.summary, waves),
            "news": self._order.news.model_copy(update={"decisions": brief_lines(decisions_in(self._run.log.state))}),
        }
        output = await self._place(admission).run(self._order.model_copy(update=changes))
        self._take(output.tasks)

    async def _look_at(
        self, domain: str, wave: NextWave, number: int, admission: Admission, *, more: bool
    ) -> tuple[Wave, str]:
        """Return what a wave has revealed, and why it is enough, asked where there are `more` tasks."""
        failpoint("wave.reached")
        phase = self._order.phase
        await self._settle(domain, self._ended)
        tasks = tuple(task for task in wave.tasks if task in self._ended)
        revealed = revealed_by(await self._state_with(tasks), phase, tasks)
        ended = Wave(
            phase=phase,
            number=number,
            domain=domain,
            round=self._order.round,
            tasks=tasks,
            planned=len(wave.tasks),
            ended_by="event" if admission.closed else wave.ended_by,
            revealed=len(revealed.tasks),
            findings=revealed.findings,
        )
        return ended, await self._ask_whether_enough() if more else ""

    async def _state_with(self, tasks: Collection[str]) -> RunState:
        """Return a state that has what tasks handed on: the journal is read for what was done elsewhere."""
        log, phase = self._run.log, self._order.phase
        names = {task: StepName(StepKind.TASK, phase, task) for task in tasks}
        known = {name.task_id: step.handoff for name in names.values() if (step := log.state.latest.get(name))}
        is_here = log.is_whole and all(known.get(task) == self._ended[task] for task in tasks)
        return log.state if is_here else await log.refresh()

    async def _record(self, wave: Wave, left: Sequence[Holding], reason: str) -> None:
        """Put it on record that a wave has ended, and, with a reason, that what is left is not done.

        Where it has revealed nothing, nobody waits for that: it is on record before anything that comes behind it.
        """
        run = self._run
        events: list[RunEvent] = [WaveEnded(run_id=run.spec.run_id, at=run.now(), wave=wave)]
        if reason:
            rest = tuple(task for one in left for task in one)
            events.append(
                PhaseStopped(run_id=run.spec.run_id, at=run.now(), phase=wave.phase, tasks=rest, reason=reason)
            )
        if left and not reason and not wave.changed:
            run.log.enqueue(*events)
        else:
            await run.log.append(*events)
        failpoint("wave.ended")

    def _results(self, domain: str, tasks: Container[str]) -> list[Handoff]:
        """Return what tasks of a rhythm have delivered by now, in the order in which coordinators get it."""
        stage = stage_of(self._run.spec.plan, self._order.tasks, self._order.node)
        ended = (self._ended[task] for task in stage.all_tasks if task in tasks and task in self._ended)
        return [one for one in ended if one.done and rhythm_of(self._run, self._sync, one.task_id) == domain]

    async def _read_claims(self, domain: str) -> Claimed:
        """Return what results of a rhythm have claimed by now, as far as that is asked."""
        claimed = Claimed()
        if self._compares:
            results = self._results(domain, self._ended)
            claimed.add(await statements_of(self._run, self._order.phase, results, least=1))
        return claimed

    async def _settle(self, domain: str, tasks: Container[str]) -> None:
        """Settle what results of a rhythm contradict each other about: the end decides it no more."""
        if not self._compares:
            return
        settled = await settle_conflicts(
            self._run, self._order, PhaseOutput(handoffs=tuple(self._results(domain, tasks)))
        )
        self._ended |= {one.task_id: one for one in settled.handoffs}
        self._doubts |= {one.task_id: one for one in settled.replaced}

    async def _ask_whether_enough(self) -> str:
        check = self._sync.stop
        if check is None:
            return ""
        done = PhaseOutput(handoffs=tuple(one for one in self._ended.values() if one.done))
        answer = await ask_whether_enough(self._run, self._order, check, done)
        self._unasked = answer.unasked
        return answer.enough

    def _milestone(self, sync: Sync) -> Callable[[str], object]:
        calls, by = self._run.spec.expansion.calls, sync.by
        return lambda task: by(calls[task].item) if by else None


def holdings_by_domain(run: RunContext, order: StageOrder, sync: PhaseSync) -> dict[str, list[Holding]]:
    """Return what the agents of an order hold, in its order; by domain where domains have rhythms of their own."""
    plan, held = run.spec.plan, dict[str, list[str]]()
    for task in order.tasks:
        held.setdefault(plan.agent_of[task], []).append(task)
    found: dict[str, list[Holding]] = {}
    for tasks in held.values():
        found.setdefault(rhythm_of(run, sync, tasks[0]), []).append(tuple(tasks))
    return found


def rhythm_of(run: RunContext, sync: PhaseSync, task: str) -> str:
    """Return the domain in whose rhythm a task is done; empty where all of the phase has one."""
    return run.spec.plan.domain_of(task, run.spec.plan.agent_of[task]) if sync.by_domain else ""
