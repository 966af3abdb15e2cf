"""All phases of a run, each with a sync point behind it; one begins when those it needs are passed (D4, X2, X12)."""

import asyncio
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from echelon.coordination.blocking import block
from echelon.coordination.breaker_watch import breakers_on_record
from echelon.coordination.briefs import missing_lines, strategic_summary
from echelon.coordination.context import RunContext
from echelon.coordination.empty_phases import report_empty_phases
from echelon.coordination.fallbacks import FallbackChain
from echelon.coordination.incidents import report_growth, report_incidents
from echelon.coordination.local_placement import LocalPlacement
from echelon.coordination.loss import Loss, OpenLoss
from echelon.coordination.overruns import report_overruns
from echelon.coordination.phase_output import PhaseOutput, output_of
from echelon.coordination.placement import PastRound, Placement, StageOrder
from echelon.coordination.previous_runs import PreviousRuns
from echelon.coordination.readiness import by_task, deadline_seconds, filled, losses_in, note_of, skipped, unmet_need
from echelon.coordination.rolling.adapting import adapt
from echelon.coordination.rolling.finding import find_items, items_of, too_many
from echelon.coordination.rolling.growth import Growth
from echelon.coordination.rolling.relay import Relay, phase_before
from echelon.coordination.rolling.repeating import PhaseRounds, past_of, repeat_phase
from echelon.coordination.rolling.sampling import not_in_sample, sampled
from echelon.coordination.rolling.skipping import ask_whether, skip, skipped_with
from echelon.coordination.spec import RunSpec
from echelon.definition.need import Need
from echelon.definition.rolling.loop import Loop
from echelon.journal.digest import digest_of
from echelon.journal.failpoints import failpoint
from echelon.model.errors import CallerError, InvalidJob
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.graph import Coupling
from echelon.model.handoff import Missing
from echelon.model.integration import planning_id
from echelon.model.phrasing import count
from echelon.model.plan import PhasePlan
from echelon.model.run import StepKind
from echelon.planning.sample import NOTHING_TO_USE
from echelon.planning.schedule.phase_graph import ancestors, needs_of_phases
from echelon.runlog.events import PhaseEnded, PhaseStarted


async def run_phases(run: RunContext, parts: Placement | None = None) -> dict[str, PhaseOutput]:
    """Carry out a plan; returns what each phase handed on. `parts` places the parts below the primary; None is here.

    A phase begins when the sync points that it needs are passed; phases without a path between them are at work side by
    side (X12).
    """
    async with breakers_on_record(run):
        job = JobRun(run, parts)
        async with asyncio.TaskGroup() as group:
            for loop in run.spec.job.loops:
                group.create_task(job.repeat(loop), name=f"loop {loop.name}")
            for phase in job.needs:
                if not job.is_looped(phase):
                    group.create_task(job.work(phase), name=f"phase {phase}")
        whole = job.growth.context()
        await report_empty_phases(whole)
        await report_growth(whole)
        await report_overruns(whole)
        return {phase: job.outputs[phase] for phase in job.needs if phase in job.outputs}


class _Begun(NamedTuple):
    """A phase at work."""

    run: RunContext
    """The run, with its plan as it is now."""
    phase: PhasePlan
    order: StageOrder


class _Turn(NamedTuple):
    """Where a phase of a loop stands."""

    round: int = 1
    past: Mapping[str, tuple[PastRound, ...]] = MappingProxyType({})

    def after(self, over: Mapping[str, PastRound]) -> "_Turn":
        """Return the next one, given the rounds of its tasks that are over now."""
        past = {task: (*self.past.get(task, ()), one) for task, one in over.items()}
        return _Turn(self.round + 1, {**self.past, **past})


