"""Success: what the last run measured, held against target, warning and critical (M)."""

from collections.abc import Callable
from dataclasses import dataclass

from echelon.model.run import RunView, StepKind
from echelon.visibility.checklist.answers import Entry, ItemAnswer, done, not_applicable, not_done
from echelon.visibility.checklist.conditions import for_several, from_run, with_run
from echelon.visibility.checklist.evidence import WITHOUT_CONTEXT, JobEvidence, latest
from echelon.visibility.checklist.wording import share


@dataclass(frozen=True)
class Limit:
    """A grade, and when a measure deserves it."""

    grade: str
    """How bad it is."""
    holds: Callable[[float], bool]
    """Whether a measure, as a share, deserves it."""


#: Shares of M, the worst grade first; what deserves none is on target.
FIRST_TRY = (
    Limit("critical", lambda value: value < 0.5),
    Limit("a warning", lambda value: value < 0.6),
    Limit("below target", lambda value: value <= 0.7),
)
INTEGRATION = (
    Limit("critical", lambda value: value < 0.7),
    Limit("a warning", lambda value: value < 0.8),
    Limit("below target", lambda value: value <= 0.9),
)
ESCALATION = (
    Limit("critical", lambda value: value > 0.5 or value == 0),
    Limit("a warning", lambda value: value > 0.3 or value < 0.05),
    Limit("above target", lambda value: value > 0.2),
)
COORDINATION = (
    Limit("critical", lambda value: value > 0.5),
    Limit("a warning", lambda value: value > 0.4),
)

#: The usual share of coordination, whatever the number of agents (M1).
COORDINATION_TARGET = (0.15, 0.30)


def grade(value: float, limits: tuple[Limit, ...]) -> str | None:
    """Return the worst grade that a measure deserves; None on target."""
    return next((limit.grade for limit in limits if limit.holds(value)), None)


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
    bad = grade(value, COORDINATION) or ("above target" if value > highest else None)
    if bad:
        return not_done(f"{found}: {bad}", "give integrators less to do, or the work to fewer agents")
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
    return _judged("M4", run, value, "of the tasks escalated something, target 5–20 %", ESCALATION, fix)


def _context(evidence: JobEvidence) -> ItemAnswer:
    if evidence.calls and all(call.kind in WITHOUT_CONTEXT for call in evidence.calls):
        return not_applicable("M5: all agents are functions and commands, so there is no context to fill")
    found = "M5: not measured: no agent reports how full its context was at the end, target 50–80 %"
    return not_done(found, "this version does not learn it; see the tokens of an agent: echelon show RUN AGENT")


def _judged(rule: str, run: RunView, value: float | None, what: str, limits: tuple[Limit, ...], fix: str) -> ItemAnswer:
    where = f"in run {run.record.run_id}"
    if value is None:
        return not_done(f"{rule}: not measured {where}: share {what}", fix)
    bad = grade(value, limits)
    found = f"{rule}: {where} {share(value)} {what}"
    return not_done(f"{found}: {bad}", fix) if bad else done(found)


ENTRIES = (
    Entry("coordination-ratio", "Coordination takes the share that is usual at this size.", _coordination),
    Entry("first-try", "Most tasks are done at the first attempt.", _first_try),
    Entry("integration-quality", "Most integrations need no rework.", _integration),
    Entry("escalation-rate", "Some things are escalated, most are not.", _escalation),
    Entry("context-use", "Agents end with their context well used and not full.", _context),
)
