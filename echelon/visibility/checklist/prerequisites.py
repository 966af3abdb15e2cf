"""Prerequisites: what must hold before many agents work together, and before more than a few do."""

from collections import defaultdict

from echelon.model.phrasing import count
from echelon.model.run import RunView, StepKind
from echelon.planning.regime import FLAT_UP_TO
from echelon.visibility.checklist.answers import Entry, ItemAnswer, done, not_done
from echelon.visibility.checklist.conditions import (
    TRY_FAILURES,
    from_agents,
    from_run,
    from_steps,
    with_run,
    with_runs,
    with_trials,
    with_work,
)
from echelon.visibility.checklist.evidence import JobEvidence, latest
from echelon.visibility.checklist.wording import named, share

#: Share of first attempts from which an agent counts as reliable (M2).
RELIABLE = 0.7
#: A hierarchy is tried at small scale with at most so many agents (R1).
SMALL_UP_TO = 20
#: Rules of decomposition that the planner itself looks at.
DECOMPOSITION = ("D1", "D2", "D4", "D5")

beyond_small = from_agents(FLAT_UP_TO + 1, "this is asked for")


@with_run
def _agents_reliable(evidence: JobEvidence, run: RunView) -> ItemAnswer:
    who = {task.id: task.capability or task.id for task in evidence.plan.tasks}
    tries: dict[str, list[bool]] = defaultdict(list)
    for step in latest(run, StepKind.TASK):
        handoff = step.handoff
        tries[who.get(handoff.task_id, handoff.producer)].append(handoff.done and handoff.attempts == 1)
    rates = sorted((sum(hits) / len(hits), len(hits), name) for name, hits in tries.items())
    if not rates:
        return not_done(f"M2: run {run.record.run_id} has no task on record", "look at what its phases found to do")
    rate, tasks, name = rates[0]
    did = f"{share(rate)} of {count(tasks, 'task')} at the first attempt"
    found = f"M2: {named([name])}, the least reliable, did {did}"
    if rate <= RELIABLE:
        return not_done(
            f"{found} in run {run.record.run_id}", f"make it reliable alone first: echelon show {run.record.run_id}"
        )
    return done(f"{found} in run {run.record.run_id}")


@with_work
def _decomposition_understood(evidence: JobEvidence) -> ItemAnswer:
    wrong = evidence.warnings(*DECOMPOSITION)
    if wrong:
        return not_done(f"{wrong[0].rule}: {wrong[0].message}", wrong[0].fix)
    tasks = evidence.plan.tasks
    unknown = [task.id for task in tasks if task.seconds is None and task.tokens is None]
    if unknown:
        found = (
            f"V6: {count(len(unknown), 'task')} of {len(tasks):,} with no expected duration or size: {named(unknown)}"
        )
        return not_done(found, "state `seconds=` or `tokens=` of each phase, or of each task of the graph")
    return done(
        f"V6: {count(len(tasks), 'task')}, each with its duration or size; of the decomposition "
        f"({', '.join(DECOMPOSITION)}) the planner warns of nothing; echelon lint looks at the rest"
    )


@with_work
def _conventions_given(evidence: JobEvidence) -> ItemAnswer:
    if not evidence.constraints:
        found = "D9: no constraint binds the agents: the job states none"
        return not_done(found, "state `constraints` of the job; what is kept anyway says: echelon conventions SOURCE")
    if not evidence.vocabularies:
        found = f"C3: {count(len(evidence.constraints), 'constraint')}, and no words are declared that all agents share"
        return not_done(found, "declare them: an Enum or a Literal in the contracts, `vocabularies` in a task graph")
    return _conventions_read(evidence)


@with_run
def _conventions_read(evidence: JobEvidence, run: RunView) -> ItemAnswer:
    constraints = f"{count(len(evidence.constraints), 'constraint')} ({named(evidence.constraints)})"
    agents = count(len(latest(run, StepKind.TASK)), "task")
    return done(
        f"D9: {constraints} and the words for {named(evidence.vocabularies)} bound {agents} of run {run.record.run_id}"
    )


@with_work
def _humans_oversee(evidence: JobEvidence) -> ItemAnswer:
    gated = [task.id for task in evidence.plan.tasks if task.at_gate]
    return _gates_answered(evidence) if gated else _humans_answered(evidence)


@with_runs
def _gates_answered(evidence: JobEvidence) -> ItemAnswer:
    gates = [gate for run in evidence.runs for gate in run.gates]
    ends = [gate.decision for gate in gates if gate.decision and gate.decision.channel != "expiry"]
    waiting = sum(gate.is_open for gate in gates)
    if not ends:
        found = f"O5: no person has answered at a gate; {count(waiting, 'gate')} open"
        return not_done(found, "settle who looks at `echelon gates list`, and how often")
    authors = named(dict.fromkeys(end.author for end in ends))
    return done(f"O5: {count(len(ends), 'gate')} answered by {authors}, {waiting:,} open")


