"""Records as the engine writes them, with as much to say as a test needs."""

import hashlib
from datetime import UTC, datetime

from echelon.model.concern import Concern, Disposition
from echelon.model.handoff import ErrorReport, Handoff, OutputReference
from echelon.model.plan import (
    HandoffCount,
    Makespan,
    Node,
    NodeKind,
    Overhead,
    Pairs,
    PhasePlan,
    Plan,
    Profile,
    Share,
    Structure,
    SyncPoint,
)
from echelon.model.run import RunRecord, RunStatus, StepKind, StepRecord
from echelon.model.status import Status

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SHARE = Share(low=0.1, high=0.15)
PLAN = Plan(
    job="audit",
    goal="find risks",
    n_agents=1,
    structure=Structure.SINGLE,
    levels=1,
    span=8,
    tree=(Node(id="primary", kind=NodeKind.PRIMARY, parent=None),),
    tasks=(),
    phases=(PhasePlan(name="inspect", tasks=(), sync=SyncPoint(owner="primary")),),
    owners={},
    handoffs=HandoffCount(before=0, after=0, crossing=0),
    pairs=Pairs(mesh=0, structure=0),
    overhead=Overhead(band=SHARE, predicted=0.1),
    makespan=Makespan(predicted=None, critical_path=None, work=None),
    profile=Profile(
        overhead=SHARE,
        countermeasures="",
        topology="",
        fails_first="",
        integration="",
        visibility="",
        sync="",
        levels="",
        next_transition=None,
    ),
    reasons=(),
)


def run(run_id="r1", **changes):
    values = {"job": "audit", "source": "flows/audit.py:audit", "inputs": {"path": "src"}}
    return RunRecord(run_id=run_id, status=RunStatus.RUNNING, started=NOON, **(values | changes))


def key_of(name):
    return hashlib.sha256(name.encode()).hexdigest()


def step(name="inspect", status=Status.COMPLETED, run_id="r1", phase="inspect", summary="done"):
    done = status is Status.COMPLETED
    handoff = Handoff(
        task_id=name,
        status=status,
        summary=summary,
        output_location=OutputReference(location="r1/a-b.json", sha256="0" * 64, size_bytes=2, contract="dict")
        if done
        else None,
        error=None if done else ErrorReport(kind="AgentTimeout", message="too late", can_pass=True),
        producer=name,
        assignment_id=name,
    )
    return StepRecord(
        run_id=run_id,
        key=key_of(name),
        phase=phase,
        node=name,
        kind=StepKind.TASK,
        started=NOON,
        finished=NOON,
        handoff=handoff,
    )


def concern(message="two files claim the same lock"):
    return Concern(about="locks.py", message=message, confidence=0.4, impact=0.9, evidence=("locks.py:12",))


def disposition(author="mia", verdict="resolved"):
    return Disposition(verdict=verdict, author=author, reason="one of them was deleted", at=NOON)
