"""Events of how a run judges its own work, for tests; the others are in `echelon.testing.run_events`."""

from collections.abc import Sequence
from typing import Any

from echelon.model.audit.audit import AuditFinding, AuditKind, AuditRecord
from echelon.model.audit.probe import VerifierProbe
from echelon.model.autonomy.decisions import AgentStanding, ResultDecision
from echelon.model.autonomy.track import Track
from echelon.model.conflicts.conflict import Conflict, ConflictRecord, SettledConflict, Side
from echelon.model.sync.seen import Drift, DriftShare, Wave
from echelon.runlog import events as happened
from echelon.runlog.events import RunEvent
from echelon.testing.learning_events import adjustments_applied, adjustments_reverted, run_reviewed
from echelon.testing.noon import NOON


def autonomy_decided(
    run_id: str = "r1",
    phase: str = "inspect",
    standings: Sequence[AgentStanding] = (AgentStanding(agent="inspect", own=Track.of(0.9, right=True)),),
    decisions: Sequence[ResultDecision] = (),
) -> happened.AutonomyDecided:
    """Return that results were looked at; where nothing is said, one that proceeds."""
    known = {"run_id": run_id, "at": NOON, "phase": phase, "of": "d", "proceeded": 1}
    return happened.AutonomyDecided.model_validate(
        {**known, "decisions": tuple(decisions), "standings": tuple(standings)}
    )


def conflict(identity: str = "x-1") -> ConflictRecord:
    """Return a conflict between two tasks."""
    sides = tuple(
        Side(task_id=task, producer=f"agent-{task}", version="v", says={"severity": said})
        for task, said in (("inspect", "high"), ("report", "low"))
    )
    found = Conflict(phase="inspect", subject="Finding:auth.py", sides=sides)
    return ConflictRecord(id=identity, conflict=found, owner="primary", level="primary", at=NOON)


def settled(chosen: str = "inspect") -> SettledConflict:
    """Return what was decided about it; nothing where no task is chosen."""
    return SettledConflict(chosen=chosen, by="stricter", reason="the stricter one counts", at=NOON)


def _of_a_sync_point(run_id: str) -> tuple[RunEvent, ...]:
    base: dict[str, Any] = {"run_id": run_id, "at": NOON}
    found = happened.ConflictFound(**base, record=conflict())
    flat = happened.FlatMomentHeld(**base, phase="inspect", concerns=("c-1",))
    return found, happened.ConflictSettled(**base, conflict_id="x-1", settled=settled()), flat


def wave(**changes: Any) -> Wave:
    """Return a wave that ended."""
    values: dict[str, Any] = {"phase": "inspect", "number": 1, "tasks": ("inspect",), "planned": 1}
    values |= {"ended_by": "interval", "revealed": 1, "findings": ("1 task missing",)}
    return Wave(**(values | changes))


def _of_sync_points(base: dict[str, Any]) -> tuple[RunEvent, ...]:
    nothing = DriftShare.counted(0, 1)
    drift = Drift(phase="inspect", state=nothing, goal=nothing, context=nothing, output=DriftShare.counted(0, 0))
    return (
        happened.DriftMeasured(**base, drift=drift),
        happened.WaveEnded(**base, wave=wave()),
        happened.PhaseStopped(**base, phase="inspect", tasks=("inspect",), reason="it was found"),
    )


def audit_record(task_id: str = "inspect/merge/primary", **changes: Any) -> AuditRecord:
    """Return what an audit says of an integration; without changes, that it lacks something."""
    finding = AuditFinding(kind=AuditKind.GAP, where="findings", said="findings lacks Finding 'a', which inspect/a has")
    values: dict[str, Any] = {"key": "k", "phase": "inspect", "task_id": task_id, "node": "primary", "version": "v"}
    return AuditRecord.model_validate({**values, "parts": 2, "verdict": "rejected", "findings": (finding,), **changes})


def verifier_probe(verifier: str = "proof", accepted: tuple[str, ...] = ("noise", "hollow")) -> VerifierProbe:
    """Return what came of trying a verifier; without `accepted` it noticed at once."""
    noticed = "" if accepted else "noise"
    return VerifierProbe(
        verifier=verifier, phase="inspect", task_id="inspect", accepted=accepted, noticed=noticed, verdicts=5
    )


def of_judging(run_id: str) -> tuple[RunEvent, ...]:
    """Return what is on record of how the organisation judged its own work."""
    base: dict[str, Any] = {"run_id": run_id, "at": NOON}
    return (
        happened.IntegrationAudited(**base, record=audit_record()),
        happened.VerifierProbed(**base, probe=verifier_probe()),
        autonomy_decided(run_id),
        run_reviewed(run_id),
        adjustments_applied(run_id),
        adjustments_reverted(run_id),
        *_of_a_sync_point(run_id),
        *_of_sync_points(base),
    )
