"""Work that is done again until somebody else finds that it passes, or another round is of no use (X12).

Each round and each check is a step like any other: a run that is resumed finds those that are on record, and goes on
with the round it was cut off in.
"""

from collections.abc import Awaitable, Callable, Collection, Container, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from echelon.agents.checks.verdict import Verdict
from echelon.coordination.conflicts.damping import Revisions, settle_versions, versions_of
from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import PastRound, StageOrder
from echelon.coordination.readiness import waits_in
from echelon.coordination.rolling.beside import steps_beside
from echelon.coordination.rolling.steps import StepMaker
from echelon.coordination.step.envelope import MAX_MESSAGE, one_line, shortened
from echelon.coordination.step.layers import layers
from echelon.coordination.step.recall import reuse
from echelon.coordination.step.record import record_of, record_step
from echelon.coordination.step.step import Perform, Step
from echelon.coordination.success.answered import read_verdict
from echelon.coordination.success.rejecting import unchecked, without_output
from echelon.coordination.success.verifying import ask_verifiers, is_rejected, verdict_on
from echelon.definition.rolling.repeat import Repetition
from echelon.journal.digest import digest_of
from echelon.journal.failpoints import failpoint
from echelon.model.errors import BudgetExhausted
from echelon.model.handoff import NOT_PASSED, ErrorReport, Handoff, Missing, StoppedBy
from echelon.model.integration import check_id
from echelon.model.phrasing import count
from echelon.model.run import StepKind, StepRecord
from echelon.model.status import Status
from echelon.oversight.conflicts.damping import reactions_in
from echelon.runlog.losses import missing_of

#: Why no further round was made, as people are told it.
_SAID: dict[StoppedBy, str] = {
    "rounds": "that is as often as it may be done",
    "no_progress": "the check finds the same again and again",
    "alternating": "it goes back and forth between versions",
    "unverifiable": "the check cannot tell",
    "failed": "the work failed",
    "budget": "the budget is used up",
    "waiting": "what it needs is used up until a known time",
    "passed": "it passes",
}


async def repeat_task(
    run: RunContext,
    order: StageOrder,
    steps: StepMaker,
    repetition: Repetition,
    task_id: str,
    perform: Perform[Handoff],
) -> tuple[Step, Handoff]:
    """Do a task until its check passes; returns the last round, and the handoff that is on record of all of them."""
    rounds: list[PastRound] = []
    verdicts: list[Verdict] = []
    while True:
        step = steps.task(task_id, rounds=rounds)
        handoff = await perform(replace(step, interim=True))
        rounds.append(PastRound(handoff=handoff))
        failpoint("round.ended")
        if not handoff.done:
            return step, await _end(run, step, handoff, _failed_by(handoff), rounds)
        checked = await perform(steps.check_of_task(task_id, repetition.check, rounds))
        failpoint("check.ended")
        if not checked.done:
            return step, await _end(run, step, unchecked(handoff, checked), _failed_by(checked), rounds)
        verdict = await read_verdict(run, repetition.check, checked)
        if verdict.passed:  # then whoever verifies it must agree (D11)
            handoff = await ask_verifiers(run, steps, step, rounds, perform)
            if not handoff.done:
                return step, await _end(run, step, handoff, _failed_by(handoff), rounds)
            verdict = verdict_on(handoff) if is_rejected(handoff) else verdict
        verdicts.append(verdict)
        rounds[-1] = PastRound(handoff=handoff, gap=verdict.gap)
        alternates = reactions_in(versions_of(rounds)) >= repetition.reactions
        stopped = repetition.why_stopped(verdicts, alternates=alternates)
        if stopped == "alternating":
            decided = await settle_versions(run, order, rounds)
            handoff = handoff if decided is None else decided
            return step, await _end(run, step, handoff, stopped, rounds, is_decided=decided is not None)
        if stopped is not None:
            return step, await _end(run, step, handoff, stopped, rounds)


async def repeat_phase(
    run: RunContext,
    order: StageOrder,
    repetition: Repetition,
    work: Callable[[StageOrder], Awaitable[PhaseOutput]],
) -> PhaseOutput:
    """Do a phase until the check of all that it hands on passes; what passed by itself is not done again."""
    rounds = PhaseRounds(repetition, order.phase, (order.phase,))
    order = order.model_copy(update={"repeated": True})
    while True:
        output = await work(order)
        outputs = await rounds.check(run, order, {order.phase: output})
        if outputs is not None:
            return outputs[order.phase]
        over = past_of(order.phase, output, rounds.verdicts[-1])
        if names_stranger(rounds.verdicts[-1], (order.phase,), run.spec.tasks):
            over = over._replace(named=frozenset())
        order = _next_order(order, over)


