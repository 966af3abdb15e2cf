"""What a phase, or a part of it, hands on: steps that completed and what is missing (F7)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from echelon.agents.call import Call
from echelon.agents.handoffs import bytes_of
from echelon.model.handoff import WRAPPED_UP, Handoff, Missing, Passed, UsedDependency


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """Handoffs to pass on, with what is missing below."""

    handoffs: tuple[Handoff, ...] = ()
    """Completed handoffs, in the order of the plan."""
    missing: tuple[Missing, ...] = ()
    """What should be there and is not, with the reason."""
    replaced: tuple[Missing, ...] = ()
    """What is there only in the form of a fallback that is not the work itself (F2), or as far as it got (F4)."""
    apart: tuple[Handoff, ...] = ()
    """Completed work that no integration holds, since the one that should have failed (F7)."""

    @property
    def versions(self) -> tuple[tuple[str, str], ...]:
        """Task and digest of every output: what a consumer's identity depends on."""
        everything = (*self.handoffs, *self.apart)
        return tuple((h.task_id, h.output_location.sha256) for h in everything if h.output_location)

    @property
    def lacks(self) -> tuple[Missing, ...]:
        """Everything that was not delivered itself, whether something stands in for it or not (F7)."""
        return (*self.missing, *self.replaced)


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
        replaced=tuple(missing_of(h) for h in all_of_them if h.falls_short),
    )


def missing_of(handoff: Handoff) -> Missing:
    """Say what a handoff that failed, is blocked or falls short means to its consumers."""
    used, error, who = handoff.fallback, handoff.error, {"task_id": handoff.task_id, "producer": handoff.producer}
    if handoff.wrapped_up:
        return Missing(**who, reason=WRAPPED_UP, instead=handoff.summary)
    assert error or used, "the envelope guarantees an error where there is no output"
    reason = used.reason if used else error.message if error else ""
    return Missing(**who, reason=reason, instead=used.said if used else "", asks=error.asks if error else "")


def together(deliveries: Iterable[Delivery]) -> Delivery:
    """Put deliveries one behind the other."""
    all_of_them = tuple(deliveries)
    return Delivery(
        handoffs=tuple(h for delivery in all_of_them for h in delivery.handoffs),
        missing=tuple(m for delivery in all_of_them for m in delivery.missing),
        replaced=tuple(m for delivery in all_of_them for m in delivery.replaced),
        apart=tuple(h for delivery in all_of_them for h in delivery.apart),
    )


def used(delivery: Delivery) -> tuple[UsedDependency, ...]:
    """Say which outputs a consumer of this delivery used, and in which version."""
    return tuple(UsedDependency(task_id=task, version=version) for task, version in delivery.versions)


def received_by(call: Call) -> Passed:
    """Say what reached a step: its brief and the summaries by value, the outputs it may read by reference (C6)."""
    brief = call.brief
    told = Passed(bytes_by_value=bytes_of(brief.summary) + sum(map(bytes_of, brief.missing)))
    return sum((handoffs.passed for handoffs in call.upstream.values()), told)
