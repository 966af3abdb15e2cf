"""How results were put together: by nobody, too slowly, with losses, or too late. Pure (G)."""

from collections.abc import Sequence

from echelon.model.audit.audit import AuditKind
from echelon.model.integration import task_checked
from echelon.model.phrasing import percent
from echelon.model.run import StepKind, StepRecord
from echelon.runlog.costs.bands import INTEGRATION_TIME_WARNING
from echelon.visibility.diagnosis.facts import Found, RunEvidence, share_of

#: The least that says anything about the time of integrations, in seconds.
LEAST_SECONDS = 0.2

#: Share of the parts that whoever integrates has not read, from which something is lost.
UNREAD_SHARE = 0.10

#: Share of the work that is done when an integration is first found wrong, from which that is late.
LATE_SHARE = 0.90

#: What an audit finds where something of the parts is not in the whole.
LOST = frozenset({AuditKind.GAP, AuditKind.DROPPED_CONCERN, AuditKind.CONTRADICTION, AuditKind.WRONG_WORD})


def unowned(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Found | None:
    """Return that outputs of a phase that nobody integrates contradict each other, and nobody has decided."""
    bare = {phase.name for phase in facts.plan.phases if phase.integration == "none" and len(phase.tasks) > 1}
    open_ones = [one for one in facts.state.conflicts.values() if one.conflict.phase in bare and not one.is_decided]
    if not open_ones:
        return None
    said = f"{len(open_ones)} subjects on which outputs of phases without an integrator contradict each other"
    return Found(1 + share_of(len(open_ones), len(facts.tasks)), (said,), tuple(o.conflict.subject for o in open_ones))


def bottlenecked(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Found | None:
    """Return that integrations take more than three tenths of the working time (M6)."""
    share = facts.measures.integration_share
    if share is None or share <= INTEGRATION_TIME_WARNING or facts.measures.integration_seconds < LEAST_SECONDS:
        return None
    slow = max(facts.integrations, key=facts.seconds_of)
    said = f"integration is {percent(share)} of the working time"
    longest = f"{slow.handoff.task_id} took {facts.seconds_of(slow):.1f} s"
    return Found(share / INTEGRATION_TIME_WARNING, (said, longest), (slow.handoff.task_id,))


def loses_context(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Found | None:
    """Return that integrations lack what their parts say: as audits found, or since parts were not read (O4, C6)."""
    lacking = [one for one in facts.view.audits if any(found.kind in LOST for found in one.findings)]
    unread = [step for step in facts.integrations if step.handoff.done and _unread_share(facts, step) > UNREAD_SHARE]
    if not lacking and not unread:
        return None
    said = (
        *((f"{len(lacking)} integrations lack, or contradict, what their parts say",) if lacking else ()),
        *((f"{len(unread)} integrations were made without reading all of their parts",) if unread else ()),
    )
    rows = (*(one.task_id for one in lacking), *(step.handoff.task_id for step in unread))
    return Found(1 + share_of(len(set(rows)), len(facts.integrations)), said, rows)


def _unread_share(facts: RunEvidence, step: StepRecord) -> float:
    below = [task for task in facts.tasks if task.phase == step.phase and step.node in facts.plan.path(task.node)[:-1]]
    direct = [task for task in below if task.handoff.done and facts.plan.nodes[task.node].parent == step.node]
    used = facts.used_by.get(step.handoff.task_id, frozenset())
    return share_of(sum(task.handoff.task_id not in used for task in direct), len(direct))


def fails_late(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Found | None:
    """Return that an integration failed, or was rejected, when nearly all work was done, and work was done again."""
    wrong = [step for step in facts.integrations if not step.handoff.done or step.handoff.attempts > 1]
    wrong += [step for step in _rejected_wholes(facts) if step not in wrong]
    late = [step for step in wrong if _done_before(facts, step) >= LATE_SHARE]
    if not late:
        return None
    said = (
        f"{len(late)} integrations were found wrong when {percent(_done_before(facts, late[0]))} of the work was done"
    )
    return Found(1 + share_of(len(late), len(facts.integrations)), (said,), tuple(s.handoff.task_id for s in late))


def _rejected_wholes(facts: RunEvidence) -> list[StepRecord]:
    """Return the integrations that a check of the whole rejected, so that work was done again."""
    checked = {task_checked(step.handoff.task_id) for step in facts.latest if step.kind is StepKind.CHECK}
    again = {step.phase for step in facts.state.steps if step.round > 1}
    return [step for step in facts.integrations if step.phase in again and (step.phase in checked or step.round > 1)]


def _done_before(facts: RunEvidence, step: StepRecord) -> float:
    """Return the share of the first rounds of all work that had ended when a step began."""
    first = [one for one in facts.state.steps if one.kind is StepKind.TASK and one.round == 1]
    before = sum(facts.seconds_of(one) for one in first if one.finished <= step.started)
    return share_of(before, sum(map(facts.seconds_of, first)))
