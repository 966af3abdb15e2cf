"""Phases that one agent could go through with its item, end to end, and what speaks against it (D1). Pure.

    look (each file) → judge (each file)

Item by item the second needs nothing but what the first made of the same item. Done by one agent, the handoff between
them vanishes, and so does the sync point at which every item would wait for the slowest.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from echelon.definition.definition import JobDefinition
from echelon.definition.expansion import Expansion
from echelon.definition.merging.obstacles import Pair, why_apart
from echelon.definition.phase import PhaseDefinition
from echelon.model.graph import Coupling, Dependency, TaskSpec, WorkerKind
from echelon.model.phrasing import count
from echelon.model.plan import Finding, FindingLevel, Reason
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


def features_of(job: JobDefinition, expansion: Expansion) -> Features:
    """Decide which phases of a job are merged; where it does not ask for that, only say which could be."""
    pairs = [Pair(job, expansion, *pair) for pair in _pairs(job)]
    verdicts = {(pair.first.name, pair.second.name): why_apart(pair) for pair in pairs}
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
