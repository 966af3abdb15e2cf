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


#: What a document has of the view, under the same names.
_AS_THEY_ARE = (
    "output",
    "stand_ins",
    "unverified",
    "unchecked",
    "lost_outputs",
    "launched",
    "returned",
    "missing",
    "missing_by_cause",
    *JudgedWork.model_fields,
    "items",
    "concerns",
    "proposals",
    "gates",
    "blocked",
    "measures",
    "account",
    "graded",
    "exceptions",
    "visibility",
    "incidents",
    "breakers",
    "plan_changes",
    "skipped",
    "repeated",
    "waits",
    "retries",
    "retrospective",
    "rest",
    "waiting",
    "at_work",
    "phases",
    "extensions",
)

#: What it has of the record of the run.
_OF_RECORD = ("report", "job", "source", "inputs", "parent_run_id", "parent_task", "started", "finished")


def document_of(view: RunView) -> JsonObject:
    """Return everything that is known about a run, by the names that machines may rely on."""
    record = view.record
    return {
        "run_id": record.run_id,
        "status": record.status,
        **{name: getattr(view, name) for name in _AS_THEY_ARE},
        "notifications": [notice_document(one) for one in view.notifications],
        "statistics": statistics_of(view),
        "agents": [trace.document for trace in traces_of(view)],
        **{name: getattr(record, name) for name in _OF_RECORD},
        "exit_code": exit_code_of(record.status, view.exceptions),
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
