"""How the results of a run were judged, counted from what is on record of them (O3, O4, M3). Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from echelon.model.audit.audit import AuditRecord, JudgedResults
from echelon.model.handoff import Missing
from echelon.model.run import StepKind, StepRecord
from echelon.runlog.losses import has_delivered, is_lost
from echelon.runlog.standing import StepName

#: What an integration is known by: what it is recorded as, and the digest of its output.
Version = tuple[str, str]


def judged_of(
    latest: Mapping[StepName, StepRecord], audits: Iterable[AuditRecord], to_verify: Collection[str] = ()
) -> JudgedResults:
    """Count results by what checks and verifiers said of them, and integrations by what audits found.

    `latest` are the steps that count; results of tasks in `to_verify` that nobody has judged are unverified.
    """
    tasks = [step for step in latest.values() if step.kind is StepKind.TASK and not step.interim]
    there = [step for step in tasks if has_delivered(step)]
    by_nobody = sum(step.handoff.verification is None and step.handoff.task_id in to_verify for step in there)
    counted = tuple(audits)
    return JudgedResults(
        verified=sum(_says(step, "accepted") for step in there),
        unverified=sum(bool(step.handoff.unverified) for step in there) + by_nobody,
        rejected=sum(_says(step, "rejected") for step in tasks if not step.handoff.done),
        by_nobody=by_nobody,
        integrations=len(_integrations(latest)),
        audited=len({one.task_id for one in counted}),
        audit_rejected=len({one.task_id for one in counted if one.is_rejected}),
        audit_unknown=len({one.task_id for one in counted if one.verdict in ("error", "unverifiable")}),
    )


def audits_that_count(
    latest: Mapping[StepName, StepRecord], audits: Mapping[str, AuditRecord]
) -> tuple[AuditRecord, ...]:
    """Return the audits of integrations as they are now: what was made anew since has to be looked at anew."""
    now = _integrations(latest)
    return tuple(one for one in audits.values() if (one.task_id, one.version) in now)


def rejected_by_audit(latest: Mapping[StepName, StepRecord], audits: Mapping[str, AuditRecord]) -> Iterator[Missing]:
    """Yield the integrations that are there and that an audit rejects: they fall short of what they promise (F7)."""
    now = _integrations(latest)
    for one in audits_that_count(latest, audits):
        step = now[one.task_id, one.version]
        if one.is_rejected and not is_lost(step.handoff):
            yield not_sound(one, step.handoff.summary)


def not_sound(audit: AuditRecord, instead: str) -> Missing:
    """Say what an integration that an audit rejects means to those who use it."""
    return Missing(
        task_id=audit.task_id, producer=audit.node, reason=f"an audit rejects it: {audit.said}", instead=instead
    )


def sound_share(
    integrations: Iterable[StepRecord], rejected: Collection[Version], made_again: Collection[str] = ()
) -> float | None:
    """Return the share of integrations that needed no rework; None where there is none (M3).

    Rework is more than one attempt, a repair to fit the contract, being made again, a side of it that lost a conflict,
    and being rejected by an audit.
    """
    steps = list(integrations)
    first = [step for step in steps if _is_sound(step) and step.handoff.task_id not in made_again]
    sound = sum(version_of_step(step) not in rejected for step in first)
    return sound / len(steps) if steps else None


def _is_sound(step: StepRecord) -> bool:
    handoff = step.handoff
    return handoff.done and handoff.attempts <= 1 and not handoff.repairs and not handoff.overruled


def version_of_step(step: StepRecord) -> Version:
    """Return what an integration is known by; the digest is empty where it has no output."""
    return step.handoff.task_id, step.handoff.version


def _integrations(latest: Mapping[StepName, StepRecord]) -> dict[Version, StepRecord]:
    steps = (step for step in latest.values() if step.kind is StepKind.INTEGRATION and step.handoff.done)
    return {version_of_step(step): step for step in steps}


def _says(step: StepRecord, result: str) -> bool:
    known = step.handoff.verification
    return known is not None and known.result == result
