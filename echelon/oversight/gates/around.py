"""What holds a run back that happens inside another one: open concerns about the task that it is there (O5, X13)."""

from echelon.journal.port import Journal
from echelon.model.concern import ConcernRecord
from echelon.model.plan import Plan
from echelon.model.run import RunRecord
from echelon.oversight.gates.holding import StepAbout, concerns_holding
from echelon.runlog.state import fold


async def concerns_around(journal: Journal, record: RunRecord | None) -> tuple[ConcernRecord, ...]:
    """Return the open urgent concerns of all runs around one, about the task in which it happens, or what that uses.

    Empty for a run that is inside no other.
    """
    found: list[ConcernRecord] = []
    while record is not None and record.parent_run_id is not None:
        outer, task = record.parent_run_id, record.parent_task or ""
        state = fold(entry.event for entry in await journal.events(outer))
        if state.plan is not None:
            found += concerns_holding(state, StepAbout.of(state.plan, _phase_of(state.plan, task), task, {}))
        record = await journal.known_run(run_id=outer)
    return tuple(found)


def _phase_of(plan: Plan, task: str) -> str:
    return next((phase.name for phase in plan.phases if task in phase.tasks), "")
