"""Events of a run with as much to say as a test needs: for tests of journals, of folds and of views.

await journal.append(run_started("r1"))
await journal.append(step_ended("inspect", Status.FAILED))
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from echelon.model.breaker_news import BreakerNews, Turn
from echelon.model.concern import Concern, ConcernRecord, Disposition
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.graph import TaskSpec
from echelon.model.handoff import ErrorReport, Handoff, OutputReference, UsedDependency
from echelon.model.organisation import PlanChange
from echelon.model.oversight.channel import Notify
from echelon.model.oversight.gate import Action, GateAnswer, GateRecord
from echelon.model.oversight.notification import IssuedToken, Notification
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
from echelon.model.quota.window import QuotaWindow
from echelon.model.run import Conversation, RunRecord, RunStatus, StepKind, StepRecord
from echelon.model.session import EffectIntent
from echelon.model.status import Status
from echelon.model.voice.proposals import ProposalDecision, ProposalRecord
from echelon.model.voice.said import Proposal
from echelon.runlog import events as happened
from echelon.runlog.events import RunEvent
from echelon.testing.judging_events import of_judging
from echelon.testing.noon import NOON

_SHARE = Share(low=0.1, high=0.15)


def small_plan(tasks: Sequence[str] = (), *, phase: str = "inspect", goal: str = "find risks") -> Plan:
    """Return a plan with one phase, in which an agent each does a task."""
    agents = tuple(Node(id=f"agent-{task}", kind=NodeKind.AGENT, parent="primary", members=(task,)) for task in tasks)
    primary = Node(id="primary", kind=NodeKind.PRIMARY, parent=None, members=tuple(node.id for node in agents))
    return Plan(
        job="audit",
        goal=goal,
        n_agents=max(1, len(tasks)),
        structure=Structure.SINGLE,
        levels=1,
        span=8,
        tree=(primary, *agents),
        tasks=tuple(TaskSpec(id=task, goal="look at it") for task in tasks),
        phases=(PhasePlan(name=phase, tasks=tuple(tasks), sync=SyncPoint(owner="primary")),),
        owners={},
        handoffs=HandoffCount(before=0, after=0, crossing=0),
        pairs=Pairs(mesh=0, structure=0),
        overhead=Overhead(band=_SHARE, predicted=0.1),
        makespan=Makespan(predicted=None, critical_path=None, work=None),
        profile=Profile(
            overhead=_SHARE,
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


def run_record(run_id: str = "r1", **changes: Any) -> RunRecord:
    """Return a run that has just begun."""
    values: dict[str, Any] = {"job": "audit", "source": "flows/audit.py:audit", "inputs": {"path": "src"}}
    return RunRecord(run_id=run_id, status=RunStatus.RUNNING, started=NOON, **(values | changes))


def key_of(task: str) -> str:
    """Return the key of the step that does a task here."""
    return hashlib.sha256(task.encode()).hexdigest()


def step_record(
    task: str = "inspect",
    status: Status = Status.COMPLETED,
    run_id: str = "r1",
    phase: str = "inspect",
    summary: str = "done",
    kind: StepKind = StepKind.TASK,
    basis: str = "",
) -> StepRecord:
    """Return a step that ended, with an output or an error as its status wants."""
    done = status is Status.COMPLETED
    output = OutputReference(location="r1/a-b.json", sha256="0" * 64, size_bytes=2, contract="dict")
    error = ErrorReport(kind="AgentTimeout", message="too late", can_pass=True)
    handoff = Handoff(
        task_id=task,
        status=status,
        summary=summary,
        output_location=output if done else None,
        error=None if done else error,
        producer=task,
        assignment_id=task,
    )
    return StepRecord(
        run_id=run_id,
        key=key_of(task),
        phase=phase,
        node=task,
        kind=kind,
        started=NOON,
        finished=NOON,
        handoff=handoff,
        basis=basis,
    )


def concern(message: str = "two files claim the same lock") -> Concern:
    """Return a concern that a person must look at."""
    return Concern(about="locks.py", message=message, confidence=0.4, impact=0.9, evidence=("locks.py:12",))


def disposition(author: str = "mia", verdict: Any = "resolved", **changes: Any) -> Disposition:
    """Return the end of a concern."""
    values: dict[str, Any] = {"reason": "one of them was deleted", "looked_at": ("locks.py",), "at": NOON}
    return Disposition(verdict=verdict, author=author, **(values | changes))


def exception_report(message: str = "too late") -> ExceptionReport:
    """Return something that is pushed upwards."""
    return ExceptionReport(
        trigger=Trigger.LATE, level=Level.INFO, path=("primary", "inspect"), message=message, at=NOON
    )


def effect_intent(task: str = "pay", attempt: int = 1, run_id: str = "r1", **changes: Any) -> EffectIntent:
    """Return what an agent is about to do that cannot be undone."""
    values: dict[str, Any] = {"effect": "irreversible", "idempotency_key": "abc", "token": 0, "at": NOON}
    return EffectIntent(run_id=run_id, key=key_of(task), task_id=task, attempt=attempt, **(values | changes))


def gate(gate_id: str = "g-1", run_id: str = "r1", task: str = "inspect", **changes: Any) -> GateRecord:
    """Return a gate that waits for an answer."""
    action = Action(agent="pay", task_id=task, phase="inspect", effect="irreversible", arguments={"amount": 82_000})
    values: dict[str, Any] = {"key": key_of(task), "node": task, "digest": "d", "nonce": "n", "at": NOON}
    values["action"] = action
    return GateRecord(id=gate_id, run_id=run_id, **(values | changes))


def notification(subject_id: str = "g-1", **changes: Any) -> Notification:
    """Return that somebody is to be told of that gate."""
    values: dict[str, Any] = {"id": "n-1", "topic": "gate", "channel": Notify.command(["page"]), "at": NOON}
    return Notification(subject_id=subject_id, **(values | changes))


def gate_answer(verdict: Any = "approve", author: str = "mia", **changes: Any) -> GateAnswer:
    """Return an answer to that gate."""
    values: dict[str, Any] = {"reason": "seen", "at": NOON, "digest": "d", "nonce": "n"}
    return GateAnswer(verdict=verdict, author=author, **(values | changes))


# Events ----------------------------------------------------------------------------------------------------------


def run_started(run_id: str = "r1", **changes: Any) -> happened.RunStarted:
    """Return the beginning of a run; `changes` are fields of its record."""
    return happened.RunStarted(run_id=run_id, at=NOON, record=run_record(run_id, **changes))


def run_ended(
    run_id: str = "r1", status: RunStatus = RunStatus.COMPLETED, at: datetime | None = NOON, report: str | None = None
) -> happened.RunEnded:
    """Return the end of a run."""
    return happened.RunEnded(run_id=run_id, at=at or NOON, status=status, finished=at, report=report)


def run_reopened(run_id: str = "r1", before: RunStatus = RunStatus.FAILED) -> happened.RunReopened:
    """Return what says that a run is at work again."""
    return happened.RunReopened(run_id=run_id, at=NOON, before=before, finished=NOON)


def plan_extended(plan: Plan, run_id: str = "r1") -> happened.PlanExtended:
    """Return a change of the plan of a run."""
    return happened.PlanExtended(run_id=run_id, at=NOON, plan=plan, reason="a phase found its items")


def plan_change(**changes: Any) -> PlanChange:
    """Return a change of the structure that a run proposes."""
    values: dict[str, Any] = {
        "signal": "waiting",
        "measured": 0.4,
        "coordinator": "primary",
        "after": "inspect",
        "change": "add_level",
        "reason": "agents waited 40 % of their time",
    }
    return PlanChange(**(values | changes))


def step_started(task: str = "inspect", run_id: str = "r1", phase: str = "inspect") -> happened.StepStarted:
    """Return the beginning of a step."""
    return happened.StepStarted(
        run_id=run_id, at=NOON, key=key_of(task), task_id=task, phase=phase, node=task, step=StepKind.TASK
    )


def step_ended(
    task: str = "inspect",
    status: Status = Status.COMPLETED,
    run_id: str = "r1",
    phase: str = "inspect",
    summary: str = "done",
    basis: str = "",
) -> happened.StepEnded:
    """Return the end of a step."""
    record = step_record(task, status, run_id, phase, summary, basis=basis)
    return happened.StepEnded(run_id=run_id, at=NOON, record=record)


def model_asked(task: str = "inspect", run_id: str = "r1", **changes: Any) -> happened.ModelAsked:
    """Return that a model was asked for a task; `changes` are fields of the conversation."""
    kept = OutputReference(
        location=f"{run_id}/a-c.transcript.json", sha256="0" * 64, size_bytes=2, contract="Transcript@1"
    )
    values: dict[str, Any] = {"agent": task, "model": "gpt-5", "began": NOON, "answers": 1, "transcript": kept}
    conversation = Conversation(key=key_of(task), task_id=task, **(values | changes))
    return happened.ModelAsked(run_id=run_id, at=NOON, conversation=conversation)


def concern_raised(
    identity: str, run_id: str = "r1", message: str = "two files claim the same lock", **changes: Any
) -> happened.ConcernRaised:
    """Return a concern that was raised; `changes` are fields of its record."""
    values: dict[str, Any] = {"source": "inspect", "step": key_of("inspect"), "concern": concern(message), "at": NOON}
    record = ConcernRecord(id=identity, run_id=run_id, **(values | changes))
    return happened.ConcernRaised(run_id=run_id, at=NOON, record=record)


def concern_disposed(
    identity: str, run_id: str = "r1", author: str = "mia", verdict: Any = "resolved", **changes: Any
) -> happened.ConcernDisposed:
    """Return the end of a concern; `changes` are fields of its disposition."""
    end = disposition(author, verdict, **changes)
    return happened.ConcernDisposed(run_id=run_id, at=NOON, concern_id=identity, disposition=end)


def concern_reopened(identity: str, run_id: str = "r1", **changes: Any) -> happened.ConcernReopened:
    """Return that the end of a concern was taken back."""
    values: dict[str, Any] = {"by": "noa", "reason": "both files are back", "evidence": ("locks.py:12",)}
    return happened.ConcernReopened(run_id=run_id, at=NOON, concern_id=identity, **(values | changes))


def _of_a_concern(identity: str, run_id: str) -> tuple[RunEvent, ...]:
    return concern_raised(identity, run_id), concern_disposed(identity, run_id), concern_reopened(identity, run_id)


def task_proposed(identity: str, run_id: str = "r1", **proposed: Any) -> happened.TaskProposed:
    """Return that an agent proposed a task."""
    record = ProposalRecord(
        id=identity,
        step=key_of("inspect"),
        task_id="inspect",
        node="agent-inspect",
        owner="primary",
        phase="inspect",
        proposal=Proposal(**{"goal": "look at the lock", **proposed}),
        at=NOON,
    )
    return happened.TaskProposed(run_id=run_id, at=NOON, record=record)


def proposal_decision(taken: bool = True) -> ProposalDecision:
    """Return what became of a proposed task."""
    return ProposalDecision(
        taken=taken, by="primary", reason="within the limit", task_id="more/lock" if taken else "", at=NOON
    )


def _of_watching(run_id: str) -> tuple[RunEvent, ...]:
    """Return what was pushed of a run, and what watching it measured."""
    pushed = happened.ExceptionPushed(run_id=run_id, at=NOON, report=exception_report())
    delays: dict[str, Any] = {"delay_seconds": 0.01, "delay_seconds_p90": 0.02}
    return pushed, happened.WatchMeasured(run_id=run_id, at=NOON, seen=9, processor_seconds=0.1, **delays)


def one_of_each(run_id: str = "r1") -> tuple[RunEvent, ...]:
    """Return events of every kind, in an order in which a run can have them."""
    step: dict[str, Any] = {"run_id": run_id, "at": NOON, "key": key_of("inspect"), "task_id": "inspect"}
    base: dict[str, Any] = {"run_id": run_id, "at": NOON}
    error = ErrorReport(kind="AgentTimeout", message="too late", can_pass=True)
    letter: dict[str, Any] = {**base, "key": "k", "notifications": ("n-1",)}
    intent = effect_intent("inspect", run_id=run_id, effect="write")  # what cannot be undone begins in a unit
    return (
        run_started(run_id, plan=small_plan(("inspect",))),
        happened.RunTaken(**base, token=1, host="here", pid=7),
        run_reopened(run_id),
        happened.SampleAsked(**base, items=5, held={"publish": "an agent of it cannot be undone"}),
        plan_extended(small_plan(("inspect", "report")), run_id),
        happened.PlanChangeProposed(**base, proposal=plan_change()),
        happened.PhaseStarted(**base, phase="inspect", expected=2),
        happened.Waited(**step, limiter="provider", seconds=0.5, queue_length=3),
        step_started(run_id=run_id),
        happened.GateRaised(**base, record=gate(run_id=run_id)),
        happened.GateExtended(**base, gate_id="g-1", until=NOON + timedelta(days=1), by="tom", reason="a second look"),
        happened.GateAnswered(**base, gate_id="g-1", answer=gate_answer()),
        happened.ApprovalUsed(**base, gate_id="g-1", key=intent.key, digest="d"),
        happened.EffectIntended(**base, intent=intent),
        happened.ApprovalReturned(**base, gate_id="g-1"),
        happened.EffectSettled(**step, attempt=1),
        happened.GateRaised(**base, record=gate("g-2", run_id)),
        happened.GateClosed(**base, gate_id="g-2", reason="what would be done has changed"),
        happened.NotificationQueued(**base, notification=notification()),
        happened.TokensIssued(**base, tokens=(IssuedToken(digest="d", notification_id="n-1", expires=NOON),)),
        happened.NotificationFailed(**letter, attempt=1, error="no answer within 10 s", passing=True),
        happened.NotificationSent(**letter),
        happened.TokenUsed(**base, notification_id="n-1", digest="d"),
        happened.OperatorDecided(**base, task_id="inspect", decision="redo"),
        happened.TasksRetried(**base, tasks=("inspect",), redo=("inspect",), by="mia"),
        happened.OutputRead(**step, read=UsedDependency(task_id="survey", version="v")),
        happened.Logged(**step, source="stdout", level=20, message="12 files"),
        model_asked("inspect", run_id),
        happened.AttemptFailed(**step, attempt=1, error=error, seconds=1.5),
        happened.BreakerChanged(**base, news=BreakerNews(name="provider", turn=Turn.OPENED, state="open", reason="no")),
        happened.QuotaClosed(**base, window=QuotaWindow(dependency="provider", until=base["at"], said="resets 3pm")),
        step_ended(run_id=run_id),
        happened.StepReused(**step, phase="inspect", step=StepKind.TASK),
        *_of_a_concern("c-1", run_id),
        happened.ConfidenceStated(**step, confidence=0.7),
        happened.BlockedReported(**step, on="the schema", reason="two versions of it are about"),
        task_proposed("p-1", run_id),
        happened.ProposalsDecided(**base, phase="report", decisions={"p-1": proposal_decision()}),
        *of_judging(run_id),
        *_of_watching(run_id),
        happened.PhaseEnded(**base, phase="inspect"),
        happened.PhaseSkipped(**base, phase="fix", reason="nothing to fix"),
        run_ended(run_id, report="out/report"),
    )
