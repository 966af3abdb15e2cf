"""What a run cost and achieved, measured from its log (M). Pure; what cannot be known is None, never zero.

The formulas are in `docs/measures.md`.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from statistics import median

from echelon.model.audit.audit import AuditRecord
from echelon.model.concern import CRITICAL, ConcernRecord
from echelon.model.costs.account import CostAccount, CostKind, CostSide
from echelon.model.costs.baseline import Baseline, BaselineComparison
from echelon.model.costs.measures import Measures, Spent
from echelon.model.handoff import Passed, tokens_in
from echelon.model.run import StepKind, StepRecord
from echelon.model.session import Pause, seconds_without
from echelon.model.usage import Usage
from echelon.runlog.costs.account import account_of
from echelon.runlog.costs.prerequisites import success_of
from echelon.runlog.costs.purposes import is_echo, purposes
from echelon.runlog.costs.queues import queues_of
from echelon.runlog.judging.autonomy import escalated_in
from echelon.runlog.judging.judged import sound_share
from echelon.runlog.losses import has_delivered
from echelon.runlog.signals import heaviest_coordination, waiting_share_of_run
from echelon.runlog.state import RunState

SECONDS_PER_HOUR = 3600


def measures_of(state: RunState, account: CostAccount) -> Measures:
    """Return the measures of a run, given the account of it."""
    record, plan = state.record, state.plan
    assert record is not None, "a log begins with the start of its run"
    assert state.last_at is not None, "the start of a run happened at some time"
    seconds = seconds_without(record.started, record.finished or state.last_at, state.pauses)
    asked, audits = escalated_in(state.autonomy), state.audits.values()
    found = measure(state.steps, seconds, state.pauses, state.concerns.values(), asked, audits, account)
    stated = plan.organisation.baseline if plan else None
    return found.model_copy(
        update={
            "context_use": _context_use(state),
            "coordinator_wait": waiting_share_of_run(state, plan) if plan else None,
            "queues": queues_of(state),
            "coordinator_load": heaviest_coordination(state, plan) if plan else None,
            "against_single": against(stated, found) if stated else None,
            "success": success_of(state),
        }
    )


def measure(
    steps: Sequence[StepRecord],
    seconds: float,
    idle: Sequence[Pause] = (),
    concerns: Iterable[ConcernRecord] = (),
    asked: Collection[str] = (),
    audits: Iterable[AuditRecord] = (),
    account: CostAccount | None = None,
) -> Measures:
    """Return the measures of a run that took `seconds` of wall time, without the times `idle` when nobody worked on it.

    `concerns` are those on record, which say where each goes; `asked` are tasks whose results somebody was asked about
    (X6); `audits` say which integrations are not sound; `account` is that of the run, else that of its steps
    alone. What became of a step is told by its last record; what was used counts in all of them, failed tries included.
    """
    latest = {(step.kind, step.handoff.task_id): step for step in steps if not step.replica}
    integrations = [step for step in latest.values() if step.kind is StepKind.INTEGRATION]
    wrong = {(one.task_id, one.version) for one in audits if one.is_rejected}
    tasks = [step for step in latest.values() if step.kind is StepKind.TASK]
    work = _usage([step for step in steps if step.kind is StepKind.TASK])
    integration = _usage([step for step in steps if step.kind is StepKind.INTEGRATION])
    coordination = _usage([step for step in steps if step.kind is not StepKind.TASK])
    total_seconds = work.seconds + coordination.seconds
    done = [step for step in tasks if has_delivered(step)]
    waiting = [step for step in tasks if step.handoff.waits]
    tried = [step for step in tasks if not step.handoff.kept_from]
    by_reference = sum(s.handoff.output_location.size_bytes for s in steps if s.handoff.output_location)
    makespan = _makespan(steps, idle)
    told = sum((step.handoff.received for step in steps), Passed())
    return Measures(
        seconds=seconds,
        makespan_seconds=makespan,
        agents=len({step.node for step in tasks}),
        completed=len(done),
        failed=len(tasks) - len(done) - len(waiting),
        waiting=len(waiting),
        waiting_for_person=sum(step.handoff.waits_for_person for step in waiting),
        task_seconds=work.seconds,
        integration_seconds=integration.seconds,
        coordination_ratio=coordination_ratio(account or account_of(RunState(steps=tuple(steps))), steps),
        first_try_rate=_share(sum(step.handoff.done and step.handoff.attempts == 1 for step in tried), len(tried)),
        escalation_rate=_escalation_rate(tasks, concerns, asked),
        integration_share=_share(integration.seconds, total_seconds),
        speedup=_share(total_seconds, makespan or 0.0),
        throughput_per_hour=_share(len(done) * SECONDS_PER_HOUR, makespan or 0.0),
        tokens=(work + coordination).tokens,
        cost=(work + coordination).cost,
        spent=tuple(_spent(steps)),
        bytes_by_reference=by_reference,
        tokens_by_reference=tokens_in(by_reference),
        bytes_by_value=told.bytes_by_value,
        tokens_by_value=told.tokens_by_value,
        fallbacks=sum(step.handoff.fallback is not None for step in tasks),
        replaced=sum(step.handoff.done and step.handoff.fallback is not None for step in tasks),
        kept=len(tasks) - len(tried),
        unverified=sum(bool(step.handoff.unverified) and step.handoff.fallback is None for step in tasks),
        sound_integrations=sound_share(integrations, wrong, _made_again(steps)),
        repaired=sum(bool(step.handoff.repairs) for step in latest.values()),
    )


def _makespan(steps: Sequence[StepRecord], idle: Sequence[Pause]) -> float | None:
    if not steps:
        return None
    return seconds_without(min(step.started for step in steps), max(step.finished for step in steps), idle)


def _usage(steps: Sequence[StepRecord]) -> Usage:
    return sum((step.handoff.usage for step in steps), Usage())


def _spent(steps: Sequence[StepRecord]) -> Iterator[Spent]:
    found: dict[tuple[str, str | None], Usage] = {}
    for step in steps:
        key = (step.phase, step.model)
        found[key] = found.get(key, Usage()) + step.handoff.usage
    for (phase, model), usage in found.items():
        if usage.tokens is not None or usage.cost is not None:
            yield Spent(phase=phase, model=model, usage=usage)


def coordination_ratio(account: CostAccount, steps: Sequence[StepRecord]) -> float | None:
    """Return coordination by work and coordination together (M1).

    In tokens where work and coordination both report any, else in seconds. What nobody knows the purpose of is in
    neither, and neither are waits for limits, which keep nobody busy: they would make coordination look cheap.
    """
    sides = _reporting(steps)
    work, coordination = account.of(CostKind.WORK), account.side(CostSide.COORDINATION)
    if sides.get(CostSide.WORK) and sides.get(CostSide.COORDINATION, True):
        spent = coordination.tokens or 0
        return _share(spent, (work.tokens or 0) + spent)
    return _share(coordination.seconds, work.seconds + coordination.seconds)


def _reporting(steps: Sequence[StepRecord]) -> Mapping[CostSide, bool]:
    """Return of each side that has steps whether any of them reports tokens."""
    found: dict[CostSide, bool] = {}
    for step, _ in purposes(steps):
        side = CostSide.WORK if step.kind is StepKind.TASK else CostSide.COORDINATION
        found[side] = found.get(side, False) or step.handoff.usage.tokens is not None
    return found


def _made_again(steps: Iterable[StepRecord]) -> set[str]:
    """Return what integrations are recorded as that were made more than once: renewed, or done again."""
    made = Counter(step.handoff.task_id for step in steps if step.kind is StepKind.INTEGRATION and not is_echo(step))
    return {name for name, times in made.items() if times > 1}


def _context_use(state: RunState) -> float | None:
    """Return how full contexts were in the end, the median over tasks; the last conversation of each counts."""
    plan = state.plan
    if plan is None:
        return None
    done = {name.task_id for name, step in state.latest.items() if name.kind is StepKind.TASK and has_delivered(step)}
    ended = {
        one.task_id: one.context_tokens
        for one in state.conversations
        if one.context_tokens is not None and not one.error and one.task_id in done
    }
    return median(ended.values()) / plan.priors.context_tokens if ended else None


def against(baseline: Baseline, found: Measures) -> BaselineComparison:
    """Return a run beside one agent that does its job alone (M10)."""
    done, span = found.completed, found.makespan_seconds
    return BaselineComparison(
        throughput=done / span / (baseline.tasks / baseline.seconds) if done and span else None,
        tokens=_times(found.tokens, done, baseline.tokens, baseline.tasks),
        cost=_times(found.cost, done, baseline.cost, baseline.tasks),
        baseline=baseline,
    )


def _times(used: float | None, done: int, alone: float | None, tasks: int) -> float | None:
    """Return what each task took, in multiples of what it takes one agent."""
    return None if used is None or not done or not alone else (used / done) / (alone / tasks)


def _escalation_rate(
    tasks: Sequence[StepRecord], concerns: Iterable[ConcernRecord], asked: Collection[str]
) -> float | None:
    # By task, not by step: of work that is verified or repeated the record that counts in the end has another key.
    raised = {name for one in concerns if one.route in CRITICAL for name in (one.step, one.task_id) if name}
    escalated = sum(
        not raised.isdisjoint((step.key, step.handoff.task_id)) or _escalated(step, asked) for step in tasks
    )
    return _share(escalated, len(tasks))


def _escalated(step: StepRecord, asked: Collection[str]) -> bool:
    return step.handoff.task_id in asked or any(concern.route in CRITICAL for concern in step.handoff.concerns)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
