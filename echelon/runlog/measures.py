"""What a run cost and achieved, measured from its steps (M). Pure; what cannot be known is None, never zero."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from echelon.model.audit.audit import AuditRecord
from echelon.model.concern import CRITICAL, ConcernRecord
from echelon.model.handoff import Passed, tokens_in
from echelon.model.run import Measures, Spent, StepKind, StepRecord
from echelon.model.session import Pause, seconds_without
from echelon.model.usage import Usage
from echelon.runlog.judging.judged import sound_share
from echelon.runlog.losses import has_delivered


def measure(
    steps: Sequence[StepRecord],
    seconds: float,
    idle: Sequence[Pause] = (),
    concerns: Iterable[ConcernRecord] = (),
    asked: Collection[str] = (),
    audits: Iterable[AuditRecord] = (),
) -> Measures:
    """Return the measures of a run that took `seconds` of wall time, without the times `idle` when nobody worked on it.

    `concerns` are those on record, which say where each goes; `asked` are tasks whose results somebody was asked about
    (X6); `audits` say which integrations are not sound. What became of a step is told by its last record; what was used
    counts in all of them, failed tries included.
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
    escalated = {one.step for one in concerns if one.route in CRITICAL}
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
        coordination_ratio=_coordination_ratio(work, coordination),
        first_try_rate=_share(sum(step.handoff.done and step.handoff.attempts == 1 for step in tried), len(tried)),
        escalation_rate=_share(
            sum(step.key in escalated or step.handoff.task_id in asked or _escalated(step) for step in tasks),
            len(tasks),
        ),
        integration_share=_share(integration.seconds, total_seconds),
        speedup=_share(total_seconds, makespan or 0.0),
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
        sound_integrations=sound_share(integrations, wrong),
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


def _coordination_ratio(work: Usage, coordination: Usage) -> float | None:
    """Coordination cost over total cost, in tokens where both sides report them, else in seconds (M1)."""
    if work.tokens is not None and coordination.tokens is not None:
        return _share(coordination.tokens, work.tokens + coordination.tokens)
    return _share(coordination.seconds, work.seconds + coordination.seconds)


def _escalated(step: StepRecord) -> bool:
    return any(concern.route in CRITICAL for concern in step.handoff.concerns)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
