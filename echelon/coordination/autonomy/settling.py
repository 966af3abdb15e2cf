"""At the sync point of a phase its results are decided about: they proceed, or somebody is asked about them (X6, X7).

Nothing waits for that: who is asked has a concern in the person's line, which holds only what cannot be undone (X13).
Where a job states no autonomy, a result proceeds unless its agent itself doubts it.
"""

from collections.abc import Iterator, Sequence

from echelon.coordination.autonomy.approving import ask_lead
from echelon.coordination.autonomy.recounting import count_exposed
from echelon.coordination.autonomy.results import PhaseResults, Undecided
from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import StageOrder
from echelon.coordination.voice.statements import said_id
from echelon.journal.digest import digest_of
from echelon.journal.failpoints import failpoint
from echelon.model.autonomy.decisions import ResultDecision
from echelon.oversight.autonomy.batches import DEFAULT_BATCH, concern_about, cut
from echelon.runlog.events import AutonomyDecided, ConcernRaised

#: Source of the concerns that are raised here.
SOURCE = "autonomy"


async def settle_autonomy(run: RunContext, order: StageOrder, output: PhaseOutput) -> PhaseOutput:
    """Decide about the results of a phase, and put on record who is asked; the same results are decided once."""
    await count_exposed(run, order.phase)
    results = PhaseResults(run, order.phase)
    known = run.log.state.autonomy.get(order.phase)
    if known is not None and known.of == results.identity:
        return output
    undecided, standings = list(results.undecided()), results.standings()
    if not undecided and not standings:
        return output
    undecided = await ask_lead(run, order, undecided)
    failpoint("autonomy.deciding")
    raised, decisions = _asked(run, order.phase, undecided)
    decided = AutonomyDecided(
        run_id=run.spec.run_id,
        at=run.now(),
        phase=order.phase,
        of=results.identity,
        proceeded=len(results.steps) - len(decisions),
        decisions=decisions,
        standings=standings,
        terms=results.terms,
    )
    await run.log.append(*raised, decided)
    failpoint("autonomy.decided")
    return output


def _asked(
    run: RunContext, phase: str, undecided: Sequence[Undecided]
) -> tuple[list[ConcernRaised], tuple[ResultDecision, ...]]:
    """Return the concerns in which a person is asked, a batch each, and the decisions with the concern of each."""
    autonomy = run.spec.job.oversight.autonomy
    raised: list[ConcernRaised] = []
    concern_of: dict[str, str] = {}
    waiting = [one for one in undecided if not (one.decision.concern or one.decision.approved_by)]
    urgent = {one.decision.task_id for one in waiting if one.urgent}
    for batch in cut([one.decision for one in waiting], autonomy.batch if autonomy else DEFAULT_BATCH):
        event = _concern(run, phase, batch, urgent=any(one.task_id in urgent for one in batch))
        concern_of.update(dict.fromkeys((one.task_id for one in batch), event.record.id))
        raised += [event] if run.once.is_new(event.record.id, run.log.state) else []
    return raised, tuple(_with_concerns(undecided, concern_of))


def _with_concerns(undecided: Sequence[Undecided], concern_of: dict[str, str]) -> Iterator[ResultDecision]:
    for one in undecided:
        concern = concern_of.get(one.decision.task_id, one.decision.concern)
        yield one.decision.model_copy(update={"concern": concern})


def _concern(run: RunContext, phase: str, batch: Sequence[ResultDecision], *, urgent: bool) -> ConcernRaised:
    concern, first = concern_about(phase, batch, urgent=urgent), batch[0]
    # By the first of them it is known where it comes from: what does not use that phase is not held.
    step = next(one for one in reversed(run.log.state.steps) if one.handoff.task_id == first.task_id)
    identity = said_id(run.spec.run_id, digest_of([(one.task_id, one.version) for one in batch]), concern)
    return run.raising.event(identity, SOURCE, concern, run.now(), step=step.key, task_id=first.task_id, phase=phase)
