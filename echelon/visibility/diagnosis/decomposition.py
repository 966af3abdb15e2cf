"""How the work was cut: too small, too large, across what belongs together, or one after the other. Pure (G)."""

import re
from collections.abc import Sequence
from statistics import median

from echelon.model.errors import AgentTimeout, BudgetExhausted
from echelon.model.phrasing import percent
from echelon.model.run import StepRecord
from echelon.runlog.costs.bands import COORDINATION_WARNING
from echelon.visibility.diagnosis.facts import Found, RunEvidence, share_of

#: The least that says anything about coordination, in tokens.
LEAST_TOKENS = 1_000

#: Share of the tasks that end at a limit, and how many at least, from which they are too large.
CUT_OFF_SHARE, LEAST_CUT_OFF = 0.10, 2

#: Share of the uses that cross domains, and how many at least, from which boundaries are wrong.
CROSSING_SHARE, LEAST_USES = 0.50, 4

#: Share of the makespan that work waited for what it does not use, from which it matters.
NEEDLESS_SHARE = 0.20

#: How providers say that a context was too small.
_CONTEXT = re.compile(
    r"context.{0,12}(length|window|limit)|too (many|long).{0,20}token|prompt is too long|\(length\)", re.IGNORECASE
)


def over_decomposed(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Found | None:
    """Return that tasks fill little of an agent, while much of what is used goes into coordination (D5, M1)."""
    ratio, tokens = facts.coordination_share, facts.task_tokens
    if ratio is None or ratio <= COORDINATION_WARNING or len(tokens) < 2 or (facts.measures.tokens or 0) < LEAST_TOKENS:
        return None
    filled = median(tokens) / facts.context_tokens
    least = facts.plan.priors.over_decomposed_share
    if filled >= least:
        return None
    small = [
        step.handoff.task_id for step in facts.tasks if (step.handoff.usage.tokens or 0) < least * facts.context_tokens
    ]
    said = f"a task uses {percent(filled)} of a context of {facts.context_tokens:,} tokens at the median"
    return Found(ratio / COORDINATION_WARNING, (said, f"coordination is {percent(ratio)} of all tokens"), tuple(small))


def under_decomposed(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Found | None:
    """Return that tasks end at a limit of context, budget or time, or fill all of an agent (D5)."""
    large = [step for step in facts.tasks if _is_cut_off(facts, step)]
    share = share_of(len(large), len(facts.tasks))
    if len(large) < min(LEAST_CUT_OFF, len(facts.tasks)) or share <= CUT_OFF_SHARE or not large:
        return None
    said = f"{len(large)} of {len(facts.tasks)} tasks ended at a limit, or filled their context"
    return Found(share / CUT_OFF_SHARE, (said,), tuple(step.handoff.task_id for step in large))


def _is_cut_off(facts: RunEvidence, step: StepRecord) -> bool:
    handoff = step.handoff
    tokens, most = handoff.usage.tokens, facts.plan.priors.under_decomposed_share * facts.context_tokens
    if handoff.wrapped_up or (tokens is not None and tokens >= most):
        return True
    tries = [one.error for one in facts.state.failed_attempts if one.task_id == handoff.task_id]
    errors = [*tries, *([handoff.error] if handoff.error else [])]
    kinds = (BudgetExhausted.__name__, AgentTimeout.__name__)
    return any(error.kind in kinds or _CONTEXT.search(error.message) for error in errors)


def badly_bounded(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Found | None:
    """Return that most of what tasks use was made in another domain (D2)."""
    domain, phase = facts.domain_of, {name: step.phase for name, step in facts.step_of.items()}
    uses = [(user, used) for user, used in facts.uses if domain.get(used) and used in phase]
    making = {(phase[used], domain[used]) for _, used in uses}
    # Who belongs to no domain that makes such things could not have stayed within it.
    pairs = [(user, used) for user, used in uses if (phase[used], domain.get(user, "")) in making]
    crossing = [(user, used) for user, used in pairs if domain[user] != domain[used]]
    share = share_of(len(crossing), len(pairs))
    if len(pairs) < LEAST_USES or share <= CROSSING_SHARE:
        return None
    said = f"{len(crossing)} of {len(pairs)} uses of outputs cross the boundary of a domain"
    return Found(share / CROSSING_SHARE, (said,), tuple(user for user, _ in crossing))


def needlessly_serial(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Found | None:
    """Return that phases waited for phases of which they used nothing."""
    unused = [(phase, need) for phase, needs in unused_needs(facts).items() for need in needs]
    seconds = sum(min(_seconds(facts, phase), _seconds(facts, need)) for phase, need in unused)
    share = share_of(seconds, facts.makespan)
    if share <= NEEDLESS_SHARE:
        return None
    said = f"{len(unused)} phases waited for phases of which they used nothing: side by side {seconds:.1f} s less"
    return Found(share / NEEDLESS_SHARE, (said,), tuple(f"{phase} needs {need}" for phase, need in unused))


def unused_needs(facts: RunEvidence) -> dict[str, tuple[str, ...]]:
    """Return the phases that each phase waited for, and used nothing of; of those that took time only."""
    found: dict[str, tuple[str, ...]] = {}
    for phase in facts.plan.phases:
        needs = [need for need in phase.needs or () if _seconds(facts, need) and not _uses_any(facts, phase.name, need)]
        if needs and _seconds(facts, phase.name):
            found[phase.name] = tuple(needs)
    return found


def _seconds(facts: RunEvidence, phase: str) -> float:
    state = facts.state.phases.get(phase)
    return (state.ended - state.started).total_seconds() if state is not None and state.ended is not None else 0.0


def _uses_any(facts: RunEvidence, phase: str, need: str) -> bool:
    """Say whether a step of a phase used anything that one it needs has handed on."""
    made = {step.handoff.task_id for step in facts.latest if step.phase == need}
    users = (step.handoff.task_id for step in facts.latest if step.phase == phase)
    return any(not made.isdisjoint(facts.used_by.get(user, ())) for user in users)
