"""Observation made by hand for the tests of the checklist: plans of the planner, definitions and runs as told."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from echelon.model.concern import Concern, ConcernRecord, Disposition
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.graph import TaskGraph, TaskSpec
from echelon.model.handoff import Handoff
from echelon.model.oversight.gate import GateRecord
from echelon.model.plan import Plan
from echelon.model.policy import DEFAULT_RESILIENCE
from echelon.model.run import RunRecord, RunStatus, RunView, StepKind, StepRecord
from echelon.planning.planner import plan
from echelon.runlog.costs.measures import measure
from echelon.runlog.losses import is_lost, missing_of
from echelon.visibility.checklist.answers import ChecklistItem
from echelon.visibility.checklist.evidence import AgentKind, CallFacts, JobEvidence, PhaseFacts
from echelon.visibility.checklist.items import checklist
from tests.unit.visibility.building import AT, handoff

HOUR = timedelta(hours=1)


def tasks(count: int, **fields: Any) -> tuple[TaskSpec, ...]:
    """Make so many tasks of one phase, in domains of ten."""
    return tuple(
        TaskSpec(id=f"work/t{n}", goal="do", **({"phase": "work", "domain": f"d{n // 10}"} | fields))
        for n in range(count)
    )


def planned(specs: Sequence[TaskSpec], **fields: Any) -> Plan:
    """Plan tasks, each with an agent of its own."""
    return plan(TaskGraph(name="job", goal="Get it done", tasks=tuple(specs), **fields), agents_fixed=True)


def a_call(name: str = "worker", **fields: Any) -> CallFacts:
    """State an agent, or an integrator."""
    return CallFacts(
        **({"name": name, "kind": AgentKind.FUNCTION, "contract": "Out", "policy": DEFAULT_RESILIENCE} | fields)
    )


def a_phase(name: str = "work", **fields: Any) -> PhaseFacts:
    """State a phase."""
    return PhaseFacts(**({"name": name, "agents": (a_call(),)} | fields))


STAGED = a_phase(merger=a_call("merge"), combiner=a_call("join"))


def step(
    task: str, made: Plan | None = None, *, failed: bool = False, kind: StepKind = StepKind.TASK, **told: Any
) -> StepRecord:
    """Put a step on record; `told` are fields of the handoff."""
    node = made.agent_of.get(task, task) if made else task
    done: Handoff = handoff(task, failed=failed).model_copy(update=told)
    return StepRecord(
        run_id="r", key=task, phase="work", node=node, kind=kind, started=AT, finished=AT + HOUR, handoff=done
    )


def concern(confidence: float, impact: float, *, author: str = "") -> ConcernRecord:
    """Raise a concern, ended by `author` if there is one."""
    end = Disposition(verdict="accepted", author=author, reason="known", at=AT) if author else None
    raised = Concern(about="a.py", message="odd", confidence=confidence, impact=impact)
    return ConcernRecord(id="c1", run_id="r", source="x", concern=raised, at=AT, disposition=end)


def exception(trigger: Trigger = Trigger.FAILED) -> ExceptionReport:
    """Push a report."""
    return ExceptionReport(trigger=trigger, level=Level.WARNING, path=("primary", "x"), message="it broke", at=AT)


def a_run(
    steps: Sequence[StepRecord] = (),
    *,
    made: Plan | None = None,
    status: RunStatus = RunStatus.COMPLETED,
    concerns: Sequence[ConcernRecord] = (),
    exceptions: Sequence[ExceptionReport] = (),
    gates: Sequence[GateRecord] = (),
    **measured: Any,
) -> RunView:
    """Record a run; `measured` overrides what follows from its steps."""
    record = RunRecord(run_id="r", job="job", source="s", inputs={}, status=status, started=AT, plan=made)
    missing = tuple(missing_of(step.handoff) for step in steps if is_lost(step.handoff))
    return RunView(
        record=record,
        steps=tuple(steps),
        launched=len(steps),
        returned=len(steps) - len(missing),
        missing=missing,
        concerns=tuple(concerns),
        exceptions=tuple(exceptions),
        gates=tuple(gates),
        measures=measure(steps, 10.0).model_copy(update=measured),
    )


def ran(made: Plan, *, failing: int = 0, integrators: Sequence[str] = ("primary",), **told: Any) -> RunView:
    """Record a run of a whole plan in which the first tasks failed, integrated by some of its nodes."""
    done = [step(task.id, made, failed=n < failing) for n, task in enumerate(made.tasks)]
    done += [
        step(f"work/merge/{node}", kind=StepKind.INTEGRATION).model_copy(update={"node": node}) for node in integrators
    ]
    status = RunStatus.PARTIAL if failing else RunStatus.COMPLETED
    return a_run(done, made=made, **({"status": status} | told))


def evidence(made: Plan | None = None, *phases: PhaseFacts, runs: Sequence[RunView] = (), **told: Any) -> JobEvidence:
    """Put evidence together; without a plan, of three tasks."""
    return JobEvidence(plan=made or planned(tasks(3)), phases=phases, runs=tuple(runs), **told)


def item(found: JobEvidence, item_id: str) -> ChecklistItem:
    """Answer one item."""
    return next(one for one in checklist(found) if one.id == item_id)
