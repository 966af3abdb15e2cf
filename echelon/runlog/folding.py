"""What each kind of event changes in the state of a run: one function a kind, in one table. Pure."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from echelon.model.diagnosis.adjustment import AppliedAdjustments
from echelon.model.plan import Plan
from echelon.model.run import StepKind, StepRecord
from echelon.model.voice.said import blocked_on
from echelon.runlog import events as happened
from echelon.runlog.changes import extension_of, record_changes
from echelon.runlog.draft import StateDraft, step_name
from echelon.runlog.gates import apply_to_gates
from echelon.runlog.judging.conflict_events import apply_to_conflicts
from echelon.runlog.judging.exposure import revised
from echelon.runlog.judging.sync_fold import apply_to_sync, taken_up
from echelon.runlog.outbox import apply_to_outbox
from echelon.runlog.run_events import Event
from echelon.runlog.standing import CutOff, PhaseState, RetryMark, SampleState, StepName


def _run_started(draft: StateDraft, event: happened.RunStarted) -> None:
    draft.record, draft.fresh, draft.out, draft.single = event.record, event.fresh, event.out, event.single


def _run_taken(draft: StateDraft, event: happened.RunTaken) -> None:
    # Work that ended after the last sign of life was work all the same.
    worked = [moment for moment in (event.idle_since, _last_end(draft)) if moment is not None]
    if event.idle_since is not None and max(worked) < event.at:
        draft.pauses.append((max(worked), event.at))
    alive = min(max(worked, default=event.at), event.at)
    draft.cut_off += [CutOff(name, one.node, one.at, max(one.at, alive)) for name, one in draft.at_work.items()]
    draft.token = event.token
    draft.holders.add((event.host, event.pid))
    draft.at_work.clear()  # whoever was at work lost the run
    draft.reused.clear()


def _last_end(draft: StateDraft) -> datetime | None:
    return max((step.finished for step in draft.steps), default=None)


def _run_reopened(draft: StateDraft, event: happened.RunReopened) -> None:
    draft.sample = None  # unless it is asked for again, everything is done
    draft.out = event.out or draft.out
    draft.update_record(**record_changes(event))


def _sample_asked(draft: StateDraft, event: happened.SampleAsked) -> None:
    draft.sample = SampleState(event.items, event.held)


def _plan_extended(draft: StateDraft, event: happened.PlanExtended) -> None:
    draft.update_record(**record_changes(event))
    draft.latest = dict(_in_phases(event.plan, draft.latest))
    if event.phase:
        draft.extensions.append(extension_of(event))


def _in_phases(plan: Plan, latest: Mapping[StepName, StepRecord]) -> Iterator[tuple[StepName, StepRecord]]:
    """Yield the last record of each step where the plan has it now: a task may be moved to another phase."""
    phase_of = {task: phase.name for phase in plan.phases for task in phase.tasks}
    for name, step in latest.items():
        phase = phase_of.get(name.task_id, name.phase) if name.kind is StepKind.TASK else name.phase
        moved = step if phase == name.phase else step.model_copy(update={"phase": phase})
        yield name._replace(phase=phase), moved


def _plan_change_proposed(draft: StateDraft, event: happened.PlanChangeProposed) -> None:
    draft.plan_changes.append(event.proposal)


def _phase_started(draft: StateDraft, event: happened.PhaseStarted) -> None:
    before = draft.phases.get(event.phase)
    started = before.started if before else event.at
    draft.phases[event.phase] = PhaseState(
        expected=event.expected,
        started=started,
        taken_up=event.at,
        compared=event.compared,
        flat=before.flat if before else None,
    )


def _phase_ended(draft: StateDraft, event: happened.PhaseEnded) -> None:
    before = draft.phases.get(event.phase) or PhaseState(expected=0, started=event.at, taken_up=event.at)
    draft.phases[event.phase] = before._replace(ended=event.at)


def _flat_moment_held(draft: StateDraft, event: happened.FlatMomentHeld) -> None:
    stands = draft.phases.get(event.phase) or PhaseState(expected=0, started=event.at, taken_up=event.at)
    draft.phases[event.phase] = stands._replace(flat=event.concerns)


def _phase_skipped(draft: StateDraft, event: happened.PhaseSkipped) -> None:
    draft.phases[event.phase] = PhaseState(
        expected=0, started=event.at, taken_up=event.at, ended=event.at, skipped=event.reason
    )


def _step_started(draft: StateDraft, event: happened.StepStarted) -> None:
    draft.blocked.pop(event.task_id, None)  # it is tried again
    draft.confidences.pop(event.task_id, None)
    name = StepName(event.step, event.phase, event.task_id)
    if not event.replica or name not in draft.at_work:  # a task is at work from its first replica on (F9)
        draft.at_work[name] = event


def _step_reused(draft: StateDraft, event: happened.StepReused) -> None:
    name = StepName(event.step, event.phase, event.task_id)
    draft.reused.add(name)
    found = draft.latest.get(name)
    if found is None or found.key != event.key:  # something else was done of it in between, or was to be
        done = (step for step in reversed(draft.steps) if step.key == event.key and step.handoff.done)
        recalled = next((step for step in done if step_name(step) == name), found)
        # A round that was judged counts no more: the record that ended all rounds does, which is recalled behind it.
        found = found if found is not None and _is_judged_round(recalled, found) else recalled
    if found is not None:
        draft.set_latest(name, found)


def _is_judged_round(recalled: StepRecord | None, found: StepRecord) -> bool:
    return recalled is not None and recalled.interim and not found.interim


def _step_ended(draft: StateDraft, event: happened.StepEnded) -> None:
    draft.steps.append(event.record)
    if event.record.replica:
        return  # what counts is the record that ends all replicas (F9)
    name = step_name(event.record)
    draft.at_work.pop(name, None)
    draft.set_latest(name, event.record)


def _waited(draft: StateDraft, event: happened.Waited) -> None:
    draft.waits.append(event)


def _attempt_failed(draft: StateDraft, event: happened.AttemptFailed) -> None:
    draft.failed_attempts.append(event)


def _output_read(draft: StateDraft, event: happened.OutputRead) -> None:
    draft.reads.append(event)


def _logged(draft: StateDraft, event: happened.Logged) -> None:
    draft.log_lines[event.task_id] = draft.log_lines.get(event.task_id, 0) + 1


def _model_asked(draft: StateDraft, event: happened.ModelAsked) -> None:
    draft.conversations.append(event.conversation)


def _concern_raised(draft: StateDraft, event: happened.ConcernRaised) -> None:
    draft.concerns[event.record.id] = event.record


def _concern_disposed(draft: StateDraft, event: happened.ConcernDisposed) -> None:
    raised = draft.concerns.get(event.concern_id)
    if raised is not None and raised.disposition is None:  # the first one counts until it is reopened
        draft.concerns[event.concern_id] = raised.disposed(event.disposition)


def _concern_reopened(draft: StateDraft, event: happened.ConcernReopened) -> None:
    ended = draft.concerns.get(event.concern_id)
    if ended is not None:
        draft.concerns[event.concern_id] = ended.reopen(event.by, event.reason, event.evidence, event.at)


def _confidence_stated(draft: StateDraft, event: happened.ConfidenceStated) -> None:
    draft.confidences[event.task_id] = event.confidence


def _blocked_reported(draft: StateDraft, event: happened.BlockedReported) -> None:
    draft.blocked[event.task_id] = blocked_on(event.on, event.reason)


def _task_proposed(draft: StateDraft, event: happened.TaskProposed) -> None:
    draft.proposals.setdefault(event.record.id, event.record)


def _proposals_decided(draft: StateDraft, event: happened.ProposalsDecided) -> None:
    for proposal, decision in event.decisions.items():
        known = draft.proposals.get(proposal)
        if known is not None:
            draft.proposals[proposal] = known.model_copy(update={"decision": decision})


def _autonomy_decided(draft: StateDraft, event: happened.AutonomyDecided) -> None:
    draft.autonomy[event.phase] = event


def _gates_changed(draft: StateDraft, event: Event) -> None:
    apply_to_gates(draft.gates, event)


def _outbox_changed(draft: StateDraft, event: Event) -> None:
    apply_to_outbox(draft.notifications, event)


def _conflicts_changed(draft: StateDraft, event: Event) -> None:
    apply_to_conflicts(draft.conflicts, event)


def _sync_seen(draft: StateDraft, event: Event) -> None:
    draft.sync = apply_to_sync(draft.sync, event)


def _exception_pushed(draft: StateDraft, event: happened.ExceptionPushed) -> None:
    draft.exceptions.append(event.report)


def _effect_intended(draft: StateDraft, event: happened.EffectIntended) -> None:
    draft.intents[event.intent.key, event.intent.attempt] = event.intent


def _effect_settled(draft: StateDraft, event: happened.EffectSettled) -> None:
    intent = draft.intents.get((event.key, event.attempt))
    if intent is not None:
        draft.intents[event.key, event.attempt] = intent.model_copy(update={"settled": True})


def _operator_decided(_draft: StateDraft, _event: happened.OperatorDecided) -> None:
    """On record for people; what follows from it is in the events behind it."""


def _tasks_retried(draft: StateDraft, event: happened.TasksRetried) -> None:
    draft.retries.append(event)
    draft.sync = taken_up(draft.sync, event.tasks)
    draft.update_record(**record_changes(event))
    for task in event.tasks:
        before = draft.retried.get(task)
        draft.retried[task] = RetryMark(times=before.times + 1 if before else 1, steps=len(draft.steps))
    for name in list(draft.latest):
        # Any integration may hold something else from now on: it counts when it is recalled or made anew.
        if name.kind is StepKind.INTEGRATION or name.task_id in event.tasks:
            del draft.latest[name]
    for key, intent in list(draft.intents.items()):
        if intent.task_id in event.redo:
            del draft.intents[key]


def _breaker_changed(draft: StateDraft, event: happened.BreakerChanged) -> None:
    draft.breakers.append(event.news)


def _quota_closed(draft: StateDraft, event: happened.QuotaClosed) -> None:
    draft.quotas[event.window.dependency] = event.window


def _integration_audited(draft: StateDraft, event: happened.IntegrationAudited) -> None:
    draft.audits[event.record.key] = event.record


def _verifier_probed(draft: StateDraft, event: happened.VerifierProbed) -> None:
    draft.probes[event.probe.verifier] = event.probe
    if event.probe.is_exposed:  # what it said before is worth no more than what it says from now on
        draft.latest = {name: revised(step, draft.probes) for name, step in draft.latest.items()}


def _run_reviewed(draft: StateDraft, event: happened.RunReviewed) -> None:
    draft.review = event


def _watch_measured(draft: StateDraft, event: happened.WatchMeasured) -> None:
    draft.watches.append(event)


def _adjustments_applied(draft: StateDraft, event: happened.AdjustmentsApplied) -> None:
    draft.adjusted = AppliedAdjustments(run_id=event.run_id, adjustments=event.adjustments, by=event.by, at=event.at)


def _adjustments_reverted(draft: StateDraft, _event: happened.AdjustmentsReverted) -> None:
    draft.adjusted = None


def _run_ended(draft: StateDraft, event: happened.RunEnded) -> None:
    draft.update_record(**record_changes(event))
    draft.at_work.clear()


APPLY: dict[type[happened.Event], Callable[[StateDraft, Any], None]] = {
    happened.RunStarted: _run_started,
    happened.RunTaken: _run_taken,
    happened.RunReopened: _run_reopened,
    happened.SampleAsked: _sample_asked,
    happened.PlanExtended: _plan_extended,
    happened.PlanChangeProposed: _plan_change_proposed,
    happened.PhaseStarted: _phase_started,
    happened.PhaseEnded: _phase_ended,
    happened.PhaseSkipped: _phase_skipped,
    happened.StepStarted: _step_started,
    happened.StepReused: _step_reused,
    happened.StepEnded: _step_ended,
    happened.Waited: _waited,
    happened.AttemptFailed: _attempt_failed,
    happened.OutputRead: _output_read,
    happened.Logged: _logged,
    happened.ModelAsked: _model_asked,
    happened.ConcernRaised: _concern_raised,
    happened.ConcernDisposed: _concern_disposed,
    happened.ConcernReopened: _concern_reopened,
    happened.ConfidenceStated: _confidence_stated,
    happened.BlockedReported: _blocked_reported,
    happened.TaskProposed: _task_proposed,
    happened.ProposalsDecided: _proposals_decided,
    happened.AutonomyDecided: _autonomy_decided,
    happened.GateRaised: _gates_changed,
    happened.GateAnswered: _gates_changed,
    happened.GateExtended: _gates_changed,
    happened.GateClosed: _gates_changed,
    happened.ApprovalUsed: _gates_changed,
    happened.ApprovalReturned: _gates_changed,
    happened.NotificationQueued: _outbox_changed,
    happened.TokensIssued: _outbox_changed,
    happened.NotificationSent: _outbox_changed,
    happened.NotificationFailed: _outbox_changed,
    happened.TokenUsed: _outbox_changed,
    happened.FlatMomentHeld: _flat_moment_held,
    happened.ConflictFound: _conflicts_changed,
    happened.ConflictSettled: _conflicts_changed,
    happened.DriftMeasured: _sync_seen,
    happened.WaveEnded: _sync_seen,
    happened.PhaseStopped: _sync_seen,
    happened.ExceptionPushed: _exception_pushed,
    happened.EffectIntended: _effect_intended,
    happened.EffectSettled: _effect_settled,
    happened.OperatorDecided: _operator_decided,
    happened.TasksRetried: _tasks_retried,
    happened.BreakerChanged: _breaker_changed,
    happened.QuotaClosed: _quota_closed,
    happened.IntegrationAudited: _integration_audited,
    happened.VerifierProbed: _verifier_probed,
    happened.RunReviewed: _run_reviewed,
    happened.WatchMeasured: _watch_measured,
    happened.AdjustmentsApplied: _adjustments_applied,
    happened.AdjustmentsReverted: _adjustments_reverted,
    happened.RunEnded: _run_ended,
}
"""Kind → what it changes. A test holds it complete."""
