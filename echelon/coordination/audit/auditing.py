"""The step of a sync point in which integrations are audited: a sample of them, each once whatever crashes (O4).

What an audit rejects is handed on with that said, a concern about it goes to a person beside the hierarchy, and what
cannot be undone and uses it waits until somebody has looked (X13).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from echelon.agents.agent import Agent
from echelon.agents.fingerprint.agent import fingerprint_of
from echelon.agents.handoffs import Received
from echelon.coordination.audit.reading import PhaseRecords, read_whole
from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import StageOrder
from echelon.coordination.readiness import waits_in
from echelon.coordination.rolling.beside import steps_beside
from echelon.coordination.step.envelope import one_line, shortened
from echelon.coordination.step.layers import layers
from echelon.coordination.success.answered import read_report
from echelon.coordination.voice.statements import said_id
from echelon.journal.digest import digest_of
from echelon.journal.failpoints import failpoint
from echelon.model.audit.audit import AUDIT_SOURCE, DOUBTS, MOST_KEPT, AuditFinding, AuditKind, AuditRecord
from echelon.model.concern import Concern
from echelon.model.errors import ContractViolation, JournalError
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.integration import audit_id
from echelon.model.run import StepRecord
from echelon.model.verification.verification import CheckReport, CheckResult
from echelon.oversight.audit.examining import examine
from echelon.oversight.audit.sampling import Candidate, sampled
from echelon.planning.infrastructure import is_judged
from echelon.runlog.events import ConcernRaised, RunEvent
from echelon.runlog.judging.audit_events import IntegrationAudited
from echelon.runlog.judging.judged import not_sound

#: Weights of the concern about an integration that is rejected, or doubted: a promise is broken, or may be, and others
#: rely on it.
CERTAIN, UNSURE, GRAVE = 0.9, 0.5, 0.9

#: How much of what is wrong a concern says, in characters.
MAX_SAID = 600


class _Phase(NamedTuple):
    """What the audits of one phase share."""

    run: RunContext
    order: StageOrder
    records: PhaseRecords


async def audit_integrations(run: RunContext, order: StageOrder, output: PhaseOutput) -> PhaseOutput:
    """Audit a sample of the integrations of a phase; what is rejected stands with what is handed on."""
    integrator, audit = run.spec.job.phases[order.phase].integrator, run.spec.job.oversight.audit
    if integrator is None or not is_judged(run.spec.plan.n_agents, stated=audit is not None):
        return output
    if waits_in(output.missing):  # what comes later is a part of it (F10)
        return output
    phase = _Phase(run, order, PhaseRecords.of(run.log.state, order.phase))
    nodes = run.spec.plan.nodes
    made = [step for step in phase.records.integrations if step.node in nodes]
    candidates = [Candidate(step.handoff.task_id, nodes[step.node].domain) for step in made]
    drawn = set(sampled(candidates, audit.rate if audit else None, audit.seed if audit else 0))
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(_audit(phase, step)) for step in made if step.handoff.task_id in drawn]
    audits = [one.result() for one in asked]
    wrong = tuple(
        not_sound(one, phase.records.newest[one.task_id].handoff.summary) for one in audits if one.is_rejected
    )
    return output.model_copy(update={"replaced": (*output.replaced, *wrong)}) if wrong else output


async def _audit(phase: _Phase, integration: StepRecord) -> AuditRecord:
    """Return what an audit says of an integration; made once, and on record when this returns."""
    run, handoff = phase.run, integration.handoff
    auditor = run.spec.job.phases[phase.order.phase].judges.auditor
    assert handoff.output_location is not None, "what counts as made was completed"
    version, code = handoff.output_location.sha256, fingerprint_of(auditor) if auditor else ""
    parts = [(one.task_id, one.version) for one in handoff.dependencies]
    name = auditor.name if auditor else ""
    key = digest_of(("audit", phase.order.phase, handoff.task_id, version, parts, name, code))
    known = run.log.state.audits.get(key)
    if known is not None:
        return known
    findings, trouble = await _examine(phase, integration)
    reports = [await _ask(phase, integration, auditor)] if auditor is not None else []
    findings += [_judged(one, handoff.task_id) for one in reports if one.result == "rejected"]
    failpoint("audit.made")
    record = _record(phase, integration, key, version, findings, [*trouble, *reports])
    await run.log.append(*_events(phase, integration, record))
    failpoint("audit.recorded")
    return record


async def _examine(phase: _Phase, integration: StepRecord) -> tuple[list[AuditFinding], list[CheckReport]]:
    """Return what is wrong by what contracts promise, and why that cannot be told."""
    try:
        whole = await read_whole(phase.run, phase.order, phase.records, integration)
        is_stated = phase.run.spec.job.oversight.audit is not None
        return list(await asyncio.to_thread(examine, whole, is_stated=is_stated)), []
    except (JournalError, ContractViolation) as error:
        return [], [CheckReport(name=AUDIT_SOURCE, result="unverifiable", gap=one_line(str(error)))]


async def _ask(phase: _Phase, integration: StepRecord, auditor: Agent) -> CheckReport:
    """Let an agent judge an integration, given its parts: a step of its own, recalled after a crash."""
    run, order, handoff = phase.run, phase.order, integration.handoff
    parts = {order.phase: PhaseOutput(handoffs=phase.records.parts(integration))}
    step = steps_beside(run, order).check_of_phases(auditor, audit_id(handoff.task_id, auditor.name), parts)
    assert handoff.output_location is not None, "what counts as made was completed"
    output = Received[object](handoff, run.outputs, run.contract_of(order.phase, handoff.task_id))
    key = digest_of((step.key, handoff.output_location.sha256))
    checked = await layers(run)(replace(step, key=key, call=replace(step.call, output=output)))
    failpoint("audit.judged")
    return await read_report(run, auditor, checked)


def _record(
    phase: _Phase,
    integration: StepRecord,
    key: str,
    version: str,
    findings: Sequence[AuditFinding],
    reports: Sequence[CheckReport],
) -> AuditRecord:
    order, handoff, plan = phase.order, integration.handoff, phase.run.spec.plan
    integrator = phase.run.spec.job.phases[order.phase].integrator
    assert integrator is not None, "only what integrates is audited"
    agent = integrator.agent_of(order.phase, handoff.task_id)
    unknown = next((one for one in reports if one.result in ("error", "unverifiable")), None)
    return AuditRecord(
        key=key,
        phase=order.phase,
        task_id=handoff.task_id,
        node=integration.node,
        agent=agent.name,
        code=fingerprint_of(agent),
        domain=plan.nodes[integration.node].domain,
        version=version,
        parts=len(handoff.dependencies),
        verdict=_verdict(findings, unknown),
        reason=f"{unknown.name}: {unknown.gap}" if unknown else "",
        findings=tuple(findings[:MOST_KEPT]),
        by=tuple(one.name for one in reports if one.name != AUDIT_SOURCE),
    )


def _verdict(findings: Sequence[AuditFinding], unknown: CheckReport | None) -> CheckResult:
    """Return what findings come to: a doubt alone rejects nothing, and leaves open whether all is well."""
    if any(one.kind not in DOUBTS for one in findings):
        return "rejected"
    if unknown is not None:
        return unknown.result
    return "unverifiable" if findings else "accepted"


def _events(phase: _Phase, integration: StepRecord, record: AuditRecord) -> tuple[RunEvent, ...]:
    """Return what puts an audit on record: with the concern about what it rejects, in one transaction (O2)."""
    run = phase.run
    audited = IntegrationAudited(run_id=run.spec.run_id, at=run.now(), record=record)
    said = shortened(record.said, MAX_SAID)
    if not record.is_rejected:
        return (audited, _concern(run, integration, record, said)) if record.findings else (audited,)
    report = ExceptionReport(
        trigger=Trigger.PARTIAL,
        level=Level.WARNING,
        path=run.spec.plan.path(integration.node),
        message=f"an audit rejects {record.task_id}: {said}",
        at=audited.at,
    )
    return audited, _concern(run, integration, record, said), run.log.pushed(report)


def _concern(run: RunContext, integration: StepRecord, record: AuditRecord, said: str) -> ConcernRaised:
    concern = Concern(
        about=record.task_id,
        message=f"an audit {'rejects' if record.is_rejected else 'doubts'} it: {said}",
        confidence=CERTAIN if record.is_rejected else UNSURE,
        impact=GRAVE,
        evidence=tuple(f"{one.kind.value}: {one.said}" for one in record.findings),
    )
    identity = said_id(run.spec.run_id, record.key, concern)
    return run.raising.event(
        identity,
        AUDIT_SOURCE,
        concern,
        run.now(),
        step=integration.key,
        task_id=record.task_id,
        phase=record.phase,
    )


def _judged(report: CheckReport, integration: str) -> AuditFinding:
    said = f"{report.name}: {report.gap}" if report.gap else f"{report.name} rejects it"
    return AuditFinding(kind=AuditKind.JUDGED, where=integration, said=said)
