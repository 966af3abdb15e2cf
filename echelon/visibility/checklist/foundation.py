"""Foundation: is the size known, is the work cut well, are contracts in place, does basic coordination work?"""

from collections import Counter

from echelon.model.graph import Coupling
from echelon.model.handoff import HANDOFF_SCHEMA_VERSION
from echelon.model.phrasing import count
from echelon.model.run import RunView, StepKind
from echelon.model.status import Status
from echelon.planning.regime import DEFAULT_SPAN
from echelon.visibility.checklist.answers import Entry, ItemAnswer, done, not_applicable, not_done
from echelon.visibility.checklist.conditions import (
    TRY_FAILURES,
    for_several,
    from_run,
    from_steps,
    with_trials,
    with_work,
)
from echelon.visibility.checklist.evidence import JobEvidence, latest
from echelon.visibility.checklist.wording import named, tallied

#: Singular and plural.
DEPENDENCY = ("dependency", "dependencies")
TIGHT = ("tight dependency", "tight dependencies")
CALL = ("agent or integrator", "agents and integrators")

#: From so many agents on the meaning of a word cannot be settled by asking (C3).
VOCABULARY_FROM = 50  # agents

STATE_TOKENS = "state `tokens=` of each phase, or of each task of the graph"


@with_work
def _agents_counted(evidence: JobEvidence) -> ItemAnswer:
    plan = evidence.plan
    return done(f"R1: {count(plan.n_agents, 'agent')} for {count(len(plan.tasks), 'task')}")


@with_work
def _regime_known(evidence: JobEvidence) -> ItemAnswer:
    plan = evidence.plan
    following = plan.profile.next_transition
    away = f"; the next change is {following.agents_away:,} agents away" if following else ""
    return done(f"R1: {count(plan.n_agents, 'agent')} make a {_words(plan.structure)} structure{away}")


@with_work
def _pattern_selected(evidence: JobEvidence) -> ItemAnswer:
    plan, wanted = evidence.plan, evidence.plan.organisation.structure
    if wanted is not None and wanted is not plan.structure:
        found = f"L8: {_words(wanted)} is asked for, {count(plan.n_agents, 'agent')} are {_words(plan.structure)} (R1)"
        return not_done(found, "leave the structure to the plan")
    widest = max((len(node.members) for node in evidence.coordinators), default=0)
    if widest > DEFAULT_SPAN:
        found = f"R2: someone leads {widest} direct reports, and no one can follow more than {DEFAULT_SPAN}"
        return not_done(found, f"plan with a span of {DEFAULT_SPAN} or less")
    levels = count(plan.levels, "coordinating level")
    return done(f"R2: {levels}, no one leads more than {widest} (span {plan.span}); {plan.profile.topology}")


@with_work
def _decomposed(evidence: JobEvidence) -> ItemAnswer:
    tasks = evidence.in_context
    wrong = evidence.warnings("D5")
    if wrong:
        found = f"{count(len(wrong), 'task')} of the wrong size: {wrong[0].where}: {wrong[0].message}"
        return not_done(f"D5: {found}", wrong[0].fix)
    if not tasks:
        return not_applicable("D5: all agents are functions and commands, so there is no context to fill")
    unsized = [task.id for task in tasks if task.tokens is None]
    if unsized:
        found = f"D5: {len(unsized):,} of {count(len(tasks), 'task')} state no tokens, so no one knows whether an agent"
        return not_done(f"{found} can hold them: {named(unsized)}", STATE_TOKENS)
    agents = count(evidence.plan.n_agents, "agent")
    return done(f"D5: {count(len(tasks), 'task')} for {agents}, each states its tokens, and none is too large")


@with_work
def _dependencies_few(evidence: JobEvidence) -> ItemAnswer:
    void = [task.id for task in evidence.plan.tasks if any(d.coupling is Coupling.NONE for d in task.depends_on)]
    if void:
        found = f"D3: {count(len(void), 'task')} with a dependency that is none: {named(void)}"
        return not_done(found, "leave out dependencies whose coupling is none")
    handoffs = evidence.plan.handoffs
    if handoffs.before == 0:
        return not_applicable("D1: no task uses what another one makes: there is no dependency to avoid")
    return done(
        f"D1: {handoffs.after:,} of {handoffs.before:,} handoffs are left, {handoffs.crossing:,} cross a domain"
    )


