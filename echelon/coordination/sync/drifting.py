"""At each sync point it is measured, and put on record, how far the work of its phase has drifted apart (X4)."""

from echelon.coordination.briefs import assignment_for
from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import StageOrder
from echelon.coordination.sync.told import version_of_assignment, version_of_summary
from echelon.coordination.sync.waves import rhythm_of
from echelon.journal.failpoints import failpoint
from echelon.model.usage import Budget
from echelon.oversight.drift.measuring import Today, drift_of
from echelon.oversight.sync.revealing import findings_told
from echelon.oversight.sync.rhythm import waves_of, waves_told
from echelon.runlog.judging.sync_events import DriftMeasured


async def measure_drift(run: RunContext, order: StageOrder, output: PhaseOutput) -> PhaseOutput:
    """Measure the drift of a phase; what it hands on stays as it is.

    A run that is resumed measures it anew, and says it again only where it is another one.
    """
    state = await run.log.refresh()
    drift = drift_of(state, order.phase, Today(_assignments(run, order.phase), _briefs(run, order)))
    if drift not in state.sync.drift:
        await run.log.append(DriftMeasured(run_id=run.spec.run_id, at=run.now(), drift=drift))
        failpoint("drift.measured")
    return output


def _briefs(run: RunContext, order: StageOrder) -> dict[str, str]:
    """Return the version of what whoever does each task of a phase is told now; the last wave of it tells nobody."""
    sync, seen = run.spec.job.phases[order.phase].sync, run.log.state.sync
    if sync is None:
        return dict.fromkeys(order.tasks, version_of_summary(order.summary))
    rhythms = {task: rhythm_of(run, sync, task) for task in order.tasks}
    told = {
        domain: findings_told(order.summary, waves_told(waves_of(seen, order.phase, order.round, domain)))
        for domain in dict.fromkeys(rhythms.values())
    }
    return {task: version_of_summary(told[domain]) for task, domain in rhythms.items()}


def _assignments(run: RunContext, phase: str) -> dict[str, str]:
    """Return the version of what is asked of each task of a phase now."""
    spec = run.spec
    planned = next((one.tasks for one in spec.plan.phases if one.name == phase), ())
    found: dict[str, str] = {}
    for task_id in planned:
        task, agent = spec.tasks[task_id], spec.expansion.calls[task_id].agent.name
        success = spec.criteria_of(task, agent, phase=phase).texts
        found[task_id] = version_of_assignment(assignment_for(spec.job, task, agent, (), Budget(), success))
    return found
