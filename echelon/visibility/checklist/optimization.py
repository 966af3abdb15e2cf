"""Optimization: is synchronising tuned, is the right thing visible, is integration a process with owners?"""

from collections import Counter

from echelon.model.phrasing import count
from echelon.model.plan import NodeKind
from echelon.model.run import RunView, StepKind
from echelon.visibility.checklist.answers import Entry, ItemAnswer, done, not_applicable, not_done
from echelon.visibility.checklist.conditions import (
    COMBINE,
    RAISE,
    TRY_FAILURES,
    WRITE_JOB,
    for_several,
    from_run,
    with_runs,
    with_trials,
    with_work,
)
from echelon.visibility.checklist.evidence import JobEvidence, latest
from echelon.visibility.checklist.wording import named, tallied


@for_several
def _frequency_by_drift(evidence: JobEvidence) -> ItemAnswer:
    policies = dict.fromkeys(phase.sync.policy for phase in evidence.plan.phases)
    if "adaptive" in policies:
        return done(f"X3: {count(len(evidence.plan.phases), 'phase')} synchronised by drift: {named(policies)}")
    found = f"X3: synchronised by {named(policies)}, however fast the agents drift"
    return not_done(found, 'say sync="adaptive" of wide phases whose agents work on what changes meanwhile')


@for_several
def _protocol_for_levels(evidence: JobEvidence) -> ItemAnswer:
    syncs = count(len(evidence.plan.phases), "sync point")
    if evidence.plan.levels > 1 and not evidence.phases:
        return not_done(f"X2: {syncs} for {evidence.plan.levels} levels, and nothing that integrates at any", WRITE_JOB)
    if evidence.plan.levels < 2:
        return done(f"X2: {syncs}, each owned by {named({p.sync.owner: 0 for p in evidence.plan.phases})}")
    merging = [phase for phase in evidence.phases if phase.merger]
    flat = [phase.name for phase in merging if phase.combiner is None]
    if not merging or flat:
        where = f"in {named(flat)} the primary alone integrates" if flat else "no level is integrated"
        fix = "give the phase an integrator with `combine`, so that each team and domain integrates its own"
        return not_done(f"X2: {syncs} for {evidence.plan.levels} levels, but {where}", fix)
    return done(f"X2: {syncs}; teams, domains and primary integrate in stages in {named([p.name for p in merging])}")


@with_trials
def _exceptions_only(evidence: JobEvidence) -> ItemAnswer:
    run = next((run for run in evidence.tried if run.exceptions), None)
    if run is None:
        found = f"V1: nothing was pushed in {count(len(evidence.tried), 'run')}, so it was not seen what would be"
        return not_done(found, TRY_FAILURES)
    pushed, steps = len(run.exceptions), len(run.steps)
    found = f"V1: run {run.record.run_id} pushed {count(pushed, 'report')} for {count(steps, 'step')}"
    if pushed > steps:
        return not_done(
            f"{found}, more than there were steps", f"see what repeats: echelon exceptions {run.record.run_id}"
        )
    return done(f"{found}; the rest was no news")


@with_runs
def _escalation_triggered(evidence: JobEvidence) -> ItemAnswer:
    routes = tallied(Counter(one.route.value for each in evidence.runs for one in each.concerns))
    if not routes:
        return not_done(f"O1: no concern was raised in {count(len(evidence.runs), 'run')}", RAISE)
    return done(f"O1: concerns went where confidence and impact send them: {routes}")


@with_work
def _health_checked(evidence: JobEvidence) -> ItemAnswer:
    if not evidence.calls:
        return not_done("V1: no agents are known that could give signs of life", WRITE_JOB)
    watched = [call for call in evidence.calls if call.policy.idle_seconds]
    longest = max((call.policy.timeout_seconds or 0 for call in evidence.calls), default=0)
    if watched and len(watched) == len(evidence.calls):
        silent = max(call.policy.idle_seconds or 0 for call in watched)
        return done(f"V1: every agent gives signs of life, and is ended after {silent:g} s without one at the latest")
    noticed = f"; one that hangs is noticed by its timeout, after {longest:g} s at the latest" if longest else ""
    unwatched = count(len(evidence.calls) - len(watched), "agent")
    fix = "state `idle=` seconds for them: a command's output is a sign of life, a function calls heartbeat()"
    return not_done(f"V1: {unwatched} of {len(evidence.calls)} may be silent for as long as they work{noticed}", fix)


@with_trials
def _exceptions_surface(evidence: JobEvidence) -> ItemAnswer:
    seen = [(each.record.run_id, report) for each in evidence.tried for report in each.exceptions]
    if not seen:
        found = f"V1: nothing went wrong in {count(len(evidence.tried), 'run')}, so nothing had to surface"
        return not_done(found, TRY_FAILURES)
    run_id, report = seen[0]
    path = " › ".join(report.path)
    return done(f"V1: {count(len(seen), 'exception')} with the path to it: in run {run_id} {path}: {report.message}")


@for_several
def _levels_aggregated(evidence: JobEvidence) -> ItemAnswer:
    if evidence.plan.levels < 2:
        return not_applicable("V3: with one coordinating level there is nothing to aggregate in between")
    return _aggregated_in_run(evidence)


@from_run
def _aggregated_in_run(run: RunView) -> ItemAnswer:
    kinds = integrating_kinds(run)
    if {NodeKind.DOMAIN, NodeKind.TEAM}.isdisjoint(kinds):
        found = f"V3: in run {run.record.run_id} no coordinator below the primary integrated"
        return not_done(found, COMBINE)
    return done(f"V3: run {run.record.run_id} was integrated in stages: {tallied(kinds)}")


