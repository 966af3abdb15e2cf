"""Verdicts that come behind the sync point of a phase are counted in the records of its agents, too (X11).

Two phases that were at work side by side contradict each other where a third one receives both (X9), and a verifier may
be exposed when results that it accepted were handed on long ago (O3). What was decided about the results stands.
"""

from collections.abc import Iterable

from echelon.coordination.autonomy.results import PhaseResults
from echelon.coordination.context import RunContext
from echelon.journal.failpoints import failpoint


async def count_again(run: RunContext, phases: Iterable[str]) -> None:
    """Put on record what the results of phases show of their agents now, where that is something else."""
    for phase in phases:
        known = run.log.state.autonomy.get(phase)
        if known is None or not known.standings:
            continue
        results = PhaseResults(run, phase)
        if known.of == results.identity:
            continue
        decisions = tuple(map(results.as_known, known.decisions))
        update = {"at": run.now(), "of": results.identity, "decisions": decisions, "standings": results.standings()}
        await run.log.append(known.model_copy(update=update))
        failpoint("recount.recorded")


async def count_exposed(run: RunContext, phase: str) -> None:
    """Count what a verifier accepted no more, in any phase, where it was exposed in this one."""
    state = run.log.state
    if any(one.is_exposed and one.phase == phase for one in state.probes.values()):
        await count_again(run, [name for name in state.autonomy if name != phase])
