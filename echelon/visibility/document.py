"""A run as one JSON document: what `echelon run`, `resume` and `show` print for machines."""

import difflib
from collections.abc import Sequence

from echelon.model.adapter import JsonObject
from echelon.model.errors import InvalidInput
from echelon.model.run import RunRecord, RunView, StepRecord, exit_code_of
from echelon.model.views.judged import JudgedWork
from echelon.visibility.comparison import compare
from echelon.visibility.notices import notice_document
from echelon.visibility.statistics import statistics_of
from echelon.visibility.traces.trace import traces_of

#: Agents named when a name may mean several.
MAX_NAMED = 5


def document_of(view: RunView) -> JsonObject:
    """Return everything that is known about a run, by the names that machines may rely on."""
    record = view.record
    return {
        "run_id": record.run_id,
        "status": record.status,
        "output": view.output,
        "stand_ins": view.stand_ins,
        "unverified": view.unverified,
        "unchecked": view.unchecked,
        "lost_outputs": view.lost_outputs,
        "launched": view.launched,
        "returned": view.returned,
        "missing": view.missing,
        "missing_by_cause": view.missing_by_cause,
        **{name: getattr(view, name) for name in JudgedWork.model_fields},
        "items": view.items,
        "concerns": view.concerns,
        "proposals": view.proposals,
        "gates": view.gates,
        "notifications": [notice_document(one) for one in view.notifications],
        "blocked": view.blocked,
        "measures": view.measures,
        "account": view.account,
        "graded": view.graded,
        "exceptions": view.exceptions,
        "visibility": view.visibility,
        "statistics": statistics_of(view),
        "incidents": view.incidents,
        "breakers": view.breakers,
        "plan_changes": view.plan_changes,
        "skipped": view.skipped,
        "repeated": view.repeated,
        "waits": view.waits,
        "retries": view.retries,
        "retrospective": view.retrospective,
        "rest": view.rest,
        "waiting": view.waiting,
        "at_work": view.at_work,
        "agents": [trace.document for trace in traces_of(view)],
        "report": record.report,
        "job": record.job,
        "source": record.source,
        "inputs": record.inputs,
        "parent_run_id": record.parent_run_id,
        "parent_task": record.parent_task,
        "started": record.started,
        "finished": record.finished,
        "exit_code": exit_code_of(record.status, view.exceptions),
        "phases": view.phases,
        "extensions": view.extensions,
        "forecast": compare(record.plan, view.measures) if record.plan else (),
        "plan": record.plan,
    }


def steps_of(agent: str, view: RunView) -> tuple[StepRecord, ...]:
    """Return the records of one agent or coordinator, by its task, its node or the end of its name.

    Raise `InvalidInput` when nobody, or more than one, is meant, and for an agent that has not ended anything.
    """
    meant = _meant(agent, view.record, view.steps)
    found = tuple(step for step in view.steps if meant in _names(step))
    if not found:
        raise InvalidInput(
            f"{agent!r} has not finished anything in run {view.record.run_id!r}: {_why_none(meant, view)}"
        )
    return found


def _why_none(name: str, view: RunView) -> str:
    """Say why nothing of an agent is on record."""
    if stopped := view.sync.stopped.get(name):
        return f"it was not begun, since {stopped}"
    reasons = (lost.reason for lost in view.missing if name in (lost.task_id, lost.producer))
    return next(reasons, "not begun")


def task_of(agent: str, record: RunRecord, steps: Sequence[StepRecord]) -> str:
    """Return the task of one agent or coordinator of a run, by the same names, whether it has ended or not."""
    meant = _meant(agent, record, steps)
    tasks = [step.handoff.task_id for step in steps if meant in _names(step)]
    return tasks[-1] if tasks else meant


def _meant(agent: str, record: RunRecord, steps: Sequence[StepRecord]) -> str:
    tasks = [task.id for task in record.plan.tasks] if record.plan else []
    names = sorted({*(name for step in steps for name in _names(step)), *tasks})
    meant = [agent] if agent in names else [name for name in names if name.endswith(f"/{agent}")]
    if len(meant) == 1:
        return meant[0]
    where = f"run {record.run_id!r}"
    if meant:
        candidates = ", ".join(meant[:MAX_NAMED])
        raise InvalidInput(f"{agent!r} may mean several agents of {where}: {candidates}; give the whole name")
    close = difflib.get_close_matches(agent, names, n=3, cutoff=0.4)
    hint = f"perhaps {', '.join(close)}" if close else f"`echelon plan` and `echelon show {record.run_id}` name them"
    raise InvalidInput(f"{where} has no agent {agent!r}; {hint}")


def _names(step: StepRecord) -> set[str]:
    """Return the names an agent or a coordinator goes by; many tasks may share the name of one agent function."""
    return {step.node, step.handoff.task_id}
