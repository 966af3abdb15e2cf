"""What a phase, or a part of it, hands on: steps that completed and what is missing (F7)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from echelon.model.handoff import Handoff, Missing, UsedDependency


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """Handoffs to pass on, with what is missing below."""

    handoffs: tuple[Handoff, ...] = ()
    """Completed handoffs, in the order of the plan."""
    missing: tuple[Missing, ...] = ()
    """What should be there and is not, with the reason."""

    @property
    def versions(self) -> tuple[tuple[str, str], ...]:
        """Task and digest of every output: what a consumer's identity depends on."""
        return tuple((h.task_id, h.output_location.sha256) for h in self.handoffs if h.output_location)


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What reached a coordinator before it integrated."""

    agents: Delivery = field(default_factory=Delivery)
    """From its own agents."""
    parts: Delivery = field(default_factory=Delivery)
    """From the coordinators below."""


def delivery_of(handoffs: Iterable[Handoff]) -> Delivery:
    """Sort handoffs into what is there and what is missing."""
    all_of_them = tuple(handoffs)
    return Delivery(
        handoffs=tuple(h for h in all_of_them if h.done),
        missing=tuple(missing_of(h) for h in all_of_them if not h.done),
    )


def missing_of(handoff: Handoff) -> Missing:
    """Say what a failed or blocked handoff means to its consumers."""
    assert handoff.error is not None, "the envelope guarantees an error where there is no output"
    return Missing(task_id=handoff.task_id, producer=handoff.producer, reason=handoff.error.message)


def together(deliveries: Iterable[Delivery]) -> Delivery:
    """Put deliveries one behind the other."""
    all_of_them = tuple(deliveries)
    return Delivery(
        handoffs=tuple(h for delivery in all_of_them for h in delivery.handoffs),
        missing=tuple(m for delivery in all_of_them for m in delivery.missing),
    )


def used(delivery: Delivery) -> tuple[UsedDependency, ...]:
    """Say which outputs a consumer of this delivery used, and in which version."""
    return tuple(UsedDependency(task_id=task, version=version) for task, version in delivery.versions)
