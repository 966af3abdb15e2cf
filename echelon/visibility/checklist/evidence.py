"""What a checklist may rest on: the plan, the definition of the job, and its runs on record. Values only."""

from collections import Counter
from enum import StrEnum
from functools import cached_property

from echelon.model.base import Value
from echelon.model.graph import Coupling, TaskSpec
from echelon.model.plan import Finding, FindingLevel, Node, NodeKind, Plan
from echelon.model.policy import Resilience
from echelon.model.run import RunStatus, RunView, StepKind, StepRecord
from echelon.model.status import Status
from echelon.planning.schedule.order import consumers_of


class AgentKind(StrEnum):
    """What does the work of a call."""

    FUNCTION = "function"  #: a Python function
    COMMAND = "command"  #: a command-line tool
    MODEL = "model"  #: a language model
    OTHER = "other"  #: something that only its author knows


#: Kinds of agents that have no context which could be full.
WITHOUT_CONTEXT = frozenset({AgentKind.FUNCTION, AgentKind.COMMAND})
_MODELS = frozenset({AgentKind.MODEL})


class CallFacts(Value):
    """One agent or integrator of the definition."""

    name: str
    """What it is called."""
    kind: AgentKind
    """What does the work."""
    contract: str | None
    """Name of the type of its output; None when anything is allowed."""
    policy: Resilience
    """How its calls are guarded, with what it inherits."""
    criteria: tuple[str, ...] = ()
    """What its contract asks of an output beside its type: fields with bounds, validators (C5)."""


class PhaseFacts(Value):
    """One phase of the definition."""

    name: str
    """Unique within the job."""
    agents: tuple[CallFacts, ...]
    """Who works in it."""
    needs: tuple[str, ...] = ()
    """Phases whose outputs it receives."""
    unstated: tuple[str, ...] = ()
    """Those of them of which is not said how much they are needed (D3)."""
    unsettled: tuple[str, ...] = ()
    """Those of them that have no fallback, though consumers continue without what is missing (F2)."""
    fallbacks: tuple[str, ...] = ()
    """What stands in for what is not delivered: whose output, and what it is instead (F2)."""
    merger: CallFacts | None = None
    """What integrates outputs of agents; None: outputs are passed on as they are."""
    combiner: CallFacts | None = None
    """What integrates results of integrations further up; None: the primary alone integrates."""


