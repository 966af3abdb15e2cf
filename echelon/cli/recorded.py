"""A run as the journal has it: everything known about it, whether it ended, is at work or died."""

import difflib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from echelon.coordination.delivery import missing_of
from echelon.journal.journal import Journal
from echelon.journal.outputs import OutputStore
from echelon.model.errors import InvalidInput, JournalError
from echelon.model.handoff import Missing
from echelon.model.plan import PhasePlan, Plan
from echelon.model.run import EXIT_CODES, RunView, StepKind, StepRecord
from echelon.model.session import pauses, seconds_without
from echelon.runlog.incidents import incidents_of
from echelon.runlog.measures import measure
from echelon.visibility.comparison import compare


async def recorded_run(journal: Journal, outputs: OutputStore, run_id: str) -> RunView:
    """Return what is known about a run, by its id or the beginning of it; `InvalidInput` unless that is one run."""
    record = await journal.run(run_id)
    steps = await journal.steps(record.run_id)
    latest = latest_of(steps)
    ended = record.finished or datetime.now(UTC)
    idle = pauses(await journal.sessions(record.run_id), [step.finished for step in steps])
    return RunView(
        record=record,
        steps=steps,
        missing=lacking(latest, record.plan),
        concerns=await journal.concerns(record.run_id),
        exceptions=await journal.exceptions(record.run_id),
        measures=measure(steps, seconds_without(record.started, ended, idle), idle),
        output=_output(latest, record.plan, outputs),
    )


def latest_of(steps: Sequence[StepRecord]) -> tuple[StepRecord, ...]:
    """Return the last record of each step, in the order the steps first ended."""
    return tuple({(step.kind, step.phase, step.handoff.task_id): step for step in steps}.values())


def lacking(latest: Sequence[StepRecord], plan: Plan | None) -> tuple[Missing, ...]:
    """Return what was tried without success, with what stands in for it, then what was never begun."""
    tried = [missing_of(step.handoff) for step in latest if not step.handoff.done or step.handoff.falls_short]
    begun = {step.handoff.task_id for step in latest}
    planned = [task.id for task in plan.tasks if task.id not in begun] if plan else []
    owners = plan.agent_of if plan else {}
    waiting = [Missing(task_id=one, producer=owners.get(one, one), reason="not begun") for one in planned]
    return (*tried, *waiting)


def steps_of(agent: str, view: RunView) -> tuple[StepRecord, ...]:
    """Return the records of one agent or coordinator, by its task, its node or the end of its name.

    Raise `InvalidInput` when nobody, or more than one, is meant.
    """
    names = sorted({name for step in view.steps for name in _names(step)})
    tasks = [task.id for task in view.record.plan.tasks] if view.record.plan else []
    meant = [agent] if agent in names else [name for name in names if name.endswith(f"/{agent}")]
    if len(meant) == 1:
        return tuple(step for step in view.steps if meant[0] in _names(step))
    where = f"run {view.record.run_id!r}"
    if meant:
        raise InvalidInput(f"{agent!r} may mean several agents of {where}: {', '.join(meant[:5])}; give the whole name")
    if agent in tasks:
        raise InvalidInput(f"{agent!r} has not ended anything in {where} yet; look again when it has")
    close = difflib.get_close_matches(agent, [*names, *tasks], n=3, cutoff=0.4)
    hint = (
        f"perhaps {', '.join(close)}" if close else f"`echelon plan` and `echelon show {view.record.run_id}` name them"
    )
    raise InvalidInput(f"{where} has no agent {agent!r}; {hint}")


def phase_rows(view: RunView) -> list[dict[str, Any]]:
    """Return each phase of the plan with what was done in it, and the seconds it took."""
    latest = latest_of(view.steps)
    return [_phase_row(phase, latest) for phase in (view.record.plan.phases if view.record.plan else ())]


def document_of(view: RunView) -> dict[str, object]:
    """Return the keys of `echelon run`, and what only the journal knows."""
    record = view.record
    return {
        "run_id": record.run_id,
        "status": record.status,
        "output": view.output,
        "missing": view.missing,
        "concerns": view.concerns,
        "measures": view.measures,
        "exceptions": view.exceptions,
        "incidents": incidents_of(view.steps, record.plan),
        "report": record.report,
        "job": record.job,
        "source": record.source,
        "inputs": record.inputs,
        "started": record.started,
        "finished": record.finished,
        "exit_code": EXIT_CODES[record.status],
        "phases": phase_rows(view),
        "forecast": compare(record.plan, view.measures) if record.plan else (),
        "plan": record.plan,
    }


def _phase_row(phase: PhasePlan, latest: Sequence[StepRecord]) -> dict[str, Any]:
    steps = [step for step in latest if step.phase == phase.name]
    tasks = [step for step in steps if step.kind is StepKind.TASK]
    done = sum(step.handoff.done for step in tasks)
    span = max(s.finished for s in steps) - min(s.started for s in steps) if steps else None
    return {
        "name": phase.name,
        "planned": len(phase.tasks),
        "completed": done,
        "failed": len(tasks) - done,
        "seconds": span.total_seconds() if span else None,
    }


def _names(step: StepRecord) -> set[str]:
    """Return the names an agent or a coordinator goes by; many tasks may share the name of one agent function."""
    return {step.node, step.handoff.task_id}


def _output(latest: Sequence[StepRecord], plan: Plan | None, outputs: OutputStore) -> Any:
    """Return the output of the last phase: that of the last integration, of the only task, or task → output."""
    if plan is None or not plan.phases:
        return None
    last = plan.phases[-1]
    done = [step for step in latest if step.phase == last.name and step.handoff.done]
    integrated = [step for step in done if step.kind is StepKind.INTEGRATION]
    lost = [s for s in latest if s.node == last.sync.owner and s.phase == last.name and s.kind is StepKind.INTEGRATION]
    if lost and not any(step.handoff.done for step in lost):
        # The integration of everything failed: its parts were passed on as they are (F7).
        parts = {used.task_id for step in lost for used in step.handoff.dependencies}
        return {s.handoff.task_id: read_output(s, outputs) for s in done if s.handoff.task_id in parts} or None
    if integrated:
        return read_output(max(integrated, key=lambda step: step.finished), outputs)
    tasks = [step for step in done if step.kind is StepKind.TASK]
    if len(last.tasks) == 1:
        return read_output(tasks[0], outputs) if tasks else None
    return {step.handoff.task_id: read_output(step, outputs) for step in tasks} or None


def read_output(step: StepRecord, outputs: OutputStore) -> Any:
    """Return the output of a step as JSON; None when it has none or when it cannot be read any more."""
    if step.handoff.output_location is None:
        return None
    try:
        return outputs.get(step.handoff.output_location, object)
    except JournalError:
        return None
