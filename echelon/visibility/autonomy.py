"""How far agents may proceed by their records, and who waits for an answer, in lines (X7, X11)."""

from collections.abc import Iterable, Iterator, Sequence

from echelon.model.autonomy.decisions import AgentAutonomy, ApprovalQueue
from echelon.model.autonomy.terms import Band
from echelon.model.phrasing import count, duration, percent

#: Band → what an agent in it does.
BANDS = {
    Band.PROCEED: "proceeds",
    Band.REVIEW: "peer review",
    Band.ESCALATE: "escalates",
}


def autonomy_lines(agents: Sequence[AgentAutonomy]) -> tuple[str, ...]:
    """Return a line for each agent: what it may do, its record, and what has changed since the run before."""
    names = [one.agent for one in agents]
    return tuple(f"{_named(one, names)}: {', '.join(_said(one))}" for one in agents)


def approvals_line(queue: ApprovalQueue | None) -> str:
    """Return how many results were decided by somebody, and how long they wait; empty where all proceeded."""
    if queue is None:
        return ""
    return ", ".join(_queue(queue))


def _named(one: AgentAutonomy, names: Sequence[str]) -> str:
    """Name an agent; one whose code has changed within the run is told from what it was."""
    return one.agent if names.count(one.agent) == 1 else f"{one.agent} ({one.code[-6:]})"


def _said(one: AgentAutonomy) -> Iterable[str]:
    changed = f" (before: {BANDS[one.band_before]})" if one.band is not one.band_before else ""
    yield f"{BANDS[one.band]}{changed}"
    now = one.now
    if not now.results:
        yield "no record yet"
        return
    yield f"right {sum(now.right):,} of {now.results:,} ({percent(now.accuracy)})"
    added = now.results - one.before.results
    if one.before.results and added:
        yield f"{percent(one.before.accuracy)} before this run"
    if now.brier is not None:
        yield f"Brier {now.brier:.2f}"


def _queue(queue: ApprovalQueue) -> Iterator[str]:
    yield f"{count(queue.escalated, 'result')} escalated"
    if queue.by_lead:
        yield f"{queue.by_lead:,} approved by a lead"
    if queue.batches:
        waits = "waits" if queue.waiting == 1 else "wait"
        yield f"{queue.waiting:,} {waits} for a person in {count(queue.batches, 'batch', 'batches')}"
    if queue.longest_seconds is not None:
        yield f"the longest for {duration(queue.longest_seconds)}"
