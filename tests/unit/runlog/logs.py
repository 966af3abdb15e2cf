"""Strategies for what may stand in the log of a run, likely or not: events of every kind, units of them, whole logs."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from hypothesis import strategies as st

from echelon.model.autonomy.decisions import AgentStanding, ResultDecision
from echelon.model.autonomy.terms import Band
from echelon.model.autonomy.track import Track
from echelon.model.breaker_news import BreakerNews, Turn
from echelon.model.fallback import FallbackKind, UsedFallback
from echelon.model.graph import TaskSpec
from echelon.model.handoff import ErrorReport, UsedDependency
from echelon.model.learning.retrospective import Retrospective
from echelon.model.oversight.notification import IssuedToken
from echelon.model.plan import Node, NodeKind, PhasePlan, Plan, SyncPoint
from echelon.model.quota.window import QuotaWindow
from echelon.model.run import RunStatus, StepKind, StepRecord
from echelon.model.status import ENDED, Status
from echelon.model.sync.seen import Drift, DriftShare
from echelon.runlog import events as happened
from echelon.runlog.events import RunEvent
from echelon.testing.judging_events import audit_record, conflict, settled, verifier_probe, wave
from echelon.testing.learning_events import adjustment, run_lesson, suggestion
from echelon.testing.run_events import (
    NOON,
    concern_raised,
    disposition,
    effect_intent,
    exception_report,
    gate,
    gate_answer,
    key_of,
    model_asked,
    notification,
    plan_change,
    proposal_decision,
    run_record,
    small_plan,
    step_record,
    task_proposed,
)

E = TypeVar("E", bound=happened.Event)

TASKS = ("a", "b", "c", "d")
PHASES = ("inspect", "report")
CONCERNS = ("c-1", "c-2", "c-3")
OWNERS = ("primary", "north")

tasks = st.sampled_from(TASKS)
maybe = st.none() | st.booleans()
phases = st.sampled_from(PHASES)
kinds = st.sampled_from(StepKind)
statuses = st.sampled_from(RunStatus)
notices = st.sampled_from(("n-1", "n-2"))
tokens = st.builds(IssuedToken, digest=st.sampled_from(("d", "e")), notification_id=notices, expires=st.just(NOON))
seconds = st.floats(min_value=0, max_value=1000, allow_nan=False)
moments: st.SearchStrategy[datetime] = st.integers(-100, 100).map(lambda minutes: NOON + timedelta(minutes=minutes))
errors = st.builds(
    ErrorReport,
    kind=st.sampled_from(("AgentTimeout", "Blocked", "DependencyFailed", "EffectUncertain")),
    message=st.text(max_size=5),
    can_pass=st.booleans(),
    dependency=st.sampled_from(("", "provider")),
    causes=st.lists(tasks, max_size=2).map(tuple),
)
breaker_news = st.builds(
    BreakerNews,
    name=st.sampled_from(("provider", "tool")),
    turn=st.sampled_from(Turn),
    state=st.sampled_from(("closed", "open", "half-open")),
    reason=st.text(max_size=5),
    found=st.booleans(),
)


tracks = st.builds(Track.of, st.none() | st.floats(0, 1), right=st.booleans())
standings = st.builds(AgentStanding, agent=tasks, before=tracks, own=tracks)


def a_decision(task: str, concern: str) -> ResultDecision:
    """Return that a person is asked about the result of a task."""
    why = ("it is new",)
    return ResultDecision(
        task_id=task, version="v", agent="inspect", band=Band.ESCALATE, reasons=why, estimate=0.65, concern=concern
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw a plan: some tasks, each in one phase, each with an agent of its own below one of the owners."""
    chosen = draw(st.lists(tasks, unique=True))
    cut = draw(st.integers(0, len(chosen)))
    agents = [Node(id=f"agent-{task}", kind=NodeKind.AGENT, parent="north", members=(task,)) for task in chosen]
    north = Node(id="north", kind=NodeKind.DOMAIN, parent="primary", members=tuple(node.id for node in agents))
    primary = Node(id="primary", kind=NodeKind.PRIMARY, parent=None, members=("north",))
    named = zip(PHASES, (tuple(chosen[:cut]), tuple(chosen[cut:])), strict=True)
    tree = (primary, north, *agents) if draw(st.booleans()) else (primary, *agents)
    return small_plan().model_copy(
        update={
            "goal": draw(st.text(max_size=3)),
            "tasks": tuple(TaskSpec(id=task, goal="look at it") for task in chosen),
            "tree": tree,
            "phases": tuple(
                PhasePlan(
                    name=name, tasks=held, sync=SyncPoint(owner="primary"), single=draw(st.none() | st.booleans())
                )
                for name, held in named
            )[: draw(st.integers(0, 2))],
        }
    )