@from_run
def _detail_pulled(run: RunView) -> ItemAnswer:
    references = [step.handoff.output_location for step in run.steps if step.handoff.output_location]
    size = sum(reference.size_bytes for reference in references)
    outputs = f"{count(len(references), 'output')} ({size:,} bytes)"
    if not references:
        return not_done(f"V2: run {run.record.run_id} has no output to read", f"echelon show {run.record.run_id}")
    return done(f"V2: {outputs} handed on by reference, read with: echelon show {run.record.run_id} AGENT --output")


@for_several
def _integration_owned(evidence: JobEvidence) -> ItemAnswer:
    owners = evidence.plan.owners
    ownerless = [node.id for node in evidence.coordinators if node.id not in owners]
    ownerless += [phase.name for phase in evidence.plan.phases if phase.sync.owner not in evidence.plan.nodes]
    if ownerless:
        return not_done(f"D6: no one owns the integration of {named(ownerless)}", "plan the job again")
    coordinators = count(len(evidence.coordinators), "coordinator")
    return done(f"D6: {coordinators} and {count(len(evidence.plan.phases), 'sync point')} have one owner each")


@for_several
@from_run
def _checkpoints_set(run: RunView) -> ItemAnswer:
    passed = [phase.name for phase in run.phases if phase.ended]
    open_ = [phase.name for phase in run.phases if not phase.ended]
    if open_ or not passed:
        found = f"X2: run {run.record.run_id} did not pass the sync point of {named(open_) or 'any phase'}"
        return not_done(found, f"see where it stands: echelon show {run.record.run_id}")
    points = count(len(passed), "sync point")
    return done(
        f"X2: run {run.record.run_id} passed {points}, of {named(passed)}, each on record before the next phase"
    )


@for_several
def _quality_stated(evidence: JobEvidence) -> ItemAnswer:
    if not evidence.phases:
        return _quality_in_graph(evidence)
    integrators = [call for phase in evidence.phases for call in (phase.merger, phase.combiner) if call]
    loose = [call.name for call in integrators if call.contract is None]
    if not integrators or loose:
        where = f"{named(loose)} may deliver anything" if loose else "there is no integrator to hold to anything"
        return not_done(f"C5: {where}", "give the phase an integrator with a return type that says what is good enough")
    bare = [f"{call.name} → {call.contract}" for call in integrators if not call.criteria]
    if bare:
        found = f"C5: a return type alone says what a result is, and not when it is good enough: {named(bare)}"
        return not_done(found, "put it into the contract: bounds of its fields (Field(ge=…, min_length=…)), validators")
    criteria = dict.fromkeys(f"{call.name} → {one}" for call in integrators for one in call.criteria)
    return done(f"C5: what misses the criteria of its contract is refused: {named(criteria)}")


def _quality_in_graph(evidence: JobEvidence) -> ItemAnswer:
    unchecked = [task.id for task in evidence.ends if not task.verifies]
    if unchecked:
        found = (
            f"O3: the name of a contract says nothing of when a result is good, and no task checks {named(unchecked)}"
        )
        return not_done(found, "add a task that `verifies` what everything ends in")
    return done(f"O3: what everything ends in is checked: {named([task.id for task in evidence.ends])}")


@for_several
def _conflicts_resolved(evidence: JobEvidence) -> ItemAnswer:
    shared = {thing for task in evidence.plan.tasks for thing in task.touches}
    apart = f"; tasks that change the same of {count(len(shared), 'thing')} never meet (D4)" if shared else ""
    settled = [phase for phase in evidence.plan.phases if phase.settle]
    if not settled:
        found = f"X9: no contract says what its values are about, so contradictions are not found{apart}"
        return not_done(found, "mark the key of the values in their contract: Annotated[str, Key()]")
    for run in evidence.runs:
        open_ones = [one for one in run.conflicts if not one.is_decided]
        if open_ones:
            found = f"X9: {count(len(open_ones), 'conflict')} of run {run.record.run_id} still to be settled"
            return not_done(found, "echelon concerns dispose ID --as resolved --counts TASK, then resume the run")
    by = dict.fromkeys(phase.settle for phase in settled)
    return done(f"X9: found in {named([phase.name for phase in settled])}, settled by {', '.join(by)}{apart}")


def integrating_kinds(run: RunView) -> Counter[str]:
    """Count who integrated in a run, by the kind of coordinator."""
    nodes = run.record.plan.nodes if run.record.plan else {}
    done_by = [step.node for step in latest(run, StepKind.INTEGRATION) if step.handoff.done]
    return Counter(nodes[node].kind.value for node in done_by if node in nodes)


ENTRIES = (
    Entry("sync.frequency", "How often to synchronise follows from how fast agents drift.", _frequency_by_drift),
    Entry("sync.levels", "Each level has its own way to synchronise.", _protocol_for_levels),
    Entry("sync.exceptions-only", "Agents report deviations, not progress.", _exceptions_only),
    Entry("sync.escalation-triggers", "It is settled what goes up the hierarchy, and when.", _escalation_triggered),
    Entry("visibility.health-checks", "Each agent shows that it is alive.", _health_checked),
    Entry("visibility.exceptions", "What goes wrong comes up with the place it came from.", _exceptions_surface),
    Entry("visibility.aggregation", "Each level sees a summary of the one below.", _levels_aggregated),
    Entry("visibility.pull-detail", "Details can be fetched, and are not sent.", _detail_pulled),
    Entry("integration.owners", "Integration has one owner at each level.", _integration_owned),
    Entry("integration.checkpoints", "There are fixed points at which outputs come together.", _checkpoints_set),
    Entry("integration.quality-criteria", "It is stated what a good integration is.", _quality_stated),
    Entry("integration.conflicts", "Contradictions are found and decided.", _conflicts_resolved),
)