class JobRun:
    """One run at work: its phases, what they wait for, and what they hand on."""

    def __init__(self, run: RunContext, parts: Placement | None) -> None:
        self.growth = Growth(run)
        self.needs = phases_needed(run.spec)
        """The phases that each of them waits for, producers first."""
        self.outputs: dict[str, PhaseOutput] = {}
        self._parts = parts
        self._looped = {phase: _Turn() for loop in run.spec.job.loops for phase in loop.members}
        self._passed = {phase: asyncio.Event() for phase in self.needs}
        self._begun = {phase: asyncio.Event() for phase in self.needs}
        #: Phases at work or done, whose tasks are handed on one by one to the phase that continues them (D1).
        self._relayed: set[str] = set()
        self._relay = Relay(_with_fallbacks)
        #: What is reported at a sync point is reported once, also where two are passed at the same time.
        self._reporting = asyncio.Lock()

    def is_looped(self, phase: str) -> bool:
        """Is a phase a part of a loop?"""
        return phase in self._looped

    async def work(self, phase: str, passed: Mapping[str, asyncio.Event] | None = None) -> None:
        """Carry a phase out when those that it needs are done; its sync point is passed when this returns.

        `passed` are the sync points that count; None: all that are final. Within a loop they are those of one round.
        """
        points, before = passed or self._passed, phase_before(self.growth.context(), phase)
        for needed in self.needs[phase]:
            await (self._begun if needed == before else points)[needed].wait()
        left_out = not_in_sample(self.growth.context(), phase)
        begun = PhaseOutput(skipped=left_out) if left_out else await self._begin(phase, before)
        self._begun[phase].set()
        if isinstance(begun, _Begun):
            run, planned, order = begun
            repetition = run.spec.job.phases[phase].repetition
            here = LocalPlacement(run, self._parts, self._relay)
            if repetition is not None and repetition.whole_phase:
                output = await repeat_phase(run, order, repetition, here.run)
            else:
                output = await here.run(order)
            output = await _synchronise(run, planned, output)
            await self._end(run, phase, output)
        elif begun is not None:
            self.outputs[phase] = begun
        points[phase].set()

    async def repeat(self, loop: Loop) -> None:
        """Carry the phases of a loop out, again and again, until their check passes or no further round is of use."""
        for needed in {name for phase in loop.members for name in self.needs[phase] if name not in loop.members}:
            await self._passed[needed].wait()
        rounds = PhaseRounds(loop.repetition, loop.name, loop.ends)
        while True:
            passed = {**self._passed, **{phase: asyncio.Event() for phase in loop.members}}
            async with asyncio.TaskGroup() as group:
                for phase in loop.members:
                    group.create_task(self.work(phase, passed), name=f"phase {phase}")
            outputs = {phase: self.outputs.get(phase, PhaseOutput()) for phase in loop.members}
            run = self.growth.context()
            ended = await rounds.check(
                run, _order(run, loop.members[-1], (), {}, {}, self._looped[loop.members[-1]]), outputs
            )
            if ended is not None:
                break
            for phase in loop.members:
                over = past_of(phase, outputs[phase], rounds.verdicts[-1])
                self._looped[phase] = self._looped[phase].after(over.tasks)
        self.outputs.update({phase: output for phase, output in ended.items() if phase in self.outputs})
        for phase in loop.members:
            self._passed[phase].set()

    async def _begin(self, phase: str, continued: str | None) -> _Begun | PhaseOutput | None:
        """Begin a phase; what it hands on where it cannot begin, and None where it has nothing to do.

        Of a phase that it continues item by item, it receives what each task hands on when that has ended.
        """
        before = ancestors(self.needs, phase) - (self._relayed & {continued})
        outputs = {name: output for name, output in self.outputs.items() if name in before}
        run = await self.growth.begin(phase)
        received = await _receive(run, phase, outputs)
        unmet = _unmet_needs(run, phase, received)
        if not unmet:
            answer = await self._ask(run, phase, outputs, received)
            if isinstance(answer, PhaseOutput):
                return answer
            unmet = answer
        if run.spec.job.phases[phase].is_open:
            refused = await self._find(run, phase, outputs, received, unmet)
            if refused is not None:
                return refused
            run = self.growth.context()
        planned = next((one for one in run.spec.plan.phases if one.name == phase), None)
        if planned is None:
            return None
        planned = sampled(run, planned)
        if not planned.tasks:
            return PhaseOutput(skipped=NOTHING_TO_USE)
        failpoint("phase.begun")
        tasks = len(planned.tasks)
        run.log.enqueue(PhaseStarted(run_id=run.spec.run_id, at=run.now(), phase=phase, expected=tasks))
        if not unmet:
            self._relayed.add(phase)
            return _Begun(run, planned, _order(run, phase, planned.tasks, outputs, received, self._looped.get(phase)))
        output = await _block(run, planned, unmet, over_limit=_by_limit(received, unmet))
        await self._end(run, phase, output)
        return output

    async def _ask(
        self, run: RunContext, phase: str, outputs: Mapping[str, PhaseOutput], received: Mapping[str, PhaseOutput]
    ) -> PhaseOutput | dict[str, str]:
        """Return what a phase hands on that is not wanted, else why nobody can tell whether it is; empty when it is."""
        definition = run.spec.job.phases[phase]
        without = skipped_with(definition, outputs)
        if without:
            return await skip(run, phase, without)
        if definition.condition is None:
            return {}
        return await ask_whether(
            run, _order(run, phase, (), outputs, received, self._looped.get(phase)), definition.condition
        )

    async def _end(self, run: RunContext, phase: str, output: PhaseOutput) -> None:
        async with self._reporting:
            await report_incidents(run)
        failpoint("phase.ended")
        await run.log.append(PhaseEnded(run_id=run.spec.run_id, at=run.now(), phase=phase))
        await adapt(self.growth, phase)
        self.outputs[phase] = output

    async def _find(
        self,
        run: RunContext,
        phase: str,
        outputs: Mapping[str, PhaseOutput],
        received: Mapping[str, PhaseOutput],
        unmet: Mapping[str, str],
    ) -> PhaseOutput | None:
        """Find the items of a phase and plan them; returns what it hands on when that cannot be."""
        if unmet:
            reason, limited = next(iter(unmet.values())), _by_limit(received, unmet)
            return await self._not_planned(run, phase, reason, tuple(unmet), over_limit=limited)
        handoff = await find_items(run, _order(run, phase, (), outputs, received, self._looped.get(phase)))
        if not handoff.done:
            return output_of([handoff])
        try:
            items = await items_of(run.spec.job, run.outputs, phase, handoff)
            refused = "" if run.spec.job.phases[phase].items else too_many(phase, len(items))
            if not refused:
                await self.growth.extend(phase, items)
        except InvalidJob as error:  # items that cannot be told apart; no limit was kept
            return await self._not_planned(run, phase, str(error))
        except CallerError as error:
            refused = str(error)
        return await self._not_planned(run, phase, refused, over_limit=True) if refused else None

    async def _not_planned(
        self, run: RunContext, phase: str, reason: str, causes: tuple[str, ...] = (), *, over_limit: bool = False
    ) -> PhaseOutput:
        """Put it on record that a phase is not begun, and why."""
        owner = run.spec.plan.primary.id
        lost = Loss(
            task_id=planning_id(phase, "over", run.spec.job.phases[phase].finder.name),
            producer=owner,
            reason=reason,
            kind=StepKind.PLANNING,
            causes=causes,
            over_limit=over_limit,
        )
        message = f"phase {phase!r} is not begun: {reason}"
        report = ExceptionReport(
            trigger=Trigger.BLOCKED, level=Level.WARNING, path=(owner,), message=message, at=run.now()
        )
        return output_of(await block(run, phase, [lost], report))


