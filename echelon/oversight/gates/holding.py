"""Which open concerns hold an irreversible step back: urgent ones about it, or about what it uses (O5, X13). Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from echelon.model.concern import CRITICAL, ConcernRecord
from echelon.model.oversight.disposing import canonical, names_in
from echelon.model.plan import Plan
from echelon.model.run import StepKind
from echelon.planning.schedule.phase_graph import ancestors, needs_of_phases
from echelon.runlog.state import RunState


@dataclass(frozen=True, kw_only=True)
class StepAbout:
    """The step in question."""

    task_id: str
    """Its task."""
    phase: str
    """Its phase."""
    phases_before: frozenset[str] = field(default_factory=frozenset[str])
    """Phases that it uses, directly or not."""
    names: frozenset[str] = field(default_factory=frozenset[str])
    """What a concern can call it, or what it uses: tasks, phases, nodes, and what agents are called."""

    @classmethod
    def of(cls, plan: Plan, phase: str, task_id: str, declared: Mapping[str, Iterable[str]]) -> "StepAbout":
        """Return a step of a phase; `declared` are the phases that each phase of the job needs."""
        known = needs_of_phases(plan.phases)
        needs = {name: tuple({*known.get(name, ()), *declared.get(name, ())}) for name in {*known, *declared}}
        before = frozenset(ancestors(needs, phase))
        tasks = {task_id, *(task for one in plan.phases if one.name in before for task in one.tasks)}
        does = {task.capability for task in plan.tasks if task.id in tasks and task.capability}
        nodes = {plan.agent_of[task] for task in tasks if task in plan.agent_of}
        names = frozenset(map(canonical, (phase, *before, *tasks, *does, *nodes)))
        return cls(task_id=task_id, phase=phase, phases_before=before, names=names)


def concerns_holding(state: RunState, about: StepAbout) -> tuple[ConcernRecord, ...]:
    """Return the open urgent concerns about a step or about what it uses, in the order they were raised.

    A concern counts when whoever raised it works in a phase that the step uses or on the same task; when it is about
    the step, or about a task, a phase, an agent or an integration that it uses; and when no step raised it, or one that
    is not known: then nobody can tell that it does not matter here.
    """
    about = replace(about, names=about.names | _integrations(state, about.phases_before))
    phase_of = {step.key: (step.phase, step.handoff.task_id) for step in state.steps}
    phase_of |= {one.key: (one.phase, one.task_id) for one in state.at_work.values()}
    return tuple(
        record
        for record in state.concerns.values()
        if record.disposition is None
        and record.route in CRITICAL
        and _is_about(record, about, phase_of.get(record.step))
    )


def _is_about(record: ConcernRecord, step: StepAbout, raised_in: tuple[str, str] | None) -> bool:
    if raised_in is None or not step.names.isdisjoint(names_in(record)):
        return True
    phase, task_id = raised_in
    return phase in step.phases_before or task_id == step.task_id


def _integrations(state: RunState, phases: frozenset[str]) -> frozenset[str]:
    """Return what integrations of phases are recorded as, and the leads that made them."""
    made = (step for step in state.steps if step.kind is StepKind.INTEGRATION and step.phase in phases)
    return frozenset(canonical(name) for step in made for name in (step.handoff.task_id, step.node))
