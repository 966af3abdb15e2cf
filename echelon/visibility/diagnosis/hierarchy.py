"""How the levels worked: what they filtered, whom they silenced, what waited, and how many they are. Pure (G)."""

import logging
from collections.abc import Iterator, Sequence

from echelon.model.concern import CRITICAL, ConcernRecord, Route
from echelon.model.diagnosis.bound import BoundBy
from echelon.planning.regime import DEFAULT_SPAN, recommended_levels
from echelon.runlog.signals import waiting_share
from echelon.visibility.diagnosis.facts import Found, RunEvidence, percent, share_of

#: Share of the makespan that is spent on waiting for answers, from which approvals are a bottleneck, and how many.
APPROVAL_SHARE, LEAST_GATES = 0.20, 2

#: Warnings that were logged by tasks that raised nothing, from which it matters.
LEAST_SILENT = 1

#: Reports of a coordinator on average below which a tree is thin.
THIN = 3.0


def loses_information(facts: RunEvidence, history: Sequence[RunEvidence]) -> Found | None:
    """Return that concerns which were filed or dismissed proved right: taken back, or followed by failure."""
    known = [*facts.state.concerns.values(), *(one for run in history for one in run.state.concerns.values())]
    reopened = [one for one in known if one.reopened]
    filtered = [one for one in known if _is_filtered(one)]
    failed = {one.about for one in _failures(facts)}
    right = [one for one in filtered if one.concern.about in failed]
    rows = tuple(one.id for one in (*reopened, *right))
    if not rows:
        return None
    said = f"{len(rows)} concerns had been dismissed or only filed, and proved right"
    return Found(1 + share_of(len(rows), len(known)), (said,), rows)


class _Failure:
    def __init__(self, about: str) -> None:
        self.about = about


def _failures(facts: RunEvidence) -> Iterator[_Failure]:
    """Yield what failed, by what a concern could have been about."""
    for step, _ in facts.errors():
        yield _Failure(step.handoff.task_id)
        yield _Failure(step.handoff.task_id.rpartition("/")[2])
    for one in facts.state.concerns.values():
        if one.route is Route.IMMEDIATE:
            yield _Failure(one.concern.about)


def _is_filtered(one: ConcernRecord) -> bool:
    dismissed = one.disposition is not None and one.disposition.verdict == "dismissed"
    return dismissed or one.route is Route.PATTERN_LOG


def silences(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Found | None:
    """Return that what agents knew did not reach who decided: it was only logged, or decided beside open concerns."""
    spoke = {one.task_id for one in facts.state.concerns.values()}
    silent = [one.task_id for one in facts.logged if one.level >= logging.WARNING and one.source != "echelon"]
    silent = [task for task in silent if task not in spoke]
    beside = [
        gate.id for gate in facts.state.gates.values() if gate.decision is not None and _open_at(facts, gate.concerns)
    ]
    rows = facts.first_rows((*silent, *beside))
    if len(rows) < LEAST_SILENT:
        return None
    logged = f"{len(set(silent))} tasks logged warnings and raised nothing"
    said = f"{logged}; {len(beside)} gates were decided beside open concerns"
    return Found(1 + share_of(len(set(silent)), len(facts.tasks)), (said,), rows)


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
    needed, levels = recommended_levels(max(1, facts.agents)), _levels(facts)
    several = list(facts.reports.values())
    average = share_of(sum(map(len, several)), len(several))
    if levels <= needed or average >= THIN:
        return None
    said = f"{levels} levels above {facts.agents} agents, where {needed} would do; {average:.1f} reports each"
    return Found(levels / needed, (said,), tuple(node for node in facts.reports if node != facts.plan.primary.id))


def _levels(facts: RunEvidence) -> int:
    """Return the coordinating levels above those who had something to do."""
    return max(
        (len(facts.plan.path(step.node)) - 1 for step in facts.tasks if step.node in facts.plan.nodes), default=0
    )


def too_shallow(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Found | None:
    """Return that somebody has more reports than a coordinator can follow, and that work waits for it (R2, M8)."""
    node = max(facts.reports, key=lambda one: len(facts.reports[one]), default="")
    reports = len(facts.reports.get(node, ()))
    if reports <= DEFAULT_SPAN:
        return None
    waited = max((waiting_share(facts.state, facts.plan, name) or 0.0 for name in facts.state.phases), default=0.0)
    said = f"{reports} report to {node}, where {DEFAULT_SPAN} is the most; work waited {percent(waited)} of its time"
    return Found(reports / DEFAULT_SPAN, (said,), (node,))