@st.composite
def step_records(draw: st.DrawFn, run_id: str = "r1") -> StepRecord:
    """Draw an attempt at a step that ended: of a task or of an owner, whole, with a fallback, landed, or lost."""
    kind = draw(kinds)
    name = draw(tasks if kind is StepKind.TASK else st.sampled_from(OWNERS))
    phase = draw(phases)
    record = step_record(name, draw(st.sampled_from(sorted(ENDED))), run_id, phase, draw(st.text(max_size=5)), kind)
    changes: dict[str, Any] = {
        "attempts": draw(st.integers(0, 3)),
        "dependencies": tuple(UsedDependency(task_id=task, version="v") for task in draw(st.lists(tasks, max_size=2))),
    }
    if record.handoff.status is Status.COMPLETED:
        fallback = UsedFallback(kind=draw(st.sampled_from(FallbackKind)), said="an old output", reason="too late")
        changes |= {"landed": draw(st.booleans()), "fallback": draw(st.none() | st.just(fallback))}
    else:
        changes["error"] = draw(errors)
    began = draw(moments)
    return record.model_copy(
        update={
            "key": key_of(f"{phase}/{name}"),
            "started": began,
            "finished": began + timedelta(seconds=draw(seconds)),
            "handoff": record.handoff.model_copy(update=changes),
        }
    )


