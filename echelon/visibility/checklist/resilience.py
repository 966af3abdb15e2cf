"""Resilience: are calls protected, is work verified, have failures been tried out?"""

from echelon.model.concern import CRITICAL
from echelon.model.exception_report import Trigger
from echelon.model.graph import TaskSpec
from echelon.model.phrasing import count
from echelon.model.plan import InfrastructureRole
from echelon.model.run import RunView, StepKind
from echelon.oversight.ledger import ledger_of
from echelon.planning.schedule.phase_graph import ancestors, phases_awaited
from echelon.visibility.checklist.answers import Entry, ItemAnswer, done, not_done
from echelon.visibility.checklist.conditions import (
    RAISE,
    SEE_FAILURE,
    TRY_FAILURES,
    WRITE_JOB,
    for_several,
    from_agents,
    with_run,
    with_runs,
    with_trials,
    with_work,
)
from echelon.visibility.checklist.evidence import (
    AgentKind,
    JobEvidence,
    failed,
    latest,
    recovered,
    repeated,
    undelivered,
)
from echelon.visibility.checklist.wording import named

#: From so many agents on each countermeasure is asked for (R4).
VERIFICATION_FROM, AUDIT_FROM, PATTERNS_FROM = 4, 11, 31  # agents


@with_work
def _breakers_set(evidence: JobEvidence) -> ItemAnswer:
    if not evidence.calls:
        return not_done("F1: a task graph does not say what its agents will call", WRITE_JOB)
    bare = [call.name for call in evidence.calls if call.kind is AgentKind.MODEL and not call.policy.breaker]
    breakers = sorted({call.policy.breaker for call in evidence.calls if call.policy.breaker})
    if bare:
        return not_done(f"F1: no breaker guards the provider of {named(bare)}", 'name the provider: breaker="provider"')
    if not breakers:
        found = "F1: no agent names what it depends on, so no breaker guards it"
        return not_done(found, 'give agents that call a service `breaker="name"`; the others need none')
    return done(f"F1: {count(len(breakers), 'breaker')} for what agents depend on: {named(breakers)}")


@with_work
def _fallbacks_defined(evidence: JobEvidence) -> ItemAnswer:
    if not evidence.phases:
        found = "F2: a task graph does not say what stands in for an output that is missing"
        return not_done(found, "give its agents a `fallback=`, or write the job in Python")
    stated = [fallback for phase in evidence.phases for fallback in phase.fallbacks]
    bare = [f"{phase.name} → {needed}" for phase in evidence.phases for needed in phase.unsettled]
    if bare:
        found = f"F2: {count(len(bare), 'need')} without a fallback: {named(bare)}"
        return not_done(
            found, f"state one (Need(…, fallback=…)), or that it is needed tightly{_seen_without(evidence)}"
        )
    if stated:
        return done(f"F2: {count(len(stated), 'fallback')} stated: {named(stated)}")
    return not_done("F2: no fallback is stated", f"give an agent or a need one: `fallback=`{_seen_without(evidence)}")


def _seen_without(evidence: JobEvidence) -> str:
    """Say which run continued without an output: that it can is no statement of what should happen."""
    for each in evidence.runs:
        lost, went_on = undelivered(each), _went_on(each)
        if lost and went_on:
            return f"; in run {each.record.run_id} {named(went_on)} continued without {count(len(lost), 'output')}"
    return ""


@with_work
def _retries_set(evidence: JobEvidence) -> ItemAnswer:
    if not evidence.calls:
        return _retries_in_graph(evidence)
    unbounded = [c.name for c in evidence.calls if not (c.policy.timeout_seconds and c.policy.attempts)]
    if unbounded:
        return not_done(f"F4: {named(unbounded)} may never end", "give them a timeout and a number of attempts")
    seconds = sorted({call.policy.timeout_seconds or 0 for call in evidence.calls})
    attempts = sorted({call.policy.attempts or 0 for call in evidence.calls})
    tries = f"{_range(seconds)} s for an attempt (F4), {_range(attempts)} attempts at most"
    return done(f"F3: {count(len(evidence.calls), 'agent or integrator', 'agents and integrators')} have {tries}")


def _retries_in_graph(evidence: JobEvidence) -> ItemAnswer:
    bare = [task.id for task in evidence.plan.tasks if not task.attempts]
    if bare:
        found = f"F3: {count(len(bare), 'task')} without a number of attempts: {named(bare)}"
        return not_done(found, "a task graph has no timeouts: write the job in Python, with Resilience(…)")
    return not_done("F4: attempts are stated, timeouts are not", "write the job in Python, with Resilience(…)")


