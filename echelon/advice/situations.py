"""The eight situations: the pattern each stands for, what it fills in, and the sizes that the pattern fits (§A)."""

from typing import Any, NamedTuple

from echelon.advice.values import AdviceQuestion, Situation
from echelon.model.organisation import Structure

ANY_STRUCTURE = frozenset(Structure)
LED = frozenset({Structure.HIERARCHICAL, Structure.MULTI_TIER})


class Pattern(NamedTuple):
    """What a situation stands for."""

    text: str
    """The pattern, in a few words."""
    typical_agents: int
    """The number of agents taken when none is given."""
    implies: AdviceQuestion
    """What it says about the job; only fields that are not None count."""
    fits: frozenset[Structure]
    """The structures in which the whole pattern can be had."""
    remains: str
    """What of the pattern still holds elsewhere."""
    price: str
    """What is given up."""


PATTERNS: dict[Situation, Pattern] = {
    "small-coherent": Pattern(
        text="one coordinator that leads all agents directly and integrates the outputs closely",
        typical_agents=5,
        implies=AdviceQuestion(priority="coherence", coupling_need="tight"),
        fits=frozenset({Structure.SINGLE, Structure.FLAT}),
        remains="work that must read as one piece stays within one team, under one lead",
        price="it does not grow: one coordinator can lead 8 agents at most",
    ),
    "medium-expertise": Pattern(
        text="a hierarchy with a lead for each field of expertise",
        typical_agents=15,
        implies=AdviceQuestion(natural_domains=True),
        fits=LED,
        remains="tasks keep the label of their domain, so that each goes to those who know it",
        price="leads pass on summaries, so the top decides with less detail",
    ),
    "large-speed": Pattern(
        text="domains that govern themselves, coupled loosely and served by events",
        typical_agents=200,
        implies=AdviceQuestion(priority="speed", coupling_need="loose"),
        fits=frozenset({Structure.FEDERATED}),
        remains="coupling stays loose and no agent waits for answers, in any structure",
        price="the whole is less coherent, and contradictions show up late",
    ),
    "high-stakes": Pattern(
        text="a deep hierarchy with independent verification and pause points",
        typical_agents=50,
        implies=AdviceQuestion(priority="coherence", error_consequence="catastrophic"),
        fits=LED,
        remains="verification, pauses and tight coupling inside a team hold at every size",
        price="it is slow: each level, check and pause adds waiting",
    ),
    "exploratory": Pattern(
        text="synchronisation that adapts to what it finds, and contracts that bend",
        typical_agents=5,
        implies=AdviceQuestion(change_rate="high", contract_need="flexible"),
        fits=ANY_STRUCTURE,
        remains="",
        price="integration takes more work, and errors are harder to trace",
    ),
    "production": Pattern(
        text="synchronisation at the ends of phases, and contracts that reject what does not fit",
        typical_agents=15,
        implies=AdviceQuestion(change_rate="medium", contract_need="strict"),
        fits=ANY_STRUCTURE,
        remains="",
        price="changing what is asked for is expensive",
    ),
    "independent": Pattern(
        text="everything side by side, put together once at the end",
        typical_agents=8,
        implies=AdviceQuestion(independent=True, coupling_need="none"),
        fits=frozenset({Structure.SINGLE, Structure.FLAT}),
        remains="all tasks run side by side, but so many outputs are integrated in stages",
        price="what does not fit together is found only at the end",
    ),
    "interdependent": Pattern(
        text="a hierarchy that synchronises often",
        typical_agents=15,
        implies=AdviceQuestion(independent=False),
        fits=LED,
        remains="those who depend on each other still synchronise often",
        price="a larger share of the time goes into synchronising",
    ),
}


def implied(question: AdviceQuestion) -> dict[str, Any]:
    """Return what the situation of `question` says about the job, by field; nothing without a situation."""
    if question.situation is None:
        return {}
    return PATTERNS[question.situation].implies.model_dump(exclude_none=True)
