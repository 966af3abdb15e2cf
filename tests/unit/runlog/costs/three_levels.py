"""The log of a run with three levels, with figures that can be worked out by hand; seconds count from its start.

A primary, a domain lead and four agents. Phase `look`: a1 and a2 work, a1 is verified, the lead merges, the primary
combines. Phase `report`: a3 waits for a person; a4 is cut off with its process, and begun again by the next one.
"""

from datetime import timedelta
from typing import Any

from echelon.model.graph import TaskSpec
from echelon.model.handoff import ErrorReport, OutputReference, Passed, UsedDependency
from echelon.model.plan import Node, NodeKind, PhasePlan, Plan, SyncPoint
from echelon.model.run import RunStatus, StepKind, StepRecord
from echelon.model.usage import Usage
from echelon.runlog import events as happened
from echelon.runlog.events import RunEvent
from echelon.testing.run_events import NOON, gate, gate_answer, run_record, small_plan, step_record

AGENTS = ("a1", "a2", "a3", "a4")
LEAD = "domain:api"
TASKS = {"look/a1": "a1", "look/a2": "a2", "report/a3": "a3", "report/a4": "a4"}
MERGE, COMBINE = f"look/merge/{LEAD}", "look/combine/primary"


def at(seconds: float) -> Any:
    return NOON + timedelta(seconds=seconds)


def plan() -> Plan:
    """Return the plan: primary, one domain lead, four agents below."""
    agents = tuple(
        Node(id=node, kind=NodeKind.AGENT, parent=LEAD, members=(task,), domain="api") for task, node in TASKS.items()
    )
    tree = (
        Node(id="primary", kind=NodeKind.PRIMARY, parent=None, members=(LEAD,)),
        Node(id=LEAD, kind=NodeKind.DOMAIN, parent="primary", members=AGENTS, domain="api"),
        *agents,
    )
    phases = tuple(
        PhasePlan(
            name=name, tasks=tuple(task for task in TASKS if task.startswith(name)), sync=SyncPoint(owner="primary")
        )
        for name in ("look", "report")
    )
    tasks = tuple(
        TaskSpec(id=task, goal="g", domain="api", phase=task[:-3], needs=("look",) if task.startswith("rep") else ())
        for task in TASKS
    )
    return small_plan().model_copy(update={"tree": tree, "phases": phases, "tasks": tasks, "n_agents": 4})


def step(
    task: str,
    node: str,
    began: float,
    ended: float,
    *used: str,
    kind: StepKind = StepKind.TASK,
    tokens: tuple[int, int] | None = None,
    cost: float | None = None,
    **changes: Any,
) -> StepRecord:
    """Return a step that was at work between two seconds, and used the outputs of others."""
    record = step_record(task, phase=task.partition("/")[0], kind=kind)
    read, written = tokens or (None, None)
    output = OutputReference(location="l", sha256=f"v-{task}", size_bytes=80, contract="c")
    fields = {
        "usage": Usage(tokens_in=read, tokens_out=written, calls=1, seconds=ended - began, cost=cost),
        "dependencies": tuple(UsedDependency(task_id=one, version=f"v-{one}") for one in used),
        "output_location": output,
    }
    return record.model_copy(
        update={
            "node": node,
            "key": task,
            "started": at(began),
            "finished": at(ended),
            "worker": "model" if tokens else "function",
            "model": "gpt-5" if tokens else None,
            "handoff": record.handoff.model_copy(update={**fields, **changes}),
        }
    )


def ended(record: StepRecord) -> RunEvent:
    return happened.StepEnded(run_id="r1", at=record.finished, record=record)


def base(seconds: float, task: str = "") -> dict[str, Any]:
    return {"run_id": "r1", "at": at(seconds)} | ({"key": task, "task_id": task} if task else {})


def log() -> list[RunEvent]:
    """Return what happened, in order."""
    error = ErrorReport(kind="NotAccepted", message="no line is named", can_pass=True)
    of_a3 = gate(task="report/a3", key="report/a3", node="a3", at=at(23)).model_dump()
    of_a3["action"]["phase"] = "report"
    begun = happened.StepStarted(**base(34, "report/a4"), phase="report", node="a4", step=StepKind.TASK)
    return [
        happened.RunStarted(**base(0), record=run_record("r1", plan=plan())),
        happened.PhaseStarted(**base(1), phase="look", expected=2),
        happened.Waited(**base(3, "look/a1"), limiter="slots", seconds=2, queue_length=1),
        happened.AttemptFailed(
            **base(7, "look/a1"), attempt=1, error=error, seconds=4, usage=Usage(tokens_in=280, tokens_out=20)
        ),
        ended(step("look/a2", "a2", 2, 10)),
        ended(
            step(
                "look/a1",
                "a1",
                3,
                13,
                tokens=(900, 100),
                cost=2.0,
                attempts=2,
                received=Passed(bytes_by_value=400),  # 100 tokens
            )
        ),
        ended(
            step("look/a1/verify/judge", "primary", 14, 16, "look/a1", kind=StepKind.CHECK, tokens=(150, 50), cost=0.5)
        ),
        ended(step(MERGE, LEAD, 17, 20, "look/a1", "look/a2", kind=StepKind.INTEGRATION, tokens=(300, 100))),
        ended(step(COMBINE, "primary", 20, 21, MERGE, kind=StepKind.INTEGRATION)),
        happened.PhaseEnded(**base(22), phase="look"),
        happened.PhaseStarted(**base(22.5), phase="report", expected=2),
        happened.GateRaised(**base(23), record=type(gate()).model_validate(of_a3)),
        happened.GateAnswered(**base(33), gate_id="g-1", answer=gate_answer(at=at(33))),
        begun,
        ended(step("report/a3", "a3", 34, 39, COMBINE, tokens=(80, 20))),
        happened.RunTaken(**base(50), token=2, host="here", pid=8, idle_since=at(40)),
        happened.PhaseStarted(**base(51), phase="report", expected=2),
        ended(step("report/a4", "a4", 52, 55, COMBINE, tokens=(40, 10))),
        happened.PhaseEnded(**base(56), phase="report"),
        happened.RunEnded(**base(58), status=RunStatus.COMPLETED, finished=at(58)),
    ]