class PhaseRounds:
    """The rounds of phases that are repeated together: a check of all that the last of them hand on ends them."""

    def __init__(self, repetition: Repetition, name: str, ends: Sequence[str]) -> None:
        self._repetition = repetition
        self._name = name
        self._ends = ends
        self.verdicts: list[Verdict] = []
        self._judged: Handoff | None = None
        self._revisions = Revisions()

    async def check(
        self, run: RunContext, order: StageOrder, outputs: Mapping[str, PhaseOutput]
    ) -> dict[str, PhaseOutput] | None:
        """Let a round be judged; returns what the phases hand on where there is no further one, else None.

        `order` is that of the last of the phases, `run` has the plan that they were carried out by.
        """
        if any(waits_in(output.missing) for output in outputs.values()):
            return dict(outputs)  # not judged before the quota has reset that the rest of it needs (F10)
        repetition = self._repetition
        step = steps_beside(run, order).check_of_phases(
            repetition.check, check_id(self._name, repetition.check.name), outputs
        )
        if not any(outputs[end].handoffs for end in self._ends):
            return await self._nothing_to_judge(run, step, outputs)
        checked = await layers(run)(step)
        failpoint("check.ended")
        if not checked.done:
            return self._rejected(outputs, missing_of(checked))
        self.verdicts.append(await read_verdict(run, repetition.check, checked))
        self._judged = checked
        await self._revisions.add(run, outputs)
        goes_round = self._revisions.alternating(repetition.reactions)
        stopped = repetition.why_stopped(self.verdicts, alternates=bool(goes_round))
        return None if stopped is None else await self._end(run, order, step, outputs, stopped)

    async def _end(
        self, run: RunContext, order: StageOrder, step: Step, outputs: Mapping[str, PhaseOutput], stopped: StoppedBy
    ) -> dict[str, PhaseOutput]:
        """Put it on record how the rounds ended; returns what the phases hand on."""
        checked = self._judged
        assert checked is not None, "rounds are ended behind a check"
        if stopped == "alternating":
            goes_round = self._revisions.alternating(self._repetition.reactions)
            decided = await self._revisions.settle(run, order, goes_round, outputs)
            if decided is not None:
                await _end(run, step, checked, stopped, self._made_of(checked), is_decided=True)
                return self._said(decided, stopped)
        ended = await _end(run, step, checked, stopped, self._made_of(checked))
        if not ended.done:
            return await self._not_passed(run, outputs, missing_of(ended), stopped)
        return self._said(outputs, stopped)

    def _made_of(self, checked: Handoff) -> list[PastRound]:
        return [PastRound(handoff=checked, gap=one.gap) for one in self.verdicts]

    def _said(self, outputs: Mapping[str, PhaseOutput], stopped: StoppedBy) -> dict[str, PhaseOutput]:
        said = {"stopped_by": stopped, "rounds": len(self.verdicts)}
        return {name: _marked(output, said) if name in self._ends else output for name, output in outputs.items()}

    async def _nothing_to_judge(
        self, run: RunContext, step: Step, outputs: Mapping[str, PhaseOutput]
    ) -> dict[str, PhaseOutput]:
        """Return what phases hand on whose last round delivered nothing: what was rejected before stays rejected."""
        if self._judged is None:
            return dict(outputs)
        rounds = self._made_of(self._judged)
        return self._rejected(outputs, missing_of(await _end(run, step, self._judged, "failed", rounds)))

    def _rejected(self, outputs: Mapping[str, PhaseOutput], why: Missing) -> dict[str, PhaseOutput]:
        """Return what phases hand on where nothing of the last of them may be used."""
        return {name: _without(one, why) if name in self._ends else one for name, one in outputs.items()}

    async def _not_passed(
        self,
        run: RunContext,
        outputs: Mapping[str, PhaseOutput],
        why: Missing,
        stopped: StoppedBy,
    ) -> dict[str, PhaseOutput]:
        """Return what phases hand on that do not pass: tasks that nothing is said against; the rest stays at hand."""
        handed_on = dict(outputs)
        for name in self._ends:
            lost = await self._end_named(run, name, outputs[name], stopped)
            handed_on[name] = _without(outputs[name], why, lost)
        return handed_on

    async def _end_named(self, run: RunContext, phase: str, output: PhaseOutput, stopped: StoppedBy) -> list[Handoff]:
        """Put it on record that those tasks of a phase do not pass that the last check names."""
        made, lost = len(self.verdicts), list[Handoff]()
        if names_stranger(self.verdicts[-1], self._ends, run.spec.tasks):
            return lost
        over = past_of(phase, output, self.verdicts[-1])
        for task in sorted(over.named):
            step = await _find_record(run, phase, over.tasks[task].handoff)
            if step is not None:
                lost.append(await _end(run, step, over.tasks[task].handoff, stopped, made * [over.tasks[task]]))
        return lost


