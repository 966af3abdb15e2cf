"""How the work was coordinated: through one point, at too high a price, with gaps, or against each other. Pure (G)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from echelon.model.audit.audit import AuditKind
from echelon.model.conflicts.conflict import Conflict
from echelon.model.phrasing import percent
from echelon.model.run import StepRecord
from echelon.runlog.costs.bands import COORDINATION_WARNING
from echelon.runlog.signals import WAITING_SHARE, waiting_share
from echelon.visibility.diagnosis.facts import Found, RunEvidence, counts_said, share_of

#: Share of its context from which a coordinator is saturated (M9).
CONTEXT_SHARE = 0.90

#: Reports from which a coordinator can be a bottleneck at all.
LEAST_REPORTS = 3

#: The least that says anything about shares of time, in seconds.
LEAST_SECONDS = 0.2


def saturated(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Found | None:
    """Return that one coordinator's context is full, or that work waits long for it."""
    tokens = _tokens_of_coordinators(facts)
    node = max(tokens, key=lambda one: tokens[one], default="")
    filled = tokens.get(node, 0) / facts.context_tokens
    waits = {name: share for name in facts.state.phases if (share := waiting_share(facts.state, facts.plan, name))}
    phase = max(waits, key=lambda one: waits[one], default="")
    waited = waits.get(phase, 0.0)
    if filled > CONTEXT_SHARE:
        said = f"{node} used {percent(filled)} of a context of {facts.context_tokens:,} tokens in one step"
        return Found(filled / CONTEXT_SHARE, (said,), (node,))
    busy = max((len(several) for several in facts.reports.values()), default=0)
    if waited <= WAITING_SHARE or busy < LEAST_REPORTS or facts.makespan < LEAST_SECONDS:
        return None
    said = f"work of phase {phase} waited for its coordinator {percent(waited)} as long as it took"
    return Found(waited / WAITING_SHARE, (said,), (phase,))


def _tokens_of_coordinators(facts: RunEvidence) -> Mapping[str, int]:
    found: dict[str, int] = defaultdict(int)
    for step in facts.coordinating:
        found[step.node] = max(found[step.node], step.handoff.usage.tokens or 0)
    return found


def overheads(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Found | None:
    """Return that more than two fifths of all that was used went into coordination (M1)."""
    ratio = facts.coordination_share
    enough = (facts.measures.tokens or 0) > 0 or facts.work_seconds >= LEAST_SECONDS
    if ratio is None or ratio <= COORDINATION_WARNING or facts.agents < 2 or not enough:
        return None
    return Found(ratio / COORDINATION_WARNING, (f"coordination is {percent(ratio)} of all that was used",))


def gaps(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Found | None:
    """Return that work belongs to nobody: no owner, proposed and not taken, waited for in vain, or missing."""
    plan, state = facts.plan, facts.state
    unowned = [task.id for task in plan.tasks if plan.owners and not plan.owners.get(task.id)]
    proposed = [one.id for one in state.proposals.values() if not one.is_taken]
    blocked = [task for task, step in facts.step_of.items() if _waits_for_nobody(step)] + list(state.blocked)
    lacking = [
        one.task_id for one in facts.view.audits if any(f.kind is AuditKind.CLAIMS_COMPLETE for f in one.findings)
    ]
    counted = {
        "tasks have no owner": unowned,
        "proposed tasks were taken by nobody": proposed,
        "tasks waited for something that nobody was to do": blocked,
        "integrations say that they are complete, and are not": lacking,
    }
    rows = [row for several in counted.values() for row in several]
    if not rows:
        return None
    said = counts_said(counted)
    return Found(1 + len(rows) / max(1, len(plan.tasks)), said, tuple(rows))


def _waits_for_nobody(step: StepRecord) -> bool:
    error = step.handoff.error
    return error is not None and error.kind == "Blocked" and not error.causes and not error.asks


def conflicting(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Found | None:
    """Return that coordinators hand on different things about one subject, or that revisions go back and forth."""
    open_ones = [one.conflict for one in facts.state.conflicts.values() if not one.is_decided]
    between = [one for one in open_ones if len(_coordinators(facts, one)) > 1]
    alternating = [step.handoff.task_id for step in facts.tasks if step.handoff.stopped_by == "alternating"]
    rows = (*(one.subject for one in between), *alternating)
    if not rows:
        return None
    counted = {
        "subjects on which coordinators hand on different things, undecided": between,
        "pieces of work that went back and forth between versions": alternating,
    }
    said = counts_said(counted)
    return Found(1 + share_of(len(rows), len(facts.tasks)), said, rows)


def _coordinators(facts: RunEvidence, conflict: Conflict) -> set[str]:
    """Return the coordinators that hand on what the sides of a conflict say."""
    made_by = {side.producer for side in conflict.sides}
    return {node for node in made_by if node in facts.plan.nodes and not facts.is_agent(node)}