def phases_needed(spec: RunSpec) -> dict[str, tuple[str, ...]]:
    """Return for each phase of a job those whose sync points it waits for, producers first.

    What is declared counts, and what the plan knows besides: shared things, and phases that have nothing to do.
    """
    known = needs_of_phases(spec.plan.phases)
    names = dict.fromkeys((*spec.job.phases, *known))
    declared = {name: spec.job.phases[name].needs for name in spec.job.phases}
    return {name: tuple(dict.fromkeys((*declared.get(name, ()), *known.get(name, ())))) for name in names}


async def _receive(run: RunContext, phase: str, outputs: Mapping[str, PhaseOutput]) -> dict[str, PhaseOutput]:
    """Return what a phase gets of each phase it needs: what was delivered, and fallbacks for what was not (F2)."""
    definition = run.spec.job.phases[phase]
    relayed = phase_before(run, phase)
    needs = [definition.need(name) for name in definition.needs if name in outputs or name != relayed]
    return {need.phase: await _with_fallbacks(run, phase, need, outputs.get(need.phase)) for need in needs}


async def _with_fallbacks(run: RunContext, phase: str, need: Need, output: PhaseOutput | None) -> PhaseOutput:
    if output is None:
        return PhaseOutput()
    needed, plan = run.spec.job.phases[need.phase], run.spec.plan
    planned = next((one for one in plan.phases if one.name == need.phase), None)
    if need.fallbacks and planned and needed.integrator is None:
        output = by_task(planned, output)
    losses = losses_in(needed, planned, output) if need.fallbacks and planned else ()
    chain = FallbackChain(run, PreviousRuns(run))
    found = [await chain.fill(_open(run, phase, need, loss), need.fallbacks) for loss in losses]
    there = [handoff for handoff in found if handoff is not None]
    return skipped(filled(output, there, integrated=needed.integrator is not None), note_of(need))


