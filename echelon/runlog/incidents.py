"""Failures with one upstream cause, put together from the steps on record (F6). Pure: any run can be asked again."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from echelon.model.fallback import FallbackKind
from echelon.model.handoff import ErrorReport
from echelon.model.incident import Incident
from echelon.model.plan import Plan
from echelon.model.run import StepKind, StepRecord
from echelon.runlog.causes import cause_of

#: Kind of the error of a step that was not started, since what it needs was not delivered.
BLOCKED = "Blocked"

#: Fewer failures than this are no incident: an exception report tells of a single one.
LEAST = 2


@dataclass(frozen=True, kw_only=True)
class _Loss:
    """A step that was not delivered by who should have."""

    step: StepRecord
    error: ErrorReport
    replaced: bool


def incidents_of(steps: Iterable[StepRecord], plan: Plan | None) -> tuple[Incident, ...]:
    """Return the incidents of a run, the first to begin first; a failure that stands alone is none.

    Nor is what waits for a person, a quota, or a budget of a day or a month: nothing has failed (O5, F10).
    """
    lost = _losses(steps := tuple(steps))
    losses = {task: loss for task, loss in lost.items() if loss.replaced or not loss.step.handoff.waits}
    tasks = {(s.kind, s.handoff.task_id): s for s in steps if s.kind is StepKind.TASK and not s.replica}
    delivered = {task for (_, task), step in tasks.items() if step.handoff.done} - set(lost)
    groups = [sorted(group, key=_when) for group in _grouped(losses) if len(group) >= LEAST]
    return tuple(sorted((_incident(group, plan, len(delivered)) for group in groups), key=lambda one: one.began))


def errors_of(steps: Iterable[StepRecord]) -> dict[str, ErrorReport]:
    """Return the error that each task and integration was lost to, whether something stands in for it or not."""
    return {task: loss.error for task, loss in _losses(tuple(steps)).items()}


def _when(loss: _Loss) -> tuple[datetime, str]:
    return loss.step.finished, loss.step.handoff.task_id


def _losses(steps: Sequence[StepRecord]) -> dict[str, _Loss]:
    """Return what is lost, by task: its last failure, unless the task itself was delivered after all."""
    found: dict[str, _Loss] = {}
    for step in (step for step in steps if not step.replica):  # what ends all replicas says what came of them (F9)
        task, used, error = step.handoff.task_id, step.handoff.fallback, step.handoff.error
        if used is not None:
            # A fallback replaces, whoever failed; when it failed itself, the failure before it is what counts.
            if task in found and used.kind is not FallbackKind.SKIP and step.handoff.done:
                found[task] = _Loss(step=found[task].step, error=found[task].error, replaced=True)
        elif error is not None:
            found[task] = _Loss(step=step, error=error, replaced=False)
        else:
            found.pop(task, None)
    return found


def _grouped(losses: Mapping[str, _Loss]) -> list[list[_Loss]]:
    """Put together what shares a cause, and those who did not get what they waited for with what that was."""
    parent = {task: task for task in losses}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = name = parent[parent[name]]
        return name

    in_phase: defaultdict[str, list[str]] = defaultdict(list)
    for task, loss in losses.items():
        in_phase[loss.step.phase].append(task)
    for task, loss in losses.items():
        shared = cause_of(loss.error)
        causes = [lost for cause in loss.error.causes for lost in ([cause] if cause in losses else in_phase[cause])]
        for other in ([f"cause {shared}"] if shared else []) + causes:
            parent[root(task)] = root(other)
    groups: defaultdict[str, list[_Loss]] = defaultdict(list)
    for task, loss in losses.items():
        groups[root(task)].append(loss)
    return list(groups.values())


def _incident(group: Sequence[_Loss], plan: Plan | None, delivered: int) -> Incident:
    roots = [loss for loss in group if loss.error.kind != BLOCKED]
    return Incident(
        cause=_cause(roots, group),
        began=min(loss.step.finished for loss in group),
        within=_within([_path(loss.step.node, plan) for loss in group]),
        failed=tuple(loss.step.handoff.task_id for loss in roots),
        blocked=tuple(loss.step.handoff.task_id for loss in group if loss.error.kind == BLOCKED),
        replaced=tuple(loss.step.handoff.task_id for loss in group if loss.replaced),
        domains=_domains(group, plan),
        went_on=delivered,
    )


def _cause(roots: Sequence[_Loss], group: Sequence[_Loss]) -> str:
    shared = {cause_of(loss.error) for loss in roots}
    if len(shared) == 1 and shared != {""}:
        return f"{shared.pop()} ({roots[0].error.message})"
    if len(roots) == 1:
        return f"{roots[0].step.handoff.task_id} failed ({roots[0].error.message})"
    return next((loss.error.message for loss in group if loss.error.kind == BLOCKED), group[0].error.message)


def _path(node: str, plan: Plan | None) -> tuple[str, ...]:
    # A step on record may be of a node that a later plan does not have.
    return plan.path(node) if plan is not None and node in plan.nodes else (node,)


def _within(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the part that all paths share."""
    shared = [names[0] for names in zip(*paths, strict=False) if len(set(names)) == 1]
    return tuple(shared)


def _domains(group: Sequence[_Loss], plan: Plan | None) -> tuple[str, ...]:
    if plan is None:
        return ()
    domain_of = {task.id: task.domain for task in plan.tasks}
    found = [domain_of.get(loss.step.handoff.task_id) for loss in group]
    return tuple(dict.fromkeys(domain for domain in found if domain))