@with_work
def _dependencies_identified(evidence: JobEvidence) -> ItemAnswer:
    links = [(task.id, link) for task in evidence.plan.tasks for link in task.depends_on]
    bare = [f"{task} → {link.task}" for task, link in links if link.coupling is Coupling.TIGHT and not link.reason]
    if bare:
        fix = "say why it cannot run without, as `reason`, or make the coupling loose"
        return not_done(f"D3: {count(len(bare), *TIGHT)} without a reason: {named(bare)}", fix)
    silent = [f"{task} → {link.task}" for task, link in links if "coupling" not in link.model_fields_set]
    silent += [f"{phase.name} → {needed}" for phase in evidence.phases for needed in phase.unstated]
    if silent:
        found = f"D3: {count(len(silent), *DEPENDENCY)} of which is not said how tight: {named(silent)}"
        return not_done(
            found, "state the coupling of each: tight with a reason, medium with a fallback, loose, or none"
        )
    couplings = [link.coupling.value for _, link in links]
    couplings += [one.coupling.value for one in evidence.plan.terms if one.coupling]
    if not couplings:
        return not_applicable("D3: no task uses what another one makes")
    return done(f"D3: {tallied(Counter(couplings))}")


@with_work
def _graph_mapped(evidence: JobEvidence) -> ItemAnswer:
    plan = evidence.plan
    links = sum(len(task.depends_on) for task in plan.tasks)
    counts = f"{count(len(plan.tasks), 'task')}, {count(links, *DEPENDENCY)}"
    phases = [phase.name for phase in plan.phases]
    return done(f"D4: {counts} in {count(len(phases), 'phase')} without a cycle: {named(phases)}")


def _words_agreed(evidence: JobEvidence) -> ItemAnswer:
    agents = evidence.plan.n_agents
    if agents >= VOCABULARY_FROM and not evidence.vocabularies:
        found = f"C3: {count(agents, 'agent')}, and no contract declares the words it is made of"
        return not_done(found, "declare them: an Enum or a Literal in the contracts, `vocabularies` in a task graph")
    return _statuses_agreed(evidence)


@from_steps
def _statuses_agreed(run: RunView) -> ItemAnswer:
    used = tallied(Counter(step.handoff.status.value for step in run.steps))
    return done(f"C2: run {run.record.run_id} used {used}, out of {len(Status)} words with one meaning each")


@from_steps
def _handoffs_kept(run: RunView) -> ItemAnswer:
    other = {step.handoff.schema_version for step in run.steps} - {HANDOFF_SCHEMA_VERSION}
    if other:
        fix = "run it again with this version"
        return not_done(f"C1: run {run.record.run_id} has handoffs of version {named(sorted(other))}", fix)
    handoffs = count(len(run.steps), "handoff")
    return done(f"C1: {handoffs} of run {run.record.run_id} kept version {HANDOFF_SCHEMA_VERSION} of the contract")


@with_trials
def _errors_reported(evidence: JobEvidence) -> ItemAnswer:
    errors = Counter(step.handoff.error.kind for one in evidence.tried for step in one.steps if step.handoff.error)
    runs = count(len(evidence.tried), "run")
    if not errors:
        return not_done(f"C1: in {runs} no step failed, so no error report was seen", TRY_FAILURES)
    return done(f"C1: every step without output in {runs} says kind, reason and whether it can pass: {tallied(errors)}")


@with_work
def _interfaces_stated(evidence: JobEvidence) -> ItemAnswer:
    if not evidence.phases:
        return _interfaces_in_graph(evidence)
    loose = [call.name for call in evidence.calls if call.contract is None]
    if loose:
        return not_done(
            f"C5: anything may come from {named(loose)}", "state the return type that its consumers rely on"
        )
    contracts = dict.fromkeys(str(call.contract) for call in evidence.calls)
    return done(f"C5: {count(len(evidence.calls), *CALL)} with a contract each: {named(contracts)}")


def _interfaces_in_graph(evidence: JobEvidence) -> ItemAnswer:
    if not evidence.handed_on:
        return not_applicable("C7: no agent uses what another one makes")
    bare = [task.id for task in evidence.handed_on if task.contract is None]
    if bare:
        found = f"C7: {count(len(bare), 'task')} without a contract, but used by other agents: {named(bare)}"
        return not_done(found, "name the contract of each output, as in `contract: Finding@1`")
    return done(f"C7: {count(len(evidence.handed_on), 'task')} used by other agents, each with a contract")


