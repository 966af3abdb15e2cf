"""What was pushed in a run, as events of Prefect that automations act on, and as lines of its log. Pure (V1, V7)."""

import logging
from collections.abc import Iterator

from echelon.engine.picture.strokes import JOB, EmitEvent, WriteLine, id_of
from echelon.model.exception_report import ExceptionReport, Level
from echelon.model.phrasing import one_line, printable, truncate
from echelon.model.plan import NodeKind, Plan
from echelon.model.run import RunRecord
from echelon.runlog.exceptions.attention import AttentionBudget
from echelon.visibility.levels import alert_line

#: How much of a message, and of a name, an event has, in characters; and how many tasks it names.
MESSAGE_CHARACTERS, NAME_CHARACTERS, TASKS_NAMED = 1_000, 200, 50

_LEVELS = {Level.WARNING: logging.WARNING, Level.CRITICAL: logging.CRITICAL}


class PictureAlerts:
    """Makes one event of each alert; what is informal only is in the journal."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._job = ""
        self._plan: Plan | None = None
        self._attention: AttentionBudget | None = None
        self._pushed = 0

    def begin(self, record: RunRecord) -> None:
        """Take the run, and its plan."""
        self._job, self._plan = record.job, record.plan
        self._attention = AttentionBudget(record.plan, record.started) if record.plan else None

    def follow(self, plan: Plan) -> None:
        """Go by a plan that has grown."""
        self._plan = plan
        if self._attention is not None:
            self._attention.follow(plan)

    def events_of(self, report: ExceptionReport) -> Iterator[EmitEvent]:
        """Yield the event that an alert is: about its task, else about its phase or the run."""
        self._pushed += 1
        if report.level is Level.INFO:
            return
        kind, subject = self._subject(report)
        yield EmitEvent(
            id=id_of(self._run_id, f"exception {self._pushed} {report.at.isoformat()}"),
            name=f"echelon.exception.{report.trigger.value}",
            resource=_resource(kind, f"{self._run_id}.{subject}" if kind != "run" else self._run_id),
            title=_safe(subject or self._run_id),
            labels={"echelon.level": report.level.value, "echelon.trigger": report.trigger.value},
            job=_safe(self._job),
            run=_resource("run", self._run_id),
            payload={
                "run_id": self._run_id,
                "job": _safe(self._job),
                "level": report.level.value,
                "trigger": report.trigger.value,
                "message": truncate(printable(report.message), MESSAGE_CHARACTERS),
                "path": [_safe(node) for node in report.path],
                "tasks": [_safe(task) for task in report.tasks[:TASKS_NAMED]],
                "tasks_in_all": len(report.tasks),
                "command": f"echelon exceptions {self._run_id}",
            },
            at=report.at,
        )

    def lines_of(self, report: ExceptionReport) -> Iterator[WriteLine]:
        """Yield the line of the log of the run, within the attention of people; behind that, that there are more."""
        budget = self._attention
        if budget is None or report.level is Level.INFO:
            return
        if budget.admit(report):
            said, level = alert_line(report), _LEVELS[report.level]
        elif budget.is_first_grouped(report):
            more = f"more alerts of level {budget.level_of(report)} are counted: echelon exceptions {self._run_id}"
            said, level = more, logging.WARNING
        else:
            return
        yield WriteLine(flow_key=JOB, task_id=None, source="echelon", level=level, message=said, at=report.at)

    def _subject(self, report: ExceptionReport) -> tuple[str, str]:
        """Return what an event is about: a task, a phase, or else the run."""
        if len(report.tasks) == 1:
            return "task", report.tasks[0]
        node = self._plan.nodes.get(report.path[-1]) if self._plan and report.path else None
        if node is not None and node.kind is NodeKind.AGENT and len(node.members) == 1:
            return "task", node.members[0]
        phase = report.about.removeprefix("phase ") if report.about.startswith("phase ") else ""
        return ("phase", phase) if phase else ("run", "")


def _resource(kind: str, name: str) -> str:
    return f"echelon.{kind}.{_safe(name)}"


def _safe(text: str) -> str:
    return truncate(printable(one_line(text)), NAME_CHARACTERS)