def _open(run: RunContext, phase: str, need: Need, loss: Loss) -> OpenLoss:
    return OpenLoss(
        loss=loss,
        key=digest_of([run.spec.run_id, phase, loss.task_id]),
        phase=need.phase,
        output_type=run.contract_of(need.phase, loss.task_id),
    )


def _order(
    run: RunContext,
    phase: str,
    tasks: tuple[str, ...],
    outputs: Mapping[str, PhaseOutput],
    received: Mapping[str, PhaseOutput],
    turn: _Turn | None,
) -> StageOrder:
    """Return the order for a whole phase; `outputs` are those of all phases on a path to it.

    `turn` is where it stands in its loop; None for a phase that is in none.
    """
    spec = run.spec
    definition = spec.job.phases[phase]
    needed = {name: got for name, got in received.items() if definition.need(name).coupling is not Coupling.NONE}
    sizes = {earlier.name: len(earlier.tasks) for earlier in spec.plan.phases}
    return StageOrder(
        run_id=spec.run_id,
        source=spec.job.source,
        phase=phase,
        node=spec.plan.primary.id,
        tasks=tasks,
        plan_digest=spec.plan.digest,
        inputs_digest=spec.inputs_digest,
        upstream=needed,
        summary=strategic_summary((name, sizes.get(name, 0), output) for name, output in outputs.items()),
        missing=missing_lines(one for output in needed.values() for one in output.lacks),
        lost={one.task_id: one.reason for output in outputs.values() for one in output.missing},
        deadline_seconds=deadline_seconds(phase, _all_needs(run)),
        budget=spec.job.budget,
        token=run.lease.session.token,
        round=turn.round if turn else 1,
        past=dict(turn.past) if turn else {},
        repeated=turn is not None,
    )


def _all_needs(run: RunContext) -> list[Need]:
    return [phase.need(name) for phase in run.spec.job.phases.values() for name in phase.needs]


async def _synchronise(run: RunContext, phase: PhasePlan, output: PhaseOutput) -> PhaseOutput:
    """Ask the journal, which alone knows, who has ended; whoever has not is missing (F7)."""
    failpoint("sync.reached")
    agent_of = run.spec.plan.agent_of
    state = await run.log.refresh()  # what is known from here on is known of parts that were done elsewhere, too
    # An agent that holds several tasks has ended with some of them only when it dies (D1).
    ended = {step.handoff.task_id for step in state.latest.values() if step.phase == phase.name}
    known = {missing.task_id for missing in output.missing}
    lost = {task: agent_of[task] for task in phase.tasks if task not in ended}
    missing = tuple(
        Missing(task_id=task, producer=agent, reason="no handoff was recorded")
        for task, agent in lost.items()
        if task not in known
    )
    # What is not durable must not be seen.
    seen = tuple(handoff for handoff in output.handoffs if handoff.task_id not in lost)
    return output.model_copy(update={"handoffs": seen, "missing": output.missing + missing})


def _unmet_needs(run: RunContext, phase: str, received: Mapping[str, PhaseOutput]) -> dict[str, str]:
    """Return the needed phases that did not deliver enough to start on, each with what it lacks (D3)."""
    definition = run.spec.job.phases[phase]
    found = {name: unmet_need(definition.need(name), output) for name, output in received.items()}
    return {name: why for name, why in found.items() if why}


def _by_limit(received: Mapping[str, PhaseOutput], unmet: Iterable[str]) -> bool:
    """Say whether what a phase lacks is not there because a stated limit was kept, and not because something failed."""
    lacking = [received.get(name, PhaseOutput()).missing for name in unmet]
    return all(any(one.over_limit for one in missing) for missing in lacking)


async def _block(run: RunContext, phase: PhasePlan, unmet: Mapping[str, str], *, over_limit: bool) -> PhaseOutput:
    """End every task of a phase that has nothing to work on; reported once, however many they are (F6)."""
    reason, agent_of = next(iter(unmet.values())), run.spec.plan.agent_of
    message = f"phase {phase.name!r} is blocked, {count(len(phase.tasks), 'task')} not started: {reason}"
    report = ExceptionReport(
        trigger=Trigger.BLOCKED, level=Level.WARNING, path=(phase.sync.owner,), message=message, at=run.now()
    )
    losses = [
        Loss(task_id=task, producer=agent_of[task], reason=reason, causes=tuple(unmet), over_limit=over_limit)
        for task in phase.tasks
    ]
    return output_of(await block(run, phase.name, losses, report))
