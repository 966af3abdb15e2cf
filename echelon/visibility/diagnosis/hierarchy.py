"""How the levels worked: what they filtered, whom they silenced, what waited, and how many they are. Pure (G)."""

import logging
from collections.abc import Sequence

from echelon.model.concern import CRITICAL, ConcernRecord, Route
from echelon.model.diagnosis.bound import BoundBy
from echelon.model.phrasing import percent
from echelon.planning.regime import DEFAULT_SPAN, recommended_levels
from echelon.runlog.signals import waiting_share
from echelon.visibility.diagnosis.facts import Found, RunEvidence, counts_said, item_of, share_of

#: Share of the makespan that is spent on waiting for answers, from which approvals are a bottleneck, and how many.
APPROVAL_SHARE, LEAST_GATES = 0.20, 2

#: Reports of a coordinator on average below which a tree is thin.
THIN = 3.0


def loses_information(facts: RunEvidence, history: Sequence[RunEvidence]) -> Found | None:
    """Return that concerns which were filed or dismissed proved right: taken back, or followed by failure (O7)."""
    known = [*facts.state.concerns.values(), *(one for run in history for one in run.state.concerns.values())]
    warned = set(_warnings(facts))  # who also wrote it to a log toned it down: nobody filtered it
    failed = _failed_subjects(facts)
    right = [one for one in known if _is_filtered(one) and one.task_id not in warned and one.concern.about in failed]
    rows = tuple(dict.fromkeys(one.id for one in (*(one for one in known if one.reopened), *right)))
    if not rows:
        return None
    said = f"{len(rows)} concerns had been dismissed or only filed, and proved right"
    return Found(1 + share_of(len(rows), len(known)), (said,), rows)


def _failed_subjects(facts: RunEvidence) -> set[str]:
    """Return what a concern could have been about that failed: tasks, their items, and what is urgent now."""
    failed = [step.handoff.task_id for step, _ in facts.errors()]
    urgent = (one.concern.about for one in facts.state.concerns.values() if one.route is Route.IMMEDIATE)
    return {*failed, *map(item_of, failed), *urgent}


def _is_filtered(one: ConcernRecord) -> bool:
    dismissed = one.disposition is not None and one.disposition.verdict == "dismissed"
    return dismissed or one.route is Route.PATTERN_LOG


def silences(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Found | None:
    """Return that what agents knew did not reach who decides, and came true: only logged, or gates beside concerns."""
    spoke = {one.task_id for one in facts.state.concerns.values() if one.route in CRITICAL}
    silent = [task for task in _warnings(facts) if task not in spoke and _fails_behind(facts, task)]
    gates = facts.state.gates.values()
    beside = [gate.id for gate in gates if gate.decision is not None and _open_at(facts, gate.concerns)]
    if not silent and not beside:
        return None
    counted = {
        "tasks logged warnings about what failed behind them, and raised nothing": silent,
        "gates were decided beside open concerns": beside,
    }
    said = counts_said(counted)
    return Found(1 + share_of(len(silent) + len(beside), len(facts.tasks)), said, (*silent, *beside))


def _warnings(facts: RunEvidence) -> tuple[str, ...]:
    """Return the tasks that logged a warning, or worse, themselves."""
    loud = (one for one in facts.logged if one.level >= logging.WARNING and one.source != "echelon")
    return tuple(dict.fromkeys(one.task_id for one in loud))


def _fails_behind(facts: RunEvidence, task: str) -> bool:
    """Say whether work that began when a task had ended, and uses it or is about the same item, failed."""
    ended = facts.step_of.get(task)
    if ended is None:
        return False
    behind = (step for step, _ in facts.errors() if step.started >= ended.finished)
    names = ((step.handoff.task_id, facts.used_by.get(step.handoff.task_id, ())) for step in behind)
    return any(task in used or item_of(name) == item_of(task) for name, used in names)


def _open_at(facts: RunEvidence, concerns: Sequence[str]) -> bool:
    known = facts.state.concerns
    return any(known[one].is_open and known[one].route in CRITICAL for one in concerns if one in known)


def waits_for_approval(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Found | None:
    """Return that the run waited long for answers, most of which were yes."""
    gates, chain = list(facts.state.gates.values()), facts.bound
    waited = chain.seconds.get(BoundBy.PERSON, 0.0)
    share = share_of(waited, chain.total_seconds)
    asked = len(gates) + sum(len(one.decisions) for one in facts.state.autonomy.values())
    if asked < LEAST_GATES or share <= APPROVAL_SHARE:
        return None
    said = f"{asked} things were asked, and {percent(share)} of the time went by until they were answered"
    return Found(share / APPROVAL_SHARE, (said,), tuple(gate.id for gate in gates))


def too_deep(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Found | None:
    """Return that there are more levels than so many agents need, each with few reports (R2)."""
    needed, levels = recommended_levels(max(1, facts.agents)), facts.levels
    several = list(facts.reports.values())
    average = share_of(sum(map(len, several)), len(several))
    if levels <= needed or average >= THIN:
        return None
    said = f"{levels} levels above {facts.agents} agents, where {needed} would do; {average:.1f} reports each"
    return Found(levels / needed, (said,), tuple(node for node in facts.reports if node != facts.plan.primary.id))


def too_shallow(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Found | None:
    """Return that somebody has more reports than a coordinator can follow, and that work waits for it (R2, M8)."""
    node = max(facts.reports, key=lambda one: len(facts.reports[one]), default="")
    reports = len(facts.reports.get(node, ()))
    if reports <= DEFAULT_SPAN:
        return None
    waited = max((waiting_share(facts.state, facts.plan, name) or 0.0 for name in facts.state.phases), default=0.0)
    said = f"{reports} report to {node}, where {DEFAULT_SPAN} is the most; work waited {percent(waited)} of its time"
    return Found(reports / DEFAULT_SPAN, (said,), (node,))