@with_trials
def _cascades_detected(evidence: JobEvidence) -> ItemAnswer:
    for each in evidence.tried:
        blocked = [report for report in each.exceptions if report.trigger is Trigger.BLOCKED]
        if blocked:
            return done(f"F6: run {each.record.run_id} reported one cause once: {blocked[0].message}")
    found = f"F6: in {count(len(evidence.tried), 'run')} no failure reached those who depend on it"
    return not_done(found, TRY_FAILURES)


@from_agents(VERIFICATION_FROM, "R4 asks for independent verification")
def _verified(evidence: JobEvidence) -> ItemAnswer:
    checks = [task for task in evidence.plan.tasks if task.verifies]
    if not checks:
        return _verified_in_phases(evidence)
    own = [task.id for task in checks if not _independent(task, evidence)]
    if own:
        found = f"O3: {named(own)} would check their own work, or that of their own model"
        return not_done(found, "let another agent with another model check it")
    checked = {one for task in checks for one in task.verifies}
    bare = [task.id for task in evidence.plan.tasks if _dangerous(task) and task.id not in checked]
    if bare:
        found = f"O3: {count(len(bare), 'dangerous task')} that no one checks: {named(bare)}"
        return not_done(found, "add a task that `verifies` each of them, with another model or method")
    names = named([task.id for task in checks])
    return done(f"O3: {count(len(checks), 'check')} of what other agents made, by another model or method: {names}")


def _verified_in_phases(evidence: JobEvidence) -> ItemAnswer:
    """Answer by who is stated to verify: of the job, or of a phase."""
    plan = evidence.plan
    of_job = [
        one.id.partition("/")[2] or one.id for one in plan.infrastructure if one.role is InfrastructureRole.VERIFICATION
    ]
    names = list(dict.fromkeys([*of_job, *(name for phase in plan.phases for name in phase.verify)]))
    if not names:
        return not_done(
            "O2: nobody checks what another agent made",
            "state who verifies: Job(…, oversight=Oversight(verify=…)), verify= of a phase, or in a task graph a task "
            "that `verifies` others",
        )
    return done(f"O3: results are verified by {named(names)}, before they are handed on")


def _dangerous(task: TaskSpec) -> bool:
    return task.irreversible or task.error_consequence == "catastrophic"


def _independent(check: TaskSpec, evidence: JobEvidence) -> bool:
    by_id, agent_of = {task.id: task for task in evidence.plan.tasks}, evidence.plan.agent_of
    return all(
        agent_of.get(one) != agent_of.get(check.id) and (check.model is None or check.model != by_id[one].model)
        for one in check.verifies
        if one in by_id
    )


@from_agents(AUDIT_FROM, "R4 asks for audits")
@with_run
def _audited(_evidence: JobEvidence, run: RunView) -> ItemAnswer:
    judged = run.judged
    if not judged.audited:
        found = f"O4: no integration of run {run.record.run_id} was audited"
        return not_done(found, "integrate in phases, and state Job(..., oversight=Oversight(audit=Audit()))")
    came = ((judged.audit_rejected, "rejected"), (judged.audit_unknown, "not known"))
    wrong = "".join(f", {number:,} {what}" for number, what in came if number)
    audited = f"{judged.audited:,} of {count(judged.integrations, 'integration')}"
    return done(f"O4: {audited} of run {run.record.run_id} audited{wrong}")


@with_runs
def _concerns_kept(evidence: JobEvidence) -> ItemAnswer:
    raised = [one for each in evidence.runs for one in each.concerns]
    if not raised:
        return not_done(f"O1: no concern was raised in {count(len(evidence.runs), 'run')}", RAISE)
    ended = [one for one in raised if one.disposition]
    return done(f"O1: {count(len(raised), 'concern')} on record, {len(ended):,} closed by someone with a reason")


@from_agents(PATTERNS_FROM, "R4 asks for pattern detection")
@with_runs
def _patterns_found(evidence: JobEvidence) -> ItemAnswer:
    raised = [one for run in evidence.runs for one in run.concerns]
    if not raised:
        return not_done(f"O1: no concern was raised in {count(len(evidence.runs), 'run')}", RAISE)
    same = ledger_of(raised, {run.record.run_id: run.record.job for run in evidence.runs})
    again = sum(one.runs > 1 for one in same)
    compared = f"{count(len(raised), 'concern')} of {count(len(evidence.runs), 'run')} compared"
    return done(f"O7: {compared}, {again:,} raised in several of them; what repeats is listed once, with its count")


@for_several
def _agent_failure_tried(evidence: JobEvidence) -> ItemAnswer:
    return _tried(evidence)


