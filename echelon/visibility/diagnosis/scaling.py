"""How the job fits its size: now, and over its runs. Pure (G)."""

from collections.abc import Sequence

from echelon.model.organisation import Structure
from echelon.planning.regime import structure_for
from echelon.visibility.diagnosis.facts import Found, RunEvidence, percent

#: Structures by size: one behind another is for more agents.
ORDER = tuple(Structure)

#: How much more agents, and how much more throughput: less of the second is a ceiling (M7).
MORE_AGENTS, MORE_THROUGHPUT = 1.25, 1.10

#: Runs in a row that proposed a change which was not made.
LEAST_DENIED = 2

#: Share of one agent's context below which all work together would fit into it.
FITS_ONE = 0.8


def wrong_regime(facts: RunEvidence, history: Sequence[RunEvidence]) -> Found | None:
    """Return that the job is organised for fewer agents than it has, as it was when it had fewer (R1)."""
    wanted, has = structure_for(facts.agents, "coherence"), facts.plan.structure
    if facts.agents < 2 or ORDER.index(has) >= ORDER.index(wanted):
        return None
    smaller = [run for run in history if run.plan.structure is has and run.agents < facts.agents]
    before = f"; {len(smaller)} smaller runs before it were organised the same" if smaller else ""
    said = f"{facts.agents} agents are organised as {has.value}, where {wanted.value} fits{before}"
    return Found(1.0 + ORDER.index(wanted) - ORDER.index(has), (said,), tuple(run.run_id for run in smaller))


def at_ceiling(facts: RunEvidence, history: Sequence[RunEvidence]) -> Found | None:
    """Return that more agents than before brought no more throughput (M7)."""
    runs = [run for run in (facts, *history) if run.makespan > 0 and run.tasks]
    by_size: dict[int, float] = {}
    for run in runs:
        by_size[run.agents] = max(by_size.get(run.agents, 0.0), len(run.tasks) / run.makespan)
    smaller = [size for size in by_size if size * MORE_AGENTS <= facts.agents]
    if len(by_size) < 3 or not smaller:
        return None
    size = max(smaller)
    gained, added = by_size[facts.agents] / by_size[size], facts.agents / size
    if gained >= min(MORE_THROUGHPUT, added):
        return None
    said = f"{facts.agents} agents do {percent(gained)} of what {size} did in the same time"
    return Found(added / gained, (said,), tuple(run.run_id for run in history))


def premature(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Found | None:
    """Return that the organisation is larger than the work: it is made for more agents, or one could hold all of it."""
    wanted, has = structure_for(max(1, facts.agents), "coherence"), facts.plan.structure
    tokens, ratio = sum(facts.task_tokens), facts.measures.coordination_ratio or 0.0
    larger = ORDER.index(has) - ORDER.index(wanted)
    fits = (
        bool(facts.task_tokens) and tokens <= FITS_ONE * facts.context_tokens and ratio > 0.5 and facts.plan.levels > 1
    )
    if larger <= 0 and not fits:
        return None
    said = (
        *((f"{facts.agents} agents are organised as {has.value}, where {wanted.value} fits",) if larger > 0 else ()),
        *((f"all work together is {percent(tokens / facts.context_tokens)} of one context",) if fits else ()),
    )
    return Found(1.0 + max(0, larger), said)


def denied(facts: RunEvidence, history: Sequence[RunEvidence]) -> Found | None:
    """Return that run after run proposed a change of the structure, and none was made (R6, R10)."""
    several = [run for run in (facts, *history) if any(not change.applied for change in run.state.plan_changes)]
    if len(several) < LEAST_DENIED or several[0] is not facts:
        return None
    said = f"{len(several)} runs proposed a change of the structure that was not made"
    return Found(len(several) / LEAST_DENIED, (said,), tuple(run.run_id for run in several))
