"""How the job fits its size: now, and over its runs. Pure (G)."""

from collections.abc import Sequence
from itertools import pairwise

from echelon.model.phrasing import count, percent
from echelon.model.run import StepKind
from echelon.planning.regime import recommended_levels
from echelon.runlog.costs.bands import COORDINATION_WARNING
from echelon.visibility.diagnosis.facts import Found, RunEvidence, share_of

#: How much more agents, and how much more throughput: less of the second is a ceiling (M7).
MORE_AGENTS, MORE_THROUGHPUT = 1.25, 1.10

#: Runs that each are larger than all before, and the share of tasks that the last one loses, from which that matters.
LEAST_GROWN, LOST_SHARE = 3, 0.10

#: Share of one agent's context below which all work together would fit into it.
FITS_ONE = 0.8

#: Checks, replicas and light sync points for each task from which they are ceremony, where coordination is dear (M1).
CEREMONY = 1.0


def wrong_regime(facts: RunEvidence, history: Sequence[RunEvidence]) -> Found | None:
    """Return that a pattern which did well with fewer agents does not any more, since there are too many (R1, R5)."""
    needed, levels = recommended_levels(max(1, facts.agents)), facts.levels
    alike = [run for run in history if run.levels == levels and run.agents < facts.agents]
    well = [run for run in alike if recommended_levels(run.agents) <= levels and not _lost(run)]
    lost = _lost(facts)
    if levels >= needed or not well or not lost:
        return None
    before = max(run.agents for run in well)
    said = (
        f"{facts.agents} agents under {count(levels, 'coordinating level')}, where {needed} are needed",
        f"{lost} of {len(facts.tasks)} tasks failed, or needed more than one attempt; with {before} agents none did",
    )
    return Found(1.0 + needed - levels + lost / len(facts.tasks), said, tuple(run.run_id for run in well))


def _lost(facts: RunEvidence) -> int:
    """Count the tasks that failed, or needed more than one attempt."""
    return sum(not step.handoff.done or step.handoff.attempts > 1 for step in facts.tasks)


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
    """Return that the organisation is larger than the work: one agent holds it, and there is ceremony around it."""
    tokens, ratio = sum(facts.task_tokens), facts.coordination_share or 0.0
    fits = 0 < tokens <= FITS_ONE * facts.context_tokens and facts.agents > 1
    ceremony = share_of(_ceremony(facts), len(facts.tasks))
    layered = facts.levels > recommended_levels(max(1, facts.agents))
    if not fits or ratio <= COORDINATION_WARNING or not (layered or ceremony >= CEREMONY):
        return None
    said = (
        f"all work together is {percent(tokens / facts.context_tokens)} of what one agent holds",
        f"{ceremony:.1f} checks, replicas and light sync points for each task; coordination is {percent(ratio)}",
    )
    return Found(ratio / COORDINATION_WARNING + ceremony, said)


def _ceremony(facts: RunEvidence) -> int:
    """Count the checks, replicas and light sync points of a run."""
    checks = sum(step.kind is StepKind.CHECK for step in facts.latest)
    replicas = sum(bool(step.replica) for step in facts.state.steps)
    return checks + replicas + len(facts.state.sync.waves)


def denied(facts: RunEvidence, history: Sequence[RunEvidence]) -> Found | None:
    """Return that the job grows from run to run while more and more of it breaks, whatever is added (R6, R10)."""
    runs = [*reversed(history), facts]
    grown = [run for place, run in enumerate(runs) if all(one.agents < run.agents for one in runs[:place])]
    lost = [share_of(sum(not step.handoff.done for step in run.tasks), len(run.tasks)) for run in grown]
    worse = all(later >= earlier for earlier, later in pairwise(lost)) and lost[-1] > lost[0]
    again = sum(map(bool, lost)) > 1  # once may be the size; again and again it is not looked at
    if len(grown) < LEAST_GROWN or grown[-1] is not facts or not (worse and again) or lost[-1] < LOST_SHARE:
        return None
    sizes = ", ".join(f"{run.agents}" for run in grown)
    broken = ", ".join(map(percent, lost))
    return Found(
        1.0 + lost[-1] / LOST_SHARE,
        (f"runs with {sizes} agents lost {broken} of their tasks",),
        tuple(run.run_id for run in grown),
    )
