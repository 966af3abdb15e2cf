"""Tell when one agent is enough: size alone does not pick the structure (R1, D1).

Sequential work gains nothing from more agents, tiny work is less than the handoffs of sharing it out, and where one
agent alone succeeds often enough, others add little (arXiv 2512.08296). The limits are priors, and can be overridden.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from echelon.model.graph import TaskGraph, TaskSpec
from echelon.model.organisation import Structure
from echelon.planning.schedule.makespan import critical_path, weights_of
from echelon.planning.schedule.order import producers_of


class SingleAgentReason(NamedTuple):
    """Why one agent is enough."""

    rule: str
    """Rule id."""
    text: str
    """The reason, in one sentence."""


def one_agent_is_enough(graph: TaskGraph) -> SingleAgentReason | None:
    """Return why a single agent should do all tasks; None when several should, or must."""
    if len(graph.tasks) < 2 or _others_are_asked_for(graph) or any(obstacles(graph)):
        return None
    return next((verdict for ask in (_asked_for, _strong, _tiny, _sequential) if (verdict := ask(graph))), None)


def wish_refused(graph: TaskGraph) -> SingleAgentReason | None:
    """Return why one agent is not enough although it was asked for, or is known to succeed; None where nobody did."""
    wish = _asked_for(graph) or _strong(graph)
    if wish is None or len(graph.tasks) < 2:
        return None
    kept = "; ".join(obstacles(graph))
    return SingleAgentReason("R1", f"a single agent is wanted, but cannot do it: {kept}") if kept else None


def stated_tokens(tasks: Sequence[TaskSpec]) -> int:
    """Return the sum of the tokens that tasks state."""
    return sum(task.tokens or 0 for task in tasks)


def sequential_share(tasks: Sequence[TaskSpec]) -> float:
    """Return the longest chain as a share of all work, in seconds where every task states them, else in tasks."""
    weights = weights_of(tasks)
    return critical_path(tasks, weights) / sum(weights.values())


def obstacles(graph: TaskGraph) -> Iterator[str]:
    """Yield what keeps one agent from doing everything, whoever wants it to."""
    tasks = graph.tasks
    budget = graph.priors.context_budget
    if (stated := stated_tokens(tasks)) > budget:
        yield f"{stated:,} tokens do not fit into the {budget:,} that one context can hold"
    if len({task.capability for task in tasks}) > 1:
        yield "the tasks ask for different capabilities"
    if len({task.model for task in tasks}) > 1:
        yield "the tasks name different models"
    if any(task.irreversible for task in tasks):
        yield "what cannot be undone stands behind a gate of its own"
    elif any(task.gate for task in tasks):
        yield "what a person is asked about stands behind a gate of its own"
    if any(task.verifies for task in tasks):
        yield "no agent checks its own work"
    if len({task.phase for task in tasks}) > 1 or any(task.needs for task in tasks):
        yield "the job has sync points of its own"


def _others_are_asked_for(graph: TaskGraph) -> bool:
    asked = graph.organisation
    return asked.structure not in (None, Structure.SINGLE) or (asked.agents or 1) > 1


def _asked_for(graph: TaskGraph) -> SingleAgentReason | None:
    if graph.organisation.structure is Structure.SINGLE or graph.organisation.agents == 1:
        return SingleAgentReason("R1", "one agent is enough: it was asked for, and nothing keeps the tasks apart")
    return None


def _strong(graph: TaskGraph) -> SingleAgentReason | None:
    seen, limit = graph.organisation.single_agent_success, graph.priors.strong_baseline
    if seen is None or seen < limit:
        return None
    text = (
        f"one agent is enough: alone it succeeds in {seen:.0%} of such jobs, and from {limit:.0%} on others add little"
    )
    return SingleAgentReason("R1", f"{text} (prior strong_baseline, arXiv 2512.08296)")


def _tiny(graph: TaskGraph) -> SingleAgentReason | None:
    if any(task.tokens is None for task in graph.tasks):
        return None
    total, limit = stated_tokens(graph.tasks), graph.priors.over_decomposed_share
    if total >= limit * graph.priors.context_tokens:
        return None
    text = f"all tasks together take {total:,} tokens, less than {limit:.0%} of one context"
    return SingleAgentReason(
        "D5", f"one agent is enough: {text}; sharing them out would cost more (prior over_decomposed_share)"
    )


def _sequential(graph: TaskGraph) -> SingleAgentReason | None:
    if not any(producers_of(task) for task in graph.tasks):
        return None
    share, limit = sequential_share(graph.tasks), graph.priors.sequential_share
    if share < limit:
        return None
    text = f"the longest chain is {share:.0%} of all work, so more agents could save {1 - share:.0%} at most"
    return SingleAgentReason("D1", f"one agent is enough: {text} (prior sequential_share {limit:.0%})")
