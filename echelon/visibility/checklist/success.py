"""Success: what the last run measured, held against target, warning and critical (M)."""

from collections.abc import Mapping

from echelon.model.run import RunView, StepKind
from echelon.runlog.costs.bands import (
    CONTEXT,
    COORDINATION,
    COORDINATION_TARGET,
    ESCALATION,
    FIRST_TRY,
    INTEGRATION,
    Grade,
    Limit,
    grade,
)
from echelon.visibility.checklist.answers import Entry, ItemAnswer, done, not_applicable, not_done
from echelon.visibility.checklist.conditions import for_several, from_run, with_run
from echelon.visibility.checklist.evidence import WITHOUT_CONTEXT, JobEvidence, latest
from echelon.visibility.checklist.wording import share

#: How grades are said.
_SAID: dict[Grade, str] = {"critical": "critical", "warning": "a warning", "off_target": "below target"}
_OUTSIDE: dict[Grade, str] = {**_SAID, "off_target": "outside of the target"}
_TOO_MANY: dict[Grade, str] = {**_SAID, "off_target": "above target"}


@for_several
@with_run
def _coordination(evidence: JobEvidence, run: RunView) -> ItemAnswer:
    value = run.measures.coordination_ratio
    if value is None or not latest(run, StepKind.INTEGRATION):
        found = f"not measured: run {run.record.run_id} has no integration whose cost is known"
        return not_done(
            f"M1: {found}", "give phases an integrator; what consumers integrate themselves cannot be distinguished"
        )
    low, high = COORDINATION_TARGET
    # At some sizes more is usual (R4): 40 % of coordination is no waste where nobody gets below it.
    highest = max(high, evidence.plan.profile.overhead.high)
    target = f"{low * 100:.0f}–{highest * 100:.0f} %"
    found = f"M1: {share(value)} of run {run.record.run_id} was coordination, target {target}"
    bad = grade(value, COORDINATION) or ("off_target" if value > highest else None)
    if bad:
        return not_done(f"{found}: {_TOO_MANY[bad]}", "give integrators less to do, or the work to fewer agents")
    return done(f"{found}; less is no harm where integrating is cheap" if value < low else found)


@from_run
def _first_try(run: RunView) -> ItemAnswer:
    fix = f"see what had to be done again: echelon exceptions {run.record.run_id}"
    return _judged(
        "M2", run, run.measures.first_try_rate, "of the tasks done at once, target over 70 %", FIRST_TRY, fix
    )


@for_several
@from_run
def _integration(run: RunView) -> ItemAnswer:
    value = run.measures.sound_integrations
    fix = "see which integrations failed or were repeated, and tighten the contracts of what they are given"
    return _judged("M3", run, value, "of the integrations without rework, target over 90 %", INTEGRATION, fix)


@from_run
def _escalation(run: RunView) -> ItemAnswer:
    value = run.measures.escalation_rate
    few = value is not None and value < 0.05
    fix = (
        "too little may hide trouble: let agents raise what they are unsure about" if few else "let agents decide more"
    )
    return _judged("M4", run, value, "of the tasks escalated something, target 5–20 %", ESCALATION, fix, _TOO_MANY)


def _context(evidence: JobEvidence) -> ItemAnswer:
    if evidence.calls and all(call.kind in WITHOUT_CONTEXT for call in evidence.calls):
        return not_applicable("M5: all agents are functions and commands, so there is no context to fill")
    if evidence.last is None or evidence.last.measures.context_use is None:
        found = "M5: not measured: no agent reports how full its context was at the end, target 50–80 %"
        return not_done(found, "run it with models whose provider counts tokens; see: echelon measures RUN")
    fix = "merge tasks that leave a context nearly empty, split those that fill it: echelon plan names them (D5)"
    run, use = evidence.last, evidence.last.measures.context_use
    return _judged("M5", run, use, "of the context was used at the end, target 50–80 %", CONTEXT, fix, _OUTSIDE)


def _judged(
    rule: str,
    run: RunView,
    value: float | None,
    what: str,
    limits: tuple[Limit, ...],
    fix: str,
    said: Mapping[Grade, str] = _SAID,
) -> ItemAnswer:
    where = f"in run {run.record.run_id}"
    if value is None:
        return not_done(f"{rule}: not measured {where}: share {what}", fix)
    bad = grade(value, limits)
    found = f"{rule}: {where} {share(value)} {what}"
    return not_done(f"{found}: {said[bad]}", fix) if bad else done(found)


ENTRIES = (
    Entry("coordination-ratio", "Coordination takes the share that is usual at this size.", _coordination),
    Entry("first-try", "Most tasks are done at the first attempt.", _first_try),
    Entry("integration-quality", "Most integrations need no rework.", _integration),
    Entry("escalation-rate", "Some things are escalated, most are not.", _escalation),
    Entry("context-use", "Agents end with their context well used and not full.", _context),
)
