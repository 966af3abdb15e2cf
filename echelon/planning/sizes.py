"""Name agents whose work is too small or too large for one context, with the merge or the split that helps (D5)."""

from collections.abc import Iterator, Mapping, Sequence

from echelon.model.graph import TaskSpec
from echelon.model.plan import Finding, FindingLevel
from echelon.model.priors import Priors
from echelon.planning.schedule.order import consumers_of, producers_of

#: Findings told one by one; what is left is told in one more.
TOLD = 20


def size_findings(agents: Sequence[TaskSpec], priors: Priors) -> tuple[Finding, ...]:
    """Return what is over- or under-decomposed, by the tokens stated (D5); `agents` is the work of each agent."""
    if len(agents) < 2:
        return tuple(_large(agents, priors))
    return (*_shortened(list(_small(agents, priors))), *_shortened(list(_large(agents, priors))))


def _small(agents: Sequence[TaskSpec], priors: Priors) -> Iterator[Finding]:
    least = priors.over_decomposed_share * priors.context_tokens
    by_id = {agent.id: agent for agent in agents}
    consumers = consumers_of(agents)
    for agent in agents:
        if agent.tokens is None or agent.tokens >= least or agent.at_gate:
            continue
        share = agent.tokens / priors.context_tokens
        yield Finding(
            rule="D5",
            level=FindingLevel.INFO,
            where=agent.id,
            message=f"over-decomposed: {agent.tokens:,} tokens fill {share:.1%} of a context; its handoffs cost more",
            fix=_merge(agent, [*producers_of(agent), *consumers[agent.id]], by_id, priors),
        )


def _merge(agent: TaskSpec, neighbours: Sequence[str], by_id: Mapping[str, TaskSpec], priors: Priors) -> str:
    """Propose the smallest neighbour that can take the task over, or else any other small task."""
    budget = priors.context_share * priors.context_tokens - (agent.tokens or 0)
    fitting = [
        by_id[other] for other in neighbours if (by_id[other].tokens or budget) < budget and not by_id[other].at_gate
    ]
    if not fitting:
        return "merge it with another small task of its team"
    other = min(fitting, key=lambda task: (task.tokens or 0, task.id))
    return f"merge it with {other.id!r}: together {(agent.tokens or 0) + (other.tokens or 0):,} tokens"


def _large(agents: Sequence[TaskSpec], priors: Priors) -> Iterator[Finding]:
    most = priors.under_decomposed_share * priors.context_tokens
    budget = priors.context_share * priors.context_tokens
    for agent in agents:
        if agent.tokens is None or agent.tokens <= most:
            continue
        share, parts = agent.tokens / priors.context_tokens, max(2, -int(-agent.tokens // budget))
        yield Finding(
            rule="D5",
            level=FindingLevel.WARNING,
            where=agent.id,
            message=f"under-decomposed: {agent.tokens:,} tokens are {share:.0%} of a context; it will overflow",
            fix=f"split it into {parts} tasks of about {agent.tokens // parts:,} tokens",
        )


def _shortened(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Tell the first of many findings alike, and the number of the others."""
    yield from findings[:TOLD]
    rest = findings[TOLD:]
    if rest:
        first = rest[0]
        yield first.model_copy(
            update={"message": f"the same holds for {len(rest):,} more tasks, the first is {first.where!r}"}
        )