@with_trials
def _tried(evidence: JobEvidence) -> ItemAnswer:
    for each in evidence.tried:
        lost, tasks = failed(each), latest(each, StepKind.TASK)
        kept = sum(step.handoff.done for step in tasks)
        if lost and kept:
            agents = count(len(lost), "agent")
            return done(f"F7: in run {each.record.run_id} {agents} failed and {kept:,} of {len(tasks):,} delivered")
    return not_done(f"F7: no agent failed in {count(len(evidence.tried), 'run')}", TRY_FAILURES)


@for_several
def _missing_handled(evidence: JobEvidence) -> ItemAnswer:
    return _handled(evidence)


@with_runs
def _handled(evidence: JobEvidence) -> ItemAnswer:
    for each in evidence.runs:
        gaps = {step.phase for step in undelivered(each)}
        merged = [s.node for s in latest(each, StepKind.INTEGRATION) if s.handoff.done and s.phase in gaps]
        if merged:
            missing = count(len(undelivered(each)), "output")
            return done(
                f"F7: in run {each.record.run_id} {named(merged)} integrated without {missing}, named with reasons"
            )
    found = f"F7: no integration had to do without an output in {count(len(evidence.runs), 'run')}"
    return not_done(found, SEE_FAILURE)


@with_runs
def _escalation_works(evidence: JobEvidence) -> ItemAnswer:
    risen = [one for each in evidence.runs for one in each.concerns if one.route in CRITICAL]
    ended = [one for one in risen if one.disposition]
    if not risen:
        return not_done(f"O1: nothing was escalated in {count(len(evidence.runs), 'run')}", RAISE)
    if not ended:
        found = f"O1: {count(len(risen), 'escalated concern')}, and no one has answered yet"
        return not_done(found, f"echelon concerns dispose {risen[0].id} --as … --reason …")
    end = ended[0].disposition
    author = end.author if end else ""
    return done(f"O1: {len(ended):,} of {count(len(risen), 'escalated concern')} ended, the first by {author}")


@with_trials
def _recovery_tried(evidence: JobEvidence) -> ItemAnswer:
    for each in evidence.tried:
        steps = recovered(each)
        if steps:
            twice = repeated(each)
            since = f"{count(twice, 'step')} made from others before" if twice else "none that was done"
            again = f"{count(len(steps), 'step')} that had failed, and {since}"
            return done(f"F8: run {each.record.run_id} was resumed and did again {again}")
    found = f"F8: no step was made good after a resume in {count(len(evidence.tried), 'run')}"
    return not_done(found, "stop a run, or let an agent fail, then: echelon resume RUN")


def _went_on(run: RunView) -> list[str]:
    """Return who worked behind a gap: integrators of the phase, and agents of phases that wait for it."""
    gaps = {step.phase for step in undelivered(run)}
    needs = phases_awaited(run.record.plan) if run.record.plan else {}
    later = {name for name in needs if gaps & ancestors(needs, name)}
    integrated = [s.node for s in latest(run, StepKind.INTEGRATION) if s.handoff.done and s.phase in gaps | later]
    worked = [s.node for s in latest(run, StepKind.TASK) if s.handoff.done and s.phase in later]
    return list(dict.fromkeys((*integrated, *worked)))


def _range(values: list[float] | list[int]) -> str:
    return f"{values[0]:g}" if len(values) == 1 else f"{values[0]:g}–{values[-1]:g}"


ENTRIES = (
    Entry("protection.breakers", "Calls to what fails again and again are refused for a while.", _breakers_set),
    Entry("protection.fallbacks", "It is settled what happens without an output.", _fallbacks_defined),
    Entry("protection.timeouts-and-retries", "Each call ends, and is made again only so often.", _retries_set),
    Entry("protection.cascades", "Failures with one cause are reported as one incident.", _cascades_detected),
    Entry(
        "verification.independent-channel", "Checks are made by those who do not report to those checked.", _verified
    ),
    Entry("verification.audit", "Integrations are sampled and judged.", _audited),
    Entry("verification.concerns", "Concerns are kept until someone closes them with a reason.", _concerns_kept),
    Entry("verification.patterns", "What is raised again and again is noticed.", _patterns_found),
    Entry("tests.agent-failure", "It was seen what happens when an agent fails.", _agent_failure_tried),
    Entry("tests.missing-outputs", "It was seen that integration copes with gaps.", _missing_handled),
    Entry("tests.escalation", "Escalations were seen to reach someone.", _escalation_works),
    Entry("tests.recovery", "It was seen that a stopped run can go on.", _recovery_tried),
)
