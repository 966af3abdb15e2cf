"""At each sync point it is measured, and put on record, how far the work of its phase has drifted apart (X4)."""

from echelon.contract.version import contract_name
from echelon.coordination.briefs import assignment_for
from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import StageOrder
from echelon.coordination.sync.told import version_of_assignment, version_of_summary, versions_of_parts
from echelon.coordination.sync.waves import rhythm_of
from echelon.journal.failpoints import failpoint
from echelon.model.assignment import Assignment
from echelon.model.usage import Budget
from echelon.oversight.drift.measuring import Today, drift_of
from echelon.oversight.sync.revealing import findings_told
from echelon.oversight.sync.rhythm import waves_of, waves_told
from echelon.runlog.judging.sync_events import DriftMeasured


async def measure_drift(run: RunContext, order: StageOrder, output: PhaseOutput) -> PhaseOutput:
    """Measure the drift of a phase; what was made for an older assignment is handed on with that said (D8).

    A run that is resumed measures it anew, and says it again only where it is another one.
    """
    state = await run.log.refresh()
    drift = drift_of(state, order.phase, _today(run, order))
    if drift not in state.sync.drift:
        await run.log.append(DriftMeasured(run_id=run.spec.run_id, at=run.now(), drift=drift))
        failpoint("drift.measured")
    outdated = {one.task_id: one.changed for one in drift.outdated}
    if not outdated:
        return output
    marked = (one.model_copy(update={"outdated": outdated.get(one.task_id, ())}) for one in output.handoffs)
    return output.model_copy(update={"handoffs": tuple(marked)})


def _today(run: RunContext, order: StageOrder) -> Today:
    asked, phase = _assignments(run, order.phase), order.phase
    contracts = {task: run.contract_of(phase, task) for task in asked}
    return Today(
        assignments={task: version_of_assignment(one) for task, one in asked.items()},
        briefs=_briefs(run, order),
        parts={task: versions_of_parts(one, contracts[task]) for task, one in asked.items()},
        contracts={task: contract_name(one) for task, one in contracts.items()},
    )


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


def _assignments(run: RunContext, phase: str) -> dict[str, Assignment]:
    """Return what is asked of each task of a phase now."""
    spec = run.spec
    planned = next((one.tasks for one in spec.plan.phases if one.name == phase), ())
    found: dict[str, Assignment] = {}
    for task_id in planned:
        task, agent = spec.tasks[task_id], spec.expansion.calls[task_id].agent.name
        success = spec.criteria_of(task, agent, phase=phase).texts
        found[task_id] = assignment_for(spec.job, task, agent, (), Budget(), success)
    return found
