"""What each domain delivered, with references: the level between a task and the whole job (X8). Pure."""

from collections.abc import Collection, Mapping

from echelon.model.plan import Plan
from echelon.model.run import StepKind, StepRecord
from echelon.oversight.briefing.lines import brief_lines
from echelon.runlog.state import RunState


def delivered_by_domain(state: RunState, plan: Plan, phases: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return what domains delivered in some phases: what integrated all of a domain, or else each task."""
    found: dict[str, dict[StepKind, list[str]]] = {}
    labels = {task.id: task.domain for task in plan.tasks}
    for name, step in state.latest.items():
        if name.phase in phases and step.handoff.done and name.kind in (StepKind.TASK, StepKind.INTEGRATION):
            domain = _domain(plan, labels, step)
            if domain:
                found.setdefault(domain, {}).setdefault(name.kind, []).append(_line(step))
    whole, single = StepKind.INTEGRATION, StepKind.TASK
    return {domain: brief_lines(said.get(whole) or said.get(single, [])) for domain, said in found.items()}


def _domain(plan: Plan, labels: Mapping[str, str | None], step: StepRecord) -> str:
    """Return the label of the domain that a step belongs to; empty for what belongs to none, or to several."""
    node = plan.nodes.get(step.node)
    label = labels.get(step.handoff.task_id, node.domain if node else None)
    return (label or "").partition(".")[0]


def _line(step: StepRecord) -> str:
    handoff = step.handoff
    where = f" ({handoff.output_location.location})" if handoff.output_location else ""
    return f"{step.phase}: {handoff.task_id}: {handoff.summary}{where}"
