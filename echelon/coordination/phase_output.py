"""What a phase, or a part of it, hands on: steps that completed and what is missing (F7)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from echelon.agents.call import Call
from echelon.agents.handoffs import bytes_of
from echelon.model.base import Value
from echelon.model.conflicts.overruled import Overruled
from echelon.model.handoff import Handoff, Missing, Passed, UsedDependency
from echelon.runlog.losses import missing_of


class PhaseOutput(Value):
    """Handoffs to pass on, with what is missing below. Data: it crosses between processes."""

    handoffs: tuple[Handoff, ...] = ()
    """Completed handoffs, in the order of the plan."""
    missing: tuple[Missing, ...] = ()
    """What should be there and is not, with the reason."""
    replaced: tuple[Missing, ...] = ()
    """What is there only in the form of a fallback that is not the work itself (F2), or as far as it got (F4)."""
    unmerged: tuple[Handoff, ...] = ()
    """Completed work that no integration holds, since the one that should have failed (F7)."""

    tasks: tuple[Handoff, ...] = ()
    """What each task delivered by itself, of a phase that is repeated (X12), and of a wave (X3)."""
    skipped: str = ""
    """Why nothing of it was done; empty for a phase that was wanted (X12)."""

    @property
    def versions(self) -> tuple[tuple[str, str], ...]:
        """Task and digest of every output: what a consumer's identity depends on."""
        everything = (*self.handoffs, *self.unmerged)
        return tuple((h.task_id, h.output_location.sha256) for h in everything if h.output_location)

    @property
    def ruled(self) -> tuple[tuple[str, tuple[Overruled, ...]], ...]:
        """Task and what of its output does not count, of those about which something was decided (X9)."""
        return tuple((h.task_id, h.overruled) for h in (*self.handoffs, *self.unmerged) if h.overruled)

    @property
    def identity(self) -> object:
        """What a consumer is given: the versions of all outputs, with what was decided about them."""
        return (self.versions, self.ruled) if self.ruled else self.versions

    @property
    def lacks(self) -> tuple[Missing, ...]:
        """Everything that was not delivered itself, whether something stands in for it or not (F7)."""
        return (*self.missing, *self.replaced)


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What reached a coordinator before it integrated."""

    agents: PhaseOutput = field(default_factory=PhaseOutput)
    """From its own agents."""
    parts: PhaseOutput = field(default_factory=PhaseOutput)
    """From the coordinators below."""


def output_of(handoffs: Iterable[Handoff]) -> PhaseOutput:
    """Sort handoffs into what is there and what is missing."""
    all_of_them = tuple(handoffs)
    return PhaseOutput(
        handoffs=tuple(h for h in all_of_them if h.done),
        missing=tuple(missing_of(h) for h in all_of_them if not h.done),
        replaced=tuple(missing_of(h) for h in all_of_them if h.falls_short),
    )


def together(outputs: Iterable[PhaseOutput]) -> PhaseOutput:
    """Put outputs one behind the other."""
    all_of_them = tuple(outputs)
    return PhaseOutput(
        handoffs=tuple(h for output in all_of_them for h in output.handoffs),
        missing=tuple(m for output in all_of_them for m in output.missing),
        replaced=tuple(m for output in all_of_them for m in output.replaced),
        unmerged=tuple(h for output in all_of_them for h in output.unmerged),
        tasks=tuple(h for output in all_of_them for h in output.tasks),
    )


def used(output: PhaseOutput) -> tuple[UsedDependency, ...]:
    """Say which outputs a consumer of this output used, and in which version."""
    return tuple(UsedDependency(task_id=task, version=version) for task, version in output.versions)


def received_by(call: Call) -> Passed:
    """Say what reached a step: its brief and the summaries by value, the outputs it may read by reference (C6).

    Outputs that stood in its brief were given by value: those that it received, and its own of the round before.
    """
    brief, given = call.brief, sum(call.by_value.values())
    told_anew = (*brief.changed, *brief.decisions, *brief.domain, *brief.flat)
    lines = (brief.summary, *brief.missing, *brief.concerns, *brief.gaps, *told_anew)
    told = Passed(bytes_by_value=sum(map(bytes_of, lines)))
    passed = sum((handoffs.passed for handoffs in call.upstream.values()), told)
    # A check gets the round that it judges as handoffs; all others are what the task itself delivered before (X12).
    rounds = call.rounds[:-1] if call.output else call.rounds
    may_read = passed.bytes_by_reference + sum(one.received.size_bytes for one in rounds)
    return Passed(bytes_by_value=passed.bytes_by_value + given, bytes_by_reference=may_read - given)