@for_several
def _orchestrator_there(evidence: JobEvidence) -> ItemAnswer:
    primary = evidence.plan.primary
    if len(primary.members) > DEFAULT_SPAN:
        found = f"R1: {primary.id} leads {len(primary.members)} direct reports alone, more than {DEFAULT_SPAN}"
        return not_done(found, f"put leads in between: plan with a span of {DEFAULT_SPAN} or less")
    leads = ", ".join(count(number, lead) for lead, number in evidence.leads.items())
    below = f", with {leads} in all" if leads else ""
    return done(f"R1: {primary.id} leads {count(len(primary.members), 'direct report')}{below}")


@with_work
def _tasks_assigned(evidence: JobEvidence) -> ItemAnswer:
    plan = evidence.plan
    nobody = [task.id for task in plan.tasks if task.id not in plan.agent_of or task.id not in plan.owners]
    if nobody:
        return not_done(f"D6: {count(len(nobody), 'task')} without an owner: {named(nobody)}", "plan the job again")
    return done(f"D6: {count(len(plan.tasks), 'task')}, each held and owned by one agent")


@from_run
def _status_told(run: RunView) -> ItemAnswer:
    ended = {step.handoff.task_id for step in run.steps}
    planned = run.record.plan.tasks if run.record.plan else ()
    silent = [task.id for task in planned if task.id not in ended and task.id not in run.sync.stopped]
    if not planned:
        return not_done(f"X1: run {run.record.run_id} had no task to report on", "look at what its phases found to do")
    if silent:
        found = f"X1: {count(len(silent), 'task')} of run {run.record.run_id} never reported: {named(silent)}"
        return not_done(found, f"resume it: echelon resume {run.record.run_id}")
    tasks = count(len(latest(run, StepKind.TASK)), "task")
    return done(f"X1: {tasks} of run {run.record.run_id} reported an end, none stayed silent")


@for_several
def _integration_simple(evidence: JobEvidence) -> ItemAnswer:
    if not evidence.phases:
        return _integration_in_graph(evidence)
    needed = {name for phase in evidence.phases for name in phase.needs}
    ends = [phase for phase in evidence.phases if phase.name not in needed]
    loose = [phase.name for phase in ends if not phase.merger and evidence.tasks_in.get(phase.name, 0) > 1]
    if loose:
        found = f"D6: no one integrates what the agents of {named(loose)} deliver"
        return not_done(found, "give the phase `integrate=`, or a later phase that `needs` it")
    if len(ends) > 1:
        found = f"D6: nothing puts together what {named([phase.name for phase in ends])} deliver"
        return not_done(found, "add a phase that `needs` them all")
    merged = [phase.name for phase in evidence.phases if phase.merger]
    by = f"integrators in {named(merged)}" if merged else f"the phase {named([phase.name for phase in ends])}"
    return done(f"D6: what several agents deliver is put together by {by}")


def _integration_in_graph(evidence: JobEvidence) -> ItemAnswer:
    ends = [task.id for task in evidence.ends]
    if len(ends) == 1:
        return done(f"D6: everything ends in {named(ends)}, which nothing else uses")
    found = f"D6: {count(len(ends), 'result')} that nothing uses: {named(ends)}"
    return not_done(found, "add a task that depends on them and puts them together")


def _words(name: str) -> str:
    return name.replace("_", "-")


ENTRIES = (
    Entry("regime.count-agents", "The number of agents that the work asks for is known.", _agents_counted),
    Entry("regime.identify", "It is clear which regime that number falls into.", _regime_known),
    Entry("regime.select-pattern", "The pattern of coordination fits that regime.", _pattern_selected),
    Entry("boundaries.decompose", "The work is cut into tasks that agents can hold.", _decomposed),
    Entry("boundaries.minimize-dependencies", "No dependency is there that could be avoided.", _dependencies_few),
    Entry(
        "boundaries.identify-dependencies",
        "Each dependency that stays says how tight it is, and a tight one says why.",
        _dependencies_identified,
    ),
    Entry("boundaries.map-graph", "What depends on what is drawn as a graph, without a cycle.", _graph_mapped),
    Entry(
        "contracts.vocabulary", "All agents use the words for the state of work with the same meaning.", _words_agreed
    ),
    Entry("contracts.handoff-format", "Work changes hands in one stated format.", _handoffs_kept),
    Entry("contracts.error-format", "Failures are reported in one stated format.", _errors_reported),
    Entry("contracts.interfaces", "What agents take from each other is typed.", _interfaces_stated),
    Entry("coordination.orchestrator", "There is an orchestrator that suits the size.", _orchestrator_there),
    Entry("coordination.assignment", "Each task reaches exactly one agent.", _tasks_assigned),
    Entry("coordination.status-protocol", "Agents report how their tasks ended.", _status_told),
    Entry("coordination.integration", "The outputs are integrated.", _integration_simple),
)