@with_runs
def _humans_answered(evidence: JobEvidence) -> ItemAnswer:
    ends = [one.disposition for run in evidence.runs for one in run.concerns if one.disposition]
    waiting = sum(one.disposition is None for run in evidence.runs for one in run.concerns)
    if not ends:
        found = f"O1: no person has answered anything; {count(waiting, 'concern')} open"
        return not_done(found, "settle who looks at `echelon concerns list`, and how often")
    authors = named(dict.fromkeys(end.author for end in ends))
    return done(f"O1: {count(len(ends), 'concern')} answered by {authors}, {waiting:,} open")


@from_steps
def _monitoring_works(run: RunView) -> ItemAnswer:
    reports = count(len(run.exceptions), "exception")
    record = f"{count(len(run.steps), 'step')}, {reports} and measures"
    return done(f"V2: {record} of run {run.record.run_id} are on record: echelon show {run.record.run_id}")


@beyond_small
@with_trials
def _hierarchy_tried(evidence: JobEvidence) -> ItemAnswer:
    for run in evidence.tried:
        plan = run.record.plan
        if plan and run.measures.completed and plan.levels > 1 and plan.n_agents <= SMALL_UP_TO:
            size = f"{count(plan.n_agents, 'agent')} on {count(plan.levels, 'level')}"
            return done(f"R1: run {run.record.run_id} carried out {size}")
    found = f"R1: no hierarchy of {SMALL_UP_TO} agents or fewer in {count(len(evidence.tried), 'run')}"
    return not_done(found, f"run it on a part of the work first: {FLAT_UP_TO + 1} to {SMALL_UP_TO} agents")


@beyond_small
@from_run
def _integration_validated(run: RunView) -> ItemAnswer:
    integrations = latest(run, StepKind.INTEGRATION)
    lost = [step.node for step in integrations if not step.handoff.done]
    if not integrations or lost:
        found = f"failed at {named(lost)}" if lost else "no coordinator integrated"
        return not_done(
            f"X2: {found} in run {run.record.run_id}", "give phases an integrator, and see it work in a run"
        )
    return done(f"X2: {count(len(integrations), 'integration')} of run {run.record.run_id} delivered, none failed")


@beyond_small
@with_trials
def _exceptions_proven(evidence: JobEvidence) -> ItemAnswer:
    survived = [run for run in evidence.tried if run.exceptions and run.measures.completed]
    if not survived:
        found = f"V1: in {count(len(evidence.tried), 'run')} no failure was seen that left the rest intact"
        return not_done(found, TRY_FAILURES)
    run = survived[0]
    pushed = count(len(run.exceptions), "exception")
    return done(
        f"V1: run {run.record.run_id} had {pushed} and delivered {count(run.measures.completed, 'task')} all the same"
    )


@beyond_small
@from_run
def _contracts_kept(run: RunView) -> ItemAnswer:
    broken = [s.handoff.task_id for s in run.steps if s.handoff.error and s.handoff.error.kind == "ContractViolation"]
    if broken:
        found = f"C5: {count(len(broken), 'output')} of run {run.record.run_id} broke the contract: {named(broken)}"
        return not_done(found, "make the agent return what its contract says, or change the contract")
    outputs = sum(step.handoff.done for step in run.steps)
    if not outputs:
        return not_done(
            f"C5: run {run.record.run_id} has no output that could keep a contract", "see what its tasks did"
        )
    return done(f"C5: {count(outputs, 'output')} of run {run.record.run_id} kept the contract, none broke it")


ENTRIES = (
    Entry("coordination.single-agent", "Each agent is reliable when it works alone.", _agents_reliable),
    Entry(
        "coordination.decomposition", "It is understood what the tasks are and how large.", _decomposition_understood
    ),
    Entry("coordination.conventions", "Agents are given written conventions.", _conventions_given),
    Entry("coordination.human-oversight", "People look at what they must decide.", _humans_oversee),
    Entry("coordination.monitoring", "What happens is written down and can be looked at.", _monitoring_works),
    Entry("scaling.hierarchy-tested", "A hierarchy has worked with few agents.", _hierarchy_tried),
    Entry("scaling.integration-validated", "Integration has worked in a run.", _integration_validated),
    Entry("scaling.exceptions-proven", "Exceptions have been lived through.", _exceptions_proven),
    Entry("scaling.contracts-verified", "Contracts have been kept in a run.", _contracts_kept),
)
