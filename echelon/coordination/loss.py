"""Work that was not delivered, and why: a task that failed or cannot start, or an integration that is not there."""

from dataclasses import dataclass, replace
from datetime import datetime

from echelon.coordination.step.envelope import MAX_MESSAGE, one_line, shortened
from echelon.coordination.step.step import Perform, Step
from echelon.model.fallback import FallbackKind, UsedFallback
from echelon.model.handoff import Handoff
from echelon.model.run import StepKind


@dataclass(frozen=True, kw_only=True)
class Loss:
    """Lost work."""

    task_id: str
    """The task, or the integration."""
    producer: str
    """Who should have delivered it."""
    reason: str
    """Why it is not there."""
    kind: StepKind = StepKind.TASK
    """Task or integration."""
    causes: tuple[str, ...] = ()
    """Tasks or phases that were not delivered, where it was not started because of them."""
    over_limit: bool = False
    """Was it not begun, or not carried on, because of a stated limit?"""
    until: datetime | None = None
    """When what it waits for can be done, in UTC, since a quota resets then; None: nothing waits for one (F10)."""
    asks: str = ""
    """What a person must do before what it waits for can be delivered; empty where it waits for nobody (O5)."""


@dataclass(frozen=True, kw_only=True)
class OpenLoss:
    """A loss that a fallback may replace (F2)."""

    loss: Loss
    """What was lost."""
    key: str
    """Identity of the lost work, and of who misses it."""
    phase: str
    """The phase that should have delivered it."""
    output_type: object
    """The contract of what replaces it."""
    handoff: Handoff | None = None
    """The handoff that says that it is lost, where there is one."""
    step: Step | None = None
    """The step itself, where another agent can do it."""
    perform: Perform[Handoff] | None = None
    """Does a step in its place, and lets it be verified where the step itself would be."""

    def because(self, more: str) -> "OpenLoss":
        """Return it with one more reason why nothing is there."""
        reason = shortened(f"{self.loss.reason}; {more}", MAX_MESSAGE)
        return replace(self, loss=replace(self.loss, reason=reason))

    def used(self, kind: FallbackKind, said: str) -> UsedFallback:
        """Say what replaces it, and why."""
        return UsedFallback(kind=kind, said=one_line(said), reason=self.loss.reason)


def loss_of(step: Step, lost: Handoff, perform: Perform[Handoff]) -> OpenLoss:
    """Return the loss of a step that did not deliver; `perform` does one in its place."""
    reason = lost.error.message if lost.error else ""
    return OpenLoss(
        loss=Loss(task_id=step.task_id, producer=step.node, reason=reason, kind=step.kind),
        key=step.key,
        phase=step.phase,
        output_type=step.agent.output_type,
        handoff=lost,
        step=step,
        perform=perform,
    )
