"""All phases of a run, each with a sync point behind it; one begins when those it needs are passed (D4, X2, X12)."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from echelon.coordination.blocking import block
from echelon.coordination.breaker_watch import breakers_on_record
from echelon.coordination.briefing.news import news_for
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
from echelon.coordination.readiness import (
    by_task,
    deadline_seconds,
    explained,
    filled,
    losses_in,
    note_of,
    skipped,
)
from echelon.coordination.reuse.compare import compare_items
from echelon.coordination.rolling.adapting import adapt
from echelon.coordination.rolling.finding import find_items, items_of, too_many
from echelon.coordination.rolling.growth import Growth
from echelon.coordination.rolling.proposing import decline_the_rest
from echelon.coordination.rolling.relay import Relay, phase_before
from echelon.coordination.rolling.repeating import PhaseRounds, past_of, repeat_phase
from echelon.coordination.rolling.sampling import not_in_sample, sampled
from echelon.coordination.rolling.skipping import ask_whether, skip, skipped_with
from echelon.coordination.rolling.unmet import asks_of, block_phase, by_limit, unmet_needs, until_of
from echelon.coordination.spec import RunSpec
from echelon.coordination.sync.collecting import collect
from echelon.coordination.sync.point import pass_sync_point
from echelon.coordination.sync.received import settle_and_count
from echelon.coordination.sync.waves import worker_of
from echelon.coordination.watching.watcher import exceptions_on_record
from echelon.definition.need import Need
from echelon.definition.rolling.loop import Loop
from echelon.journal.digest import digest_of
from echelon.journal.failpoints import failpoint
from echelon.model.errors import CallerError, InvalidJob
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.graph import Coupling
from echelon.model.integration import planning_id
from echelon.model.plan import PhasePlan
from echelon.model.run import StepKind
from echelon.planning.sample import NOTHING_TO_USE
from echelon.planning.schedule.phase_graph import ancestors, needs_of_phases
from echelon.runlog.events import PhaseEnded, PhaseStarted


async def run_phases(run: RunContext, parts: Placement | None = None) -> dict[str, PhaseOutput]:
    """Carry out a plan; returns what each phase handed on. `parts` places the parts below the primary; None is here.

    A phase begins when the sync points that it needs are passed; those without a path between them side by side (X12).
    """
    async with breakers_on_record(run), exceptions_on_record(run):
        job = JobRun(run, parts)
        async with asyncio.TaskGroup() as group:
            for loop in run.spec.job.loops:
                group.create_task(job.repeat(loop), name=f"loop {loop.name}")
            for phase in job.needs:
                if not job.is_looped(phase):
                    group.create_task(job.work(phase), name=f"phase {phase}")
        whole = job.growth.context()
        await decline_the_rest(whole, {name: output.skipped for name, output in job.outputs.items() if output.skipped})
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
            place = partial(LocalPlacement, run, self._parts, self._relay)
            do = worker_of(run, phase, place)
            if repetition is not None and repetition.whole_phase:
                output = await repeat_phase(run, order, repetition, do)
            else:
                output = await do(order)
            output = await pass_sync_point(run, order, await collect(run, planned, output))
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
        unmet = unmet_needs(run, phase, received)
        if not unmet:
            received = await self._settle(run, phase, outputs, received)
            answer = await self._ask(run, phase, outputs, received)
            if answer.skipped:
                return answer
            unmet = {one.task_id: one.reason for one in answer.missing}
            received = {**received, **dict.fromkeys(unmet, answer)}
        if run.spec.job.phases[phase].is_open:
            refused = await self._find(run, phase, outputs, received, unmet)
            if refused is not None:
                return refused
            run = self.growth.context()
        planned = next((one for one in run.spec.plan.phases if one.name == phase), None)
        if planned is None:
            return None
        compared = await compare_items(run, planned)
        planned = sampled(run, planned)
        if not planned.tasks:
            return PhaseOutput(skipped=NOTHING_TO_USE)
        failpoint("phase.begun")
        tasks = len(planned.tasks)
        run.log.enqueue(
            PhaseStarted(run_id=run.spec.run_id, at=run.now(), phase=phase, expected=tasks, compared=compared)
        )
        if not unmet:
            self._relayed.add(phase)
            return _Begun(run, planned, _order(run, phase, planned.tasks, outputs, received, self._looped.get(phase)))
        output = await block_phase(run, planned, unmet, received)
        await self._end(run, phase, output)
        return output

    async def _settle(
        self, run: RunContext, phase: str, outputs: Mapping[str, PhaseOutput], received: Mapping[str, PhaseOutput]
    ) -> dict[str, PhaseOutput]:
        """Settle what the phases that one receives contradict each other about; what stays in doubt is said (X9)."""
        before = {name: ancestors(self.needs, name) for name in received}
        apart = [one for one in received if not any(one in before[other] or other in before[one] for other in received)]
        if len(apart) < 2:
            return dict(received)
        order = _order(run, phase, (), outputs, received, self._looped.get(phase))
        settled = await settle_and_count(run, order, received, apart)
        for name in apart:
            new = settled[name].replaced[len(received[name].replaced) :]
            if new:
                known = self.outputs[name]
                self.outputs[name] = known.model_copy(update={"replaced": (*known.replaced, *new)})
        return settled

    async def _ask(
        self, run: RunContext, phase: str, outputs: Mapping[str, PhaseOutput], received: Mapping[str, PhaseOutput]
    ) -> PhaseOutput:
        """Say whether a phase is wanted: it is skipped, or something is missing where nobody can tell, or it is."""
        definition = run.spec.job.phases[phase]
        without = skipped_with(definition, outputs)
        if without:
            return await skip(run, phase, without)
        has_items = definition.is_open or any(one.name == phase for one in run.spec.plan.phases)
        if definition.condition is None or not has_items:  # nobody is asked about nothing
            return PhaseOutput()
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
            reason, limited, until = next(iter(unmet.values())), by_limit(received, unmet), until_of(received, unmet)
            asks = asks_of(received, unmet)
            return await self._not_planned(run, phase, reason, tuple(unmet), over_limit=limited, until=until, asks=asks)
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
        self,
        run: RunContext,
        phase: str,
        reason: str,
        causes: tuple[str, ...] = (),
        *,
        over_limit: bool = False,
        until: datetime | None = None,
        asks: str = "",
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
            until=until,
            asks=asks,
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
    there = [one.handoff for one in found if one.handoff is not None]
    output = explained(output, {loss.task_id: one.too_old for loss, one in zip(losses, found, strict=True)})
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
        news=news_for(spec, run.log.state, phase, outputs, needed),
        missing=missing_lines(one for output in needed.values() for one in output.lacks),
        lost={one.task_id: one.reason for output in outputs.values() for one in output.missing},
        until={one.task_id: one.until for output in outputs.values() for one in output.missing if one.until},
        asks={one.task_id: one.asks for output in outputs.values() for one in output.missing if one.asks},
        deadline_seconds=deadline_seconds(phase, _all_needs(run)),
        budget=spec.job.budget,
        token=run.lease.session.token,
        round=turn.round if turn else 1,
        past=dict(turn.past) if turn else {},
        repeated=turn is not None,
    )


def _all_needs(run: RunContext) -> list[Need]:
    return [phase.need(name) for phase in run.spec.job.phases.values() for name in phase.needs]
