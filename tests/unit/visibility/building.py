"""Runs to be reported on: plans made by the planner, steps as the journal keeps them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from echelon.model.concern import Concern, ConcernRecord, Disposition
from echelon.model.costs.measures import Measures
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.graph import TaskGraph, TaskSpec
from echelon.model.handoff import ErrorReport, Handoff, Missing, OutputReference
from echelon.model.plan import Plan
from echelon.model.run import RunRecord, RunStatus, RunView, StepKind, StepRecord
from echelon.model.status import Status
from echelon.planning.planner import plan
from echelon.runlog.alike import KnownLosses, exceptions_by_cause, missing_by_cause

AT = datetime(2026, 1, 1, tzinfo=UTC)


def plan_of(agents: int, name: str = "t") -> Plan:
    """Plan a job with so many independent tasks in domains of ten."""
    tasks = [TaskSpec(id=f"work/{name}{n}", goal="do it", phase="work", domain=f"d.{n // 10}") for n in range(agents)]
    return plan(TaskGraph(name="job", goal="Get it done", tasks=tuple(tasks)), phase_order=("work",))


def handoff(task_id: str, *, failed: bool = False) -> Handoff:
    """Make the handoff of a task that was done, or failed."""
    return Handoff(
        task_id=task_id,
        status=Status.FAILED if failed else Status.COMPLETED,
        summary="done",
        output_location=None if failed else OutputReference(location="x", sha256="0", size_bytes=1, contract="X"),
        error=ErrorReport(kind="AgentFailed", message="no", can_pass=False) if failed else None,
        producer=task_id,
        assignment_id=task_id,
    )


def steps_of(made: Plan, started: datetime, lasted: timedelta) -> tuple[StepRecord, ...]:
    """Spread the tasks of a plan over a time; the first fails, the primary integrates at the end."""
    each = lasted / max(1, len(made.tasks))

    def step(index: int, node: str, kind: StepKind, task: str) -> StepRecord:
        begun = started + each * index
        done = handoff(task, failed=index == 0)
        times = {"started": begun, "finished": begun + each}
        return StepRecord(run_id="r", key=task, phase="work", node=node, kind=kind, handoff=done, **times)

    done = [step(n, made.agent_of[task.id], StepKind.TASK, task.id) for n, task in enumerate(made.tasks)]
    return (*done, step(len(done) - 1, made.primary.id, StepKind.INTEGRATION, made.primary.id))


def run_view(
    *,
    output: Any,
    text: str = "it is odd",
    agents: int = 5,
    started: datetime = AT,
    lasted: timedelta = timedelta(seconds=9),
) -> RunView:
    """Make a run in which everything happened once, with `text` wherever somebody else's words may be."""
    made = plan_of(agents, name=text)
    concern = Concern(about=text, message=text, confidence=0.5, impact=0.9, evidence=(text, text))
    ended = Disposition(verdict="accepted", author=text, reason=text, at=started)
    record = RunRecord(
        run_id="run-1",
        job="job",
        source="flows/job.py:job",
        inputs={"path": text},
        status=RunStatus.PARTIAL,
        started=started,
        plan=made,
    )
    missing = (Missing(task_id=f"work/{text}0", producer="x", reason=text),)
    exceptions = (
        ExceptionReport(trigger=Trigger.FAILED, level=Level.CRITICAL, path=("primary", text), message=text, at=started),
    )
    return RunView(
        record=record,
        steps=steps_of(made, started, lasted),
        launched=agents + 1,
        returned=agents,
        missing=missing,
        missing_by_cause=missing_by_cause(missing, KnownLosses(errors={})),
        concerns=(
            ConcernRecord(id="c1", run_id="run-1", source="x", concern=concern, at=started, disposition=ended),
            ConcernRecord(
                id="c2", run_id="run-1", source="x", at=started, concern=concern.model_copy(update={"confidence": 0.9})
            ),
        ),
        exceptions=exceptions,
        exceptions_by_cause=exceptions_by_cause(exceptions),
        measures=MEASURES,
        output=output,
    )


MEASURES = Measures(
    seconds=75,
    agents=5,
    completed=4,
    failed=1,
    task_seconds=9,
    integration_seconds=1,
    coordination_ratio=0.125,
    first_try_rate=None,
    escalation_rate=0.2,
    integration_share=0.1,
    speedup=2.5,
    tokens=None,
    bytes_by_reference=12_345,
)
