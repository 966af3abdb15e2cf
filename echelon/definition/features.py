"""Phases that one agent could go through with its item, end to end, and what speaks against it (D1). Pure.

    look (each file) → judge (each file)

Item by item the second needs nothing but what the first made of the same item. Done by one agent, the handoff between
them vanishes, and so does the sync point at which every item would wait for the slowest.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from echelon.definition.definition import JobDefinition
from echelon.definition.expansion import Expansion, PlannedCall
from echelon.definition.phase import PhaseDefinition
from echelon.journal.digest import canonical_json
from echelon.model.graph import Coupling, Dependency, TaskSpec, WorkerKind
from echelon.model.phrasing import count, listed
from echelon.model.plan import Finding, FindingLevel, Reason
from echelon.planning.schedule.phase_graph import ancestors
from echelon.planning.spending import expected_tokens

#: Kinds of agents that read what they are handed, and pay for it in tokens.
_READERS = (WorkerKind.MODEL, WorkerKind.COMMAND)


@dataclass(frozen=True, kw_only=True)
class Features:
    """What is merged in a job, and why that is."""

    chains: tuple[tuple[str, ...], ...] = ()
    """Phases that one agent goes through with its item."""
    tasks: Mapping[str, TaskSpec]
    """Tasks of those phases as they are then, by id: each waits for the one before it, and not for its phase."""
    together: tuple[tuple[str, ...], ...] = ()
    """Tasks of each such agent, in their order."""
    reasons: tuple[Reason, ...] = ()
    """What is merged, and what speaks against merging others."""
    findings: tuple[Finding, ...] = ()
    """What could be merged, where a job does not ask for it."""

    def merged(self, expansion: Expansion) -> Expansion:
        """Return the tasks of a job as they are when phases are merged."""
        if not self.tasks:
            return expansion
        tasks = tuple(self.tasks.get(task.id, task) for task in expansion.graph.tasks)
        return replace(expansion, graph=expansion.graph.model_copy(update={"tasks": tasks}))


class _Pair(NamedTuple):
    """Two phases over items, of which one needs the other."""

    job: JobDefinition
    expansion: Expansion
    first: PhaseDefinition
    second: PhaseDefinition

    def calls(self, phase: PhaseDefinition) -> list[PlannedCall]:
        return [call for call in self.expansion.calls.values() if call.phase == phase.name]

    def specs(self, phase: PhaseDefinition) -> list[TaskSpec]:
        return [task for task in self.expansion.graph.tasks if task.phase == phase.name]


def features_of(job: JobDefinition, expansion: Expansion) -> Features:
    """Decide which phases of a job are merged; where it does not ask for that, only say which could be."""
    pairs = [_Pair(job, expansion, *pair) for pair in _pairs(job)]
    verdicts = {(pair.first.name, pair.second.name): _why_apart(pair) for pair in pairs}
    chains, too_long = _chains(job, expansion, [pair for pair, why in verdicts.items() if not why])
    if job.merge == "never":
        return Features(tasks={}, findings=tuple(_proposed(expansion, chain) for chain in chains))
    refused = {pair: why for pair, why in (verdicts | too_long).items() if why}
    tasks = {task.id: task for chain in chains for task in _tasks(job, expansion, chain)}
    return Features(
        chains=tuple(chains),
        tasks=tasks,
        together=tuple(group for chain in chains for group in _groups(expansion, chain)),
        reasons=(
            *(_merged(job, expansion, chain) for chain in chains),
            *(Reason(rule="D1", text=f"phases {_named(pair)} are not merged: {why}") for pair, why in refused.items()),
        ),
    )


def _pairs(job: JobDefinition) -> Iterator[tuple[PhaseDefinition, PhaseDefinition]]:
    """Yield phases over items, each with one that needs it."""
    for second in job.phases.values():
        for name in second.needs:
            first = job.phases[name]
            if first.discovery is not None and second.discovery is not None:
                yield first, second


def _why_apart(pair: _Pair) -> str:
    """Say what keeps two phases apart; empty when one agent could go through both with its item."""
    return next(filter(None, (check(pair) for check in _CHECKS)), "")


def _found_on_the_way(pair: _Pair) -> str:
    names = [phase.name for phase in (pair.first, pair.second) if phase.is_open]
    return f"items of {listed(names, 2, repr)} are found on the way" if names else ""


def _without_handoff(pair: _Pair) -> str:
    apart = pair.second.need(pair.first.name).coupling is Coupling.NONE
    return f"{pair.second.name!r} receives nothing from {pair.first.name!r}" if apart else ""


def _needs_more(pair: _Pair) -> str:
    before = ancestors({name: phase.needs for name, phase in pair.job.phases.items()}, pair.first.name)
    more = [need for need in pair.second.needs if need != pair.first.name and need not in before]
    return f"{pair.second.name!r} also needs {listed(more, 3, repr)}" if more else ""


def _needed_by_others(pair: _Pair) -> str:
    others = [
        name for name, phase in pair.job.phases.items() if pair.first.name in phase.needs and name != pair.second.name
    ]
    return f"{pair.first.name!r} is also needed by {listed(others, 3, repr)}" if others else ""


def _conditional(pair: _Pair) -> str:
    held = [phase.name for phase in (pair.first, pair.second) if phase.condition is not None]
    return f"whether {held[0]!r} is wanted is asked for the whole phase" if held else ""


def _repeated(pair: _Pair) -> str:
    phases = (pair.first, pair.second)
    held = [phase.name for phase in phases if phase.repetition is not None and phase.repetition.whole_phase]
    return f"{held[0]!r} is repeated as a whole" if held else ""


def _integrated(pair: _Pair) -> str:
    return f"{pair.first.name!r} is integrated" if pair.first.integrator is not None else ""


def _irreversible(pair: _Pair) -> str:
    held = [phase.name for phase in (pair.first, pair.second) if phase.agents[0].effect == "irreversible"]
    return f"{held[0]!r} cannot be undone" if held else ""


def _unlike(pair: _Pair) -> str:
    """Compare what two agents are: one agent is of one kind, calls one provider and has one model."""
    firsts, seconds = pair.specs(pair.first), pair.specs(pair.second)
    if not firsts or not seconds:
        return ""
    for what in ("kind", "provider", "model"):
        one, other = getattr(firsts[0], what), getattr(seconds[0], what)
        if one != other:
            return f"their agents differ in {what} ({one or 'none'} and {other or 'none'})"
    return ""


def _other_items(pair: _Pair) -> str:
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
_CHECKS: tuple[Callable[[_Pair], str], ...] = (
    _without_handoff,
    _found_on_the_way,
    _needs_more,
    _needed_by_others,
    _conditional,
    _repeated,
    _integrated,
    _irreversible,
    _unlike,
    _other_items,
)


def _chains(
    job: JobDefinition, expansion: Expansion, pairs: Sequence[tuple[str, str]]
) -> tuple[list[tuple[str, ...]], dict[tuple[str, str], str]]:
    """Join pairs to chains, as far as all that an agent then works on fits into its context (D5)."""
    following = dict(pairs)
    budget = job.priors.context_budget
    chains: list[tuple[str, ...]] = []
    too_long: dict[tuple[str, str], str] = {}
    for head in (name for name in following if name not in following.values()):
        chain, held = [head], _tokens(expansion, head)
        while (following_phase := following.get(chain[-1])) is not None:
            more = _tokens(expansion, following_phase)
            if held + more > budget:
                taken = f"an item would take {held + more:,} tokens, more than the {budget:,} of one agent's context"
                too_long[chain[-1], following_phase] = taken
                chains.append(tuple(chain))
                chain, held = [following_phase], more
            else:
                chain, held = [*chain, following_phase], held + more
        chains.append(tuple(chain))
    return [chain for chain in chains if len(chain) > 1 and _groups(expansion, chain)], too_long


def _tokens(expansion: Expansion, phase: str) -> int:
    """Return what the task of one item is expected to take at most."""
    graph = expansion.graph
    return max((expected_tokens(task, graph.priors) for task in graph.tasks if task.phase == phase), default=0)


def _groups(expansion: Expansion, chain: Sequence[str]) -> list[tuple[str, ...]]:
    held = [[call.task_id for call in expansion.calls.values() if call.phase == phase] for phase in chain]
    return list(zip(*held, strict=True))


def _tasks(job: JobDefinition, expansion: Expansion, chain: Sequence[str]) -> Iterator[TaskSpec]:
    """Yield the tasks of a chain, each waiting for the one before it instead of for its whole phase."""
    by_id = {task.id: task for task in expansion.graph.tasks}
    for group in _groups(expansion, chain):
        domain = by_id[group[0]].domain
        for used, task_id in pairwise(group):
            task, phase = by_id[task_id], by_id[used].phase
            assert task.phase is not None, "every task of a job in Python belongs to a phase"
            need = job.phases[task.phase].need(phase or "")
            waits = Dependency(task=used, coupling=need.coupling or Coupling.LOOSE, reason=need.reason)
            needs = tuple(name for name in task.needs if name != phase)
            yield task.model_copy(update={"depends_on": (waits,), "needs": needs, "domain": domain})


def _named(phases: Sequence[str]) -> str:
    return " and ".join(map(repr, phases))


def _saved(expansion: Expansion, chain: Sequence[str]) -> str:
    """Say how many handoffs vanish, and what that saves."""
    handoffs = len(_groups(expansion, chain)) * (len(chain) - 1)
    reads = any(task.kind in _READERS for task in expansion.graph.tasks if task.phase in chain)
    priors = expansion.graph.priors
    low, high = (one * handoffs / 1000 for one in (priors.handoff_tokens_low, priors.handoff_tokens_high))
    tokens = f" and {low:,.0f} to {high:,.0f} thousand tokens" if reads else ""
    return f"{count(handoffs, 'handoff')}{tokens}"


def _merged(job: JobDefinition, expansion: Expansion, chain: Sequence[str]) -> Reason:
    models = any(task.kind is WorkerKind.MODEL for task in expansion.graph.tasks if task.phase in chain)
    talk = ""
    if models:
        talk = ", in one conversation" if job.transcripts else ", in a new conversation each time: transcripts are off"
    return Reason(rule="D1", text=f"phases {_named(chain)} are done by one agent per item, end to end{talk}")


def _proposed(expansion: Expansion, chain: Sequence[str]) -> Finding:
    waits = "work on the same items one behind the other, and each item waits for all others in between"
    return Finding(
        rule="D1",
        level=FindingLevel.INFO,
        where=chain[0],
        message=f"phases {_named(chain)} {waits}: one agent per item would save {_saved(expansion, chain)}",
        fix='let one agent do both, end to end: Job(merge="auto"); each then sees the handoff of its own item only',
    )