def _drawn(kind: type[E], run_id: str, fields: Mapping[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[E]:
    if not issubclass(kind, happened.StepEvent):
        return st.builds(kind, run_id=st.just(run_id), at=moments, **fields)
    return tasks.flatmap(
        lambda task: st.builds(
            kind, run_id=st.just(run_id), at=moments, key=st.just(key_of(task)), task_id=st.just(task), **fields
        )
    )


def starts(run_id: str = "r1") -> st.SearchStrategy[RunEvent]:
    """Beginnings of a run, with a plan or without."""
    records = st.builds(lambda plan: run_record(run_id, plan=plan), st.none() | plans())
    return _drawn(happened.RunStarted, run_id, {"record": records})


def _of_sync_points(words: st.SearchStrategy[str]) -> dict[type[happened.Event], dict[str, st.SearchStrategy[Any]]]:
    shares = st.builds(DriftShare.counted, st.integers(0, 3), st.integers(3, 9))
    drifts = st.builds(Drift, phase=phases, state=shares, goal=shares, context=shares, output=shares)
    some = st.lists(tasks, max_size=2).map(tuple)
    waves = st.builds(wave, phase=phases, number=st.integers(1, 3), tasks=some)
    return {
        happened.DriftMeasured: {"drift": drifts},
        happened.WaveEnded: {"wave": waves},
        happened.PhaseStopped: {"phase": phases, "tasks": some, "reason": words},
    }


def _fields(run_id: str) -> dict[type[happened.Event], dict[str, st.SearchStrategy[Any]]]:
    ids = st.sampled_from([f"{run_id}-{name}" for name in CONCERNS])  # an id belongs to one run
    attempts = st.integers(min_value=1, max_value=3)
    words = st.text(max_size=5)
    read = st.builds(UsedDependency, task_id=tasks, version=st.just("v"))
    limiters = st.sampled_from(("provider", "tool"))
    return {
        happened.RunTaken: {"token": attempts, "host": words, "pid": attempts, "idle_since": st.none() | moments},
        happened.RunReopened: {"before": statuses, "finished": st.none() | moments},
        happened.SampleAsked: {"items": attempts, "held": st.dictionaries(phases, words, max_size=1)},
        happened.PlanExtended: {"plan": plans(), "reason": words},
        happened.PlanChangeProposed: {"proposal": words.map(lambda reason: plan_change(reason=reason))},
        happened.PhaseStarted: {"phase": phases, "expected": attempts},
        happened.PhaseEnded: {"phase": phases},
        happened.PhaseSkipped: {"phase": phases, "reason": st.just("not wanted")},
        happened.StepStarted: {"phase": phases, "node": tasks, "step": kinds},
        happened.StepReused: {"phase": phases, "step": kinds},
        happened.Waited: {"limiter": limiters, "seconds": seconds, "queue_length": attempts},
        happened.AttemptFailed: {"attempt": attempts, "error": errors, "seconds": seconds},
        happened.OutputRead: {"read": read},
        happened.Logged: {"source": st.sampled_from(("logging", "stdout")), "level": attempts, "message": words},
        happened.ModelAsked: {"conversation": tasks.map(lambda task: model_asked(task, run_id).conversation)},
        happened.StepEnded: {"record": step_records(run_id)},
        happened.ConcernRaised: {"record": ids.map(lambda name: concern_raised(name, run_id).record)},
        happened.ConcernDisposed: {"concern_id": ids, "disposition": st.sampled_from(("mia", "noa")).map(disposition)},
        happened.ConcernReopened: {
            "concern_id": ids,
            "by": st.just("noa"),
            "reason": st.just("no"),
            "evidence": st.just(("log:1",)),
        },
        happened.ConfidenceStated: {"confidence": st.floats(0, 1)},
        happened.BlockedReported: {"on": words, "reason": words},
        happened.TaskProposed: {"record": ids.map(lambda name: task_proposed(name, run_id).record)},
        happened.ProposalsDecided: {
            "phase": phases,
            "decisions": st.dictionaries(ids, st.booleans().map(proposal_decision), max_size=2),
        },
        happened.AutonomyDecided: {
            "phase": phases,
            "of": ids,
            "proceeded": attempts,
            "standings": st.lists(standings, max_size=2).map(tuple),
            "decisions": st.lists(st.builds(a_decision, tasks, ids), max_size=2).map(tuple),
        },
        happened.AdjustmentsApplied: {
            "adjustments": st.integers(2, 9).map(lambda span: (adjustment(span),)),
            "by": st.just("mia"),
        },
        happened.AdjustmentsReverted: {"by": st.just("mia")},
        happened.RunReviewed: {
            "lesson": st.builds(run_lesson, ids, st.floats(0, 100)),
            "retrospective": st.builds(suggestion, advice=words).map(lambda one: Retrospective(suggestions=(one,))),
        },
        happened.ExceptionPushed: {"report": words.map(exception_report)},
        happened.EffectIntended: {"intent": st.builds(effect_intent, tasks, attempts, st.just(run_id))},
        happened.EffectSettled: {"attempt": attempts},
        happened.OperatorDecided: {"task_id": tasks, "decision": st.sampled_from(("redo", "done"))},
        happened.TasksRetried: {
            "tasks": st.lists(tasks, max_size=2).map(tuple),
            "redo": st.lists(tasks, max_size=2).map(tuple),
            "by": words,
        },
        happened.GateRaised: {"record": ids.map(lambda name: gate(name, run_id))},
        happened.GateAnswered: {
            "gate_id": ids,
            "answer": st.builds(
                gate_answer, st.sampled_from(("approve", "deny")), refused=st.sampled_from(("", "late"))
            ),
        },
        happened.GateExtended: {"gate_id": ids, "until": moments, "by": st.just("mia"), "reason": words},
        happened.GateClosed: {"gate_id": ids, "reason": st.just("not wanted")},
        happened.FlatMomentHeld: {"phase": phases, "concerns": st.lists(ids, max_size=2).map(tuple)},
        happened.ConflictFound: {"record": ids.map(conflict)},
        happened.ConflictSettled: {"conflict_id": ids, "settled": st.sampled_from(("inspect", "")).map(settled)},
        happened.ApprovalUsed: {"gate_id": ids, "digest": st.sampled_from(("d", "e"))},
        happened.ApprovalReturned: {"gate_id": ids},
        happened.NotificationQueued: {"notification": st.builds(notification, ids, id=notices)},
        happened.TokensIssued: {"tokens": st.lists(tokens, max_size=2).map(tuple)},
        happened.NotificationSent: {"key": words, "notifications": st.lists(notices, max_size=2).map(tuple)},
        happened.NotificationFailed: {
            "key": words,
            "notifications": st.lists(notices, max_size=2).map(tuple),
            "attempt": attempts,
            "error": words,
            "passing": st.booleans(),
        },
        happened.TokenUsed: {"notification_id": notices, "digest": st.sampled_from(("d", "e"))},
        **_of_sync_points(words),
        happened.BreakerChanged: {"news": breaker_news},
        happened.QuotaClosed: {"window": st.builds(QuotaWindow, dependency=words, until=moments, said=words)},
        happened.IntegrationAudited: {"record": st.builds(audit_record, words, key=words, version=words)},
        happened.WatchMeasured: {
            "seen": st.integers(0, 9),
            "delay_seconds": st.none() | st.floats(0, 9),
            "processor_seconds": st.floats(0, 9),
        },
        happened.VerifierProbed: {"probe": st.builds(verifier_probe, words, st.sampled_from(((), ("noise",))))},
        happened.RunEnded: {"status": statuses, "finished": st.none() | moments, "report": st.none() | words},
    }


def by_kind(run_id: str = "r1") -> dict[type[happened.Event], st.SearchStrategy[RunEvent]]:
    """Events of each kind but the first one of a run."""
    drawn = {kind: _drawn(kind, run_id, fields) for kind, fields in _fields(run_id).items()}
    return cast("dict[type[happened.Event], st.SearchStrategy[RunEvent]]", drawn)


def events(run_id: str = "r1") -> st.SearchStrategy[RunEvent]:
    """Events of all kinds but the first one of a run."""
    return st.one_of(*by_kind(run_id).values())


def units(run_id: str = "r1") -> st.SearchStrategy[list[RunEvent]]:
    """What may be appended at one time, lawful or not."""
    return st.lists(events(run_id) | starts(run_id), min_size=1, max_size=5)


def logs() -> st.SearchStrategy[list[RunEvent]]:
    """Whole logs: a beginning, then anything in any order, which includes what no run would do."""
    return st.builds(lambda first, rest: [first, *rest], starts(), st.lists(events(), max_size=40))


@st.composite
def lives(draw: st.DrawFn) -> list[RunEvent]:
    """Draw a log as a run leaves it: taken, phase after phase with steps that begin and end, killed, taken again."""
    log: list[RunEvent] = [draw(starts())]
    for token in range(1, draw(st.integers(1, 3)) + 1):
        log.append(happened.RunTaken(run_id="r1", at=draw(moments), token=token, host="here", pid=token))
        for phase in draw(st.sampled_from(((), PHASES[:1], PHASES))):
            log.append(happened.PhaseStarted(run_id="r1", at=draw(moments), phase=phase, expected=len(TASKS)))
            for record in draw(st.lists(step_records(), max_size=5)):
                log += _work(record.model_copy(update={"phase": phase}), draw)
            log.append(happened.PhaseEnded(run_id="r1", at=draw(moments), phase=phase))
        if draw(st.booleans()):
            log.append(happened.RunEnded(run_id="r1", at=draw(moments), status=draw(statuses)))
            log.append(happened.RunReopened(run_id="r1", at=draw(moments), before=draw(statuses)))
    return log


def _work(record: StepRecord, draw: st.DrawFn) -> list[RunEvent]:
    """Return what a step leaves: its beginning, and its end unless it is killed before."""
    task = record.handoff.task_id
    begun = happened.StepStarted(
        run_id="r1", at=record.started, key=record.key, task_id=task, phase=record.phase, node=task, step=record.kind
    )
    ended = happened.StepEnded(run_id="r1", at=record.finished, record=record)
    return [begun, ended] if draw(st.booleans()) else [begun]
