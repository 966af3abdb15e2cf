"""What keeps two phases over items apart, so that no agent can go through both with its item (D1). Pure."""

from collections.abc import Callable
from typing import NamedTuple

from echelon.agents.agent import cannot_be_undone
from echelon.contract.claims import has_keys
from echelon.definition.definition import JobDefinition
from echelon.definition.expansion import Expansion, PlannedCall
from echelon.definition.phase import PhaseDefinition
from echelon.definition.redundancy.redundancy import DONE_ONCE
from echelon.journal.digest import canonical_json
from echelon.model.graph import Coupling, TaskSpec
from echelon.model.phrasing import listed
from echelon.planning.schedule.phase_graph import ancestors


class Pair(NamedTuple):
    """Two phases over items, of which one needs the other."""

    job: JobDefinition
    expansion: Expansion
    first: PhaseDefinition
    second: PhaseDefinition

    def calls(self, phase: PhaseDefinition) -> list[PlannedCall]:
        """Return who is called in one of them, item by item."""
        return [call for call in self.expansion.calls.values() if call.phase == phase.name]

    def specs(self, phase: PhaseDefinition) -> list[TaskSpec]:
        """Return the tasks of one of them."""
        return [task for task in self.expansion.graph.tasks if task.phase == phase.name]


def why_apart(pair: Pair) -> str:
    """Say what keeps two phases apart; empty when one agent could go through both with its item."""
    return next(filter(None, (check(pair) for check in _CHECKS)), "")


def _found_on_the_way(pair: Pair) -> str:
    names = [phase.name for phase in (pair.first, pair.second) if phase.is_open]
    return f"items of {listed(names, 2, repr)} are found on the way" if names else ""


def _without_handoff(pair: Pair) -> str:
    apart = pair.second.need(pair.first.name).coupling is Coupling.NONE
    return f"{pair.second.name!r} receives nothing from {pair.first.name!r}" if apart else ""


def _needs_more(pair: Pair) -> str:
    before = ancestors({name: phase.needs for name, phase in pair.job.phases.items()}, pair.first.name)
    more = [need for need in pair.second.needs if need != pair.first.name and need not in before]
    return f"{pair.second.name!r} also needs {listed(more, 3, repr)}" if more else ""


def _needed_by_others(pair: Pair) -> str:
    others = [
        name for name, phase in pair.job.phases.items() if pair.first.name in phase.needs and name != pair.second.name
    ]
    return f"{pair.first.name!r} is also needed by {listed(others, 3, repr)}" if others else ""


def _conditional(pair: Pair) -> str:
    held = [phase.name for phase in (pair.first, pair.second) if phase.condition is not None]
    return f"whether {held[0]!r} is wanted is asked for the whole phase" if held else ""


def _repeated(pair: Pair) -> str:
    phases = (pair.first, pair.second)
    held = [phase.name for phase in phases if phase.repetition is not None and phase.repetition.whole_phase]
    return f"{held[0]!r} is repeated as a whole" if held else ""


def _redundant(pair: Pair) -> str:
    held = [phase.name for phase in (pair.first, pair.second) if phase.redundancy is not DONE_ONCE]
    return f"{held[0]!r} has replicas or a standby" if held else ""


def _looped(pair: Pair) -> str:
    members = {name for loop in pair.job.loops for name in loop.members}
    held = [phase.name for phase in (pair.first, pair.second) if phase.name in members]
    return f"{held[0]!r} is a part of a loop" if held else ""


def _integrated(pair: Pair) -> str:
    return f"{pair.first.name!r} is integrated" if pair.first.integrator is not None else ""


def _compared(pair: Pair) -> str:
    """Keep a sync point at which something is read or settled before anybody goes on (X9, O6)."""
    first = pair.first
    if first.flat:
        return f"the sync point of {first.name!r} is a flat moment"
    keyed = has_keys(first.agents[0].output_type)
    return f"outputs of {first.name!r} have keys, and are compared at its sync point" if keyed else ""


def _irreversible(pair: Pair) -> str:
    held = [phase.name for phase in (pair.first, pair.second) if cannot_be_undone(phase.agents[0])]
    return f"{held[0]!r} cannot be undone" if held else ""


def _unlike(pair: Pair) -> str:
    """Compare what two agents are: one agent is of one kind, calls one provider and has one model."""
    firsts, seconds = pair.specs(pair.first), pair.specs(pair.second)
    if not firsts or not seconds:
        return ""
    for what in ("kind", "provider", "model"):
        one, other = getattr(firsts[0], what), getattr(seconds[0], what)
        if one != other:
            return f"their agents differ in {what} ({one or 'none'} and {other or 'none'})"
    return ""


def _other_items(pair: Pair) -> str:
    firsts, seconds = pair.calls(pair.first), pair.calls(pair.second)
    if [_identity(call) for call in firsts] != [_identity(call) for call in seconds]:
        return "their items are not the same"
    if pair.first.domain is None and pair.second.domain is None:
        return ""  # what stands for the domain is the phase itself
    domains = [[task.domain for task in pair.specs(phase)] for phase in (pair.first, pair.second)]
    return "" if domains[0] == domains[1] else "their items belong to different domains"


def _identity(call: PlannedCall) -> tuple[str, bytes]:
    return call.task_id.removeprefix(f"{call.phase}/"), canonical_json(call.item)


#: What may keep two phases apart, the most telling first.
def _stopping(pair: Pair) -> str:
    held = [phase.name for phase in (pair.first, pair.second) if phase.sync is not None and phase.sync.stop is not None]
    return f"{held[0]!r} may end before all of its items are done" if held else ""


_CHECKS: tuple[Callable[[Pair], str], ...] = (
    _without_handoff,
    _found_on_the_way,
    _needs_more,
    _needed_by_others,
    _conditional,
    _repeated,
    _redundant,
    _looped,
    _stopping,
    _integrated,
    _compared,
    _irreversible,
    _unlike,
    _other_items,
)