class JobEvidence(Value):
    """Everything that an answer may rest on."""

    plan: Plan
    """How the job would be organised now."""
    phases: tuple[PhaseFacts, ...] = ()
    """The definition; empty for a job that comes from a task graph, which has no phases of its own."""
    graph_agents: tuple[CallFacts, ...] = ()
    """The agents of a task graph, as far as they are known."""
    constraints: tuple[str, ...] = ()
    """What bounds every assignment (D9)."""
    vocabularies: tuple[str, ...] = ()
    """What the declared words are about (C3)."""
    runs: tuple[RunView, ...] = ()
    """The newest runs of the job on record, newest first, without their outputs."""
    rehearsals: tuple[RunView, ...] = ()
    """Its newest rehearsals: real coordination of simulated agents, so no proof of what the agents can do."""

    @cached_property
    def last(self) -> RunView | None:
        """The newest run that delivered something, maybe with parts missing."""
        return next((run for run in self.runs if run.record.status in _DELIVERED), None)

    @cached_property
    def tried(self) -> tuple[RunView, ...]:
        """Runs, then rehearsals: what shows how coordination copes."""
        return (*self.runs, *self.rehearsals)

    @cached_property
    def calls(self) -> tuple[CallFacts, ...]:
        """Agents and integrators of the definition."""
        integrators = [call for phase in self.phases for call in (phase.merger, phase.combiner) if call]
        return (*(agent for phase in self.phases for agent in phase.agents), *integrators, *self.graph_agents)

    @cached_property
    def in_context(self) -> tuple[TaskSpec, ...]:
        """Tasks whose agents have a context to fill: all but those of functions and commands."""
        kinds = {phase.name: {agent.kind for agent in phase.agents} for phase in self.phases}
        return tuple(task for task in self.plan.tasks if not kinds.get(task.phase or "", _MODELS) <= WITHOUT_CONTEXT)

    @cached_property
    def tight_phases(self) -> tuple[tuple[str, str], ...]:
        """Phases that need another one tightly: consumer, producer (D3)."""
        terms = self.plan.terms
        ties = [(one.phase, one.needs) for one in terms if one.needs and one.coupling is Coupling.TIGHT]
        return tuple(dict.fromkeys(ties))

    @cached_property
    def staged(self) -> bool:
        """Does each phase with an integrator integrate in stages, and is there one?"""
        merging = [phase for phase in self.phases if phase.merger]
        return bool(merging) and all(phase.combiner for phase in merging)

    @cached_property
    def coordinators(self) -> tuple[Node, ...]:
        """Nodes of the plan that lead others."""
        return tuple(node for node in self.plan.tree if node.kind is not NodeKind.AGENT)

    @cached_property
    def leads(self) -> dict[str, int]:
        """Coordinators below the primary, counted by what they lead."""
        kinds = [node.kind for node in self.coordinators]
        leads = {f"{kind} lead": kinds.count(kind) for kind in (NodeKind.DOMAIN, NodeKind.TEAM)}
        return {name: number for name, number in leads.items() if number}

    @cached_property
    def tasks_in(self) -> dict[str, int]:
        """Tasks by the phase they were declared in."""
        names = [task.phase for task in self.plan.tasks if task.phase is not None]
        return {name: names.count(name) for name in dict.fromkeys(names)}

    @cached_property
    def handed_on(self) -> tuple[TaskSpec, ...]:
        """Tasks whose output another agent uses, directly or through a sync point."""
        agent_of = self.plan.agent_of
        needed = {phase for task in self.plan.tasks for phase in task.needs}
        used = {
            dependency.task
            for task in self.plan.tasks
            for dependency in task.depends_on
            if dependency.coupling is not Coupling.NONE and agent_of.get(dependency.task) != agent_of.get(task.id)
        }
        return tuple(task for task in self.plan.tasks if task.id in used or task.phase in needed)

    @cached_property
    def ends(self) -> tuple[TaskSpec, ...]:
        """Tasks whose output nothing else uses: the results of a task graph."""
        consumers = consumers_of(self.plan.tasks)
        return tuple(task for task in self.plan.tasks if not consumers[task.id])

    def warnings(self, *rules: str) -> tuple[Finding, ...]:
        """Return what the plan itself warns of under these rules."""
        return tuple(
            finding
            for finding in self.plan.findings
            if finding.rule in rules and finding.level is not FindingLevel.INFO
        )


def latest(run: RunView, kind: StepKind) -> tuple[StepRecord, ...]:
    """Return the last record of each step of a kind: what came of it in the end."""
    steps = [step for step in run.steps if step.kind is kind]
    return tuple({(step.phase, step.handoff.task_id): step for step in steps}.values())


def undelivered(run: RunView) -> tuple[StepRecord, ...]:
    """Return the tasks that were tried or due and ended without an output."""
    return tuple(step for step in latest(run, StepKind.TASK) if not step.handoff.done)


def failed(run: RunView) -> tuple[StepRecord, ...]:
    """Return the tasks whose agent failed, leaving out those that were never begun."""
    return tuple(step for step in undelivered(run) if step.handoff.status is Status.FAILED)


def recovered(run: RunView) -> tuple[StepRecord, ...]:
    """Return the steps that ended without output and completed later in the same run, after it was resumed (F8)."""
    last = {(s.kind, s.phase, s.handoff.task_id): s for s in run.steps}
    tried = {(s.kind, s.phase, s.handoff.task_id) for s in run.steps if not s.handoff.done}
    return tuple(step for key, step in last.items() if step.handoff.done and key in tried)


def repeated(run: RunView) -> int:
    """Return how many steps were completed more than once: what they were made from had changed (F8).

    The rounds of work that is repeated until a check passes are steps of their own (X12).
    """
    done = [step for step in run.steps if step.handoff.done and step.handoff.stopped_by is None]
    completed = Counter((step.kind, step.phase, step.handoff.task_id, step.round) for step in done)
    return sum(times > 1 for times in completed.values())


_DELIVERED = frozenset({RunStatus.COMPLETED, RunStatus.PARTIAL})