class PastRounds(NamedTuple):
    """A round of a phase that did not pass."""

    tasks: dict[str, PastRound]
    """What each task delivered, and what is missing of it."""
    named: frozenset[str]
    """The tasks that the check names; none where it judges the whole."""


def past_of(phase: str, output: PhaseOutput, verdict: Verdict) -> PastRounds:
    """Return a round that is over, by what each task delivered in it."""
    gaps = _gaps(phase, verdict, {one.task_id for one in output.tasks})
    tasks = {one.task_id: PastRound(handoff=one, gap=gaps.get(one.task_id, "") or verdict.gap) for one in output.tasks}
    return PastRounds(tasks, frozenset(gaps) & frozenset(tasks))


def _next_order(order: StageOrder, over: PastRounds) -> StageOrder:
    """Return the order for the next round: those that do not pass, each with what is missing of it."""
    again = over.named or over.tasks.keys()
    past = {task: (*order.past.get(task, ()), one) for task, one in over.tasks.items() if task in again}
    kept = {task: one.handoff for task, one in over.tasks.items() if task not in again}
    return order.model_copy(update={"round": order.round + 1, "kept": kept, "past": {**order.past, **past}})


def _gaps(phase: str, verdict: Verdict, tasks: Collection[str]) -> dict[str, str]:
    """Return what is missing of single tasks, which are named by their item, or as they are on record."""
    return {name if name in tasks else f"{phase}/{name}": gap for name, gap in verdict.items.items()}


def names_stranger(verdict: Verdict, phases: Sequence[str], tasks: Container[str]) -> bool:
    """Say whether a check names something that is no task of these phases: nobody knows which one it means then."""
    known = (name in tasks or any(f"{phase}/{name}" in tasks for phase in phases) for name in verdict.items)
    return not all(known)


async def _find_record(run: RunContext, phase: str, handoff: Handoff) -> StepRecord | None:
    """Return the record of a round of a task, by what it delivered."""
    location = handoff.output_location
    for step in reversed((await run.log.refresh()).steps):
        own = step.kind is StepKind.TASK and step.phase == phase and step.handoff.task_id == handoff.task_id
        if own and step.handoff.output_location == location and step.handoff.stopped_by is None:
            return step
    return None


def _marked(output: PhaseOutput, said: Mapping[str, object]) -> PhaseOutput:
    return output.model_copy(update={"handoffs": tuple(one.model_copy(update=said) for one in output.handoffs)})


def _without(output: PhaseOutput, why: Missing, lost: Sequence[Handoff] = ()) -> PhaseOutput:
    """Return an output without the tasks that do not pass, or without anything where none are named."""
    named = {handoff.task_id for handoff in lost} & {handoff.task_id for handoff in output.handoffs}
    passed = tuple(one for one in output.handoffs if named and one.task_id not in named)
    rest = tuple(one for one in output.handoffs if one not in passed)
    missing = (*output.missing, *map(missing_of, lost), why)
    return output.model_copy(update={"handoffs": passed, "missing": missing, "unmerged": (*output.unmerged, *rest)})


def _failed_by(handoff: Handoff) -> StoppedBy:
    if handoff.waits:
        return "waiting"
    return "budget" if handoff.error is not None and handoff.error.kind == BudgetExhausted.__name__ else "failed"


async def _end(
    run: RunContext,
    step: Step | StepRecord,
    handoff: Handoff,
    stopped: StoppedBy,
    rounds: Sequence[PastRound],
    *,
    is_decided: bool = False,
) -> Handoff:
    """Put on record how repeated work ended; nothing of it is counted twice.

    What did not pass counts where its owner has decided that it does (X5).
    """
    made, counts = len(rounds), stopped == "passed" or is_decided
    ended = handoff if counts or not handoff.done else _rejected(handoff, stopped, rounds)
    attempts = sum(one.handoff.attempts for one in rounds)
    said = {"stopped_by": stopped, "rounds": made, "attempts": attempts}
    ended = ended.counting_nothing().model_copy(update=said)
    key = digest_of((step.key, "rounds", made, stopped))
    known = run.memo.find(key)
    if known is not None:
        reuse(run, step.phase, known)  # of all that is recalled of it, this counts
        return ended
    await record_step(run, record_of(run, step, ended, key=key))
    return ended


def _rejected(handoff: Handoff, stopped: StoppedBy, rounds: Sequence[PastRound]) -> Handoff:
    gap = one_line(rounds[-1].gap)
    made = count(len(rounds), "round")
    message = f"it does not pass after {made}, and {_SAID[stopped]}" + (f": {gap}" if gap else "")
    error = ErrorReport(
        kind=NOT_PASSED,
        message=shortened(message, MAX_MESSAGE),
        can_pass=False,
        next_step="read what the check says; allow more rounds, or change the work or the check, and resume the run",
    )
    return without_output(handoff, Status.FAILED, error)
