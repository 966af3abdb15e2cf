"""How a task ends that several did: with the output that counts, or with what they differ in (F9). Pure."""

from collections.abc import Mapping

from echelon.coordination.redundancy.difference import first_difference
from echelon.coordination.step.envelope import MAX_MESSAGE, one_line, shortened
from echelon.coordination.step.step import Step
from echelon.model.errors import ReplicasDisagree
from echelon.model.graph import TaskSpec
from echelon.model.handoff import ErrorReport, Handoff
from echelon.model.phrasing import count, truncate
from echelon.model.redundancy.replicas import UsedReplicas
from echelon.model.status import Status

#: How much is told of why one of them failed, in characters.
REASON = 300


def delivered(made: Handoff, task: TaskSpec, counted: tuple[int, ...], agent: str, *, standby: bool = False) -> Handoff:
    """Return the handoff of a task whose output is the one that a replica made; that is on record with what it used."""
    used = UsedReplicas(replicas=task.replicas, agree=task.agree, counted=counted, agent=agent, standby=standby)
    return made.counting_nothing().model_copy(update={"attempts": made.attempts, "replicas": used})


def not_delivered(
    step: Step,
    task: TaskSpec,
    labels: Mapping[int, str],
    ended: Mapping[int, Handoff],
    failed: Mapping[int, ErrorReport],
    outputs: Mapping[int, object],
) -> Handoff:
    """Return the handoff of a task of which too few delivered, or too few the same; none of them is picked.

    `labels` is what those who did it are called, `outputs` what must be equal of those that delivered.
    """
    lost = [f"{labels[number]}: {truncate(error.message, REASON)}" for number, error in sorted(failed.items())]
    waits = any(error.until for error in failed.values())  # then the last word is not spoken (F10)
    differs = "" if waits else _disagreement(task, labels, outputs)
    error = _differing(differs, lost) if differs else _failure(task, failed, lost)
    blocked = any(number in ended and ended[number].status is Status.BLOCKED for number in failed)
    return Handoff(
        task_id=step.task_id,
        status=Status.BLOCKED if blocked and not differs else Status.FAILED,
        summary=one_line(f"{step.agent.name} did not deliver: {error.message}"),
        dependencies=step.dependencies,
        producer=step.node,
        assignment_id=step.call.brief.assignment.id,
        confidence=0.0,
        error=error,
        attempts=sum(one.attempts for one in ended.values()),
        replicas=UsedReplicas(replicas=task.replicas, agree=task.agree),
    )


def _disagreement(task: TaskSpec, labels: Mapping[int, str], outputs: Mapping[int, object]) -> str:
    """Say where outputs differ; empty when they do not."""
    first, *others = sorted(outputs) or [0]
    for number in others:
        differs = first_difference(outputs[first], outputs[number])
        if differs is not None:
            where = f"they differ first at {differs.path!r}" if differs.path else "they differ"
            return (
                f"{len(outputs)} of {count(task.replicas, 'replica')} delivered, and not {task.agree} of them the "
                f"same; {where}: {labels[first]} says {differs.one}, {labels[number]} says {differs.other}"
            )
    return ""


def _differing(said: str, lost: list[str]) -> ErrorReport:
    return ErrorReport(
        kind=ReplicasDisagree.__name__,
        message=shortened("; ".join([said, *lost]), MAX_MESSAGE),
        can_pass=False,
        next_step=ReplicasDisagree.next_step,
    )


def _failure(task: TaskSpec, failed: Mapping[int, ErrorReport], lost: list[str]) -> ErrorReport:
    """Say why too few delivered; what is known of the first failure holds for the task, of one that waits first."""
    wanted = f", and {task.agree} must deliver the same" if task.agree > 1 else ""
    who = f"{len(failed)} of {count(task.replicas, 'replica')}" if task.replicas > 1 else "the agent and its standby"
    message = shortened(f"{who} failed{wanted}: {'; '.join(lost)}", MAX_MESSAGE)
    first = min(failed, key=lambda number: (failed[number].until is None, number))
    return failed[first].model_copy(update={"message": message})
