"""Advise how to organise a job before there is a plan: every choice with its rule, its reason and its price (§A).

Pure: the same question always gets the same advice. Structure, levels and coordination agents are those that a plan
for so many agents gets, because both read the same tables.
"""

from collections.abc import Iterator

from echelon.advice.choices import (
    AS_NEEDED_UP_TO,
    COMMUNICATION,
    CONTRACTS,
    CONTROL,
    COUPLING_ACROSS,
    INTEGRATION,
    MANNERS,
    SYNC,
    VISIBILITY,
)
from echelon.advice.findings import findings_for
from echelon.advice.prices import price_of
from echelon.advice.resolved import ResolvedQuestion, complete
from echelon.advice.rules import When, choose
from echelon.advice.safety import PAUSES, VERIFICATION
from echelon.advice.situations import PATTERNS
from echelon.advice.values import Advice, AdviceReason, InfrastructureNeed, Question
from echelon.planning.infrastructure import INFRASTRUCTURE_FROM, WHY_ROLE, infrastructure_count, roles_for
from echelon.planning.reasons import WHY_STRUCTURE
from echelon.planning.regime import minimum_levels, next_transition, pairs, profile, recommended_levels

#: What shows in a run that a structure is outgrown (R6).
SIGNALS = (
    "the context of a coordinator is more than 70 % coordination, again and again",
    "agents wait for a coordinator for more than 20 % of their task time",
    "integrations get worse while single outputs stay good",
)


#: What a situation is for one agent: each of them is about how several work together.
ALONE_IN_A_SITUATION = "its pattern is one of several agents; one alone takes the needs of the situation only"


def advise(question: Question) -> Advice:
    """Return how to organise the job that `question` describes (R1, R2, R3, R4, R5, R6, §A).

    Any combination gets an answer; what contradicts is settled and named in `findings`. Raises `InvalidInput` for a
    number of agents below 1 or above 10**12, and when neither a number nor a situation is given.

    >>> advice = advise(Question(agents=15, natural_domains=True, domain_coupling="tight"))
    >>> advice.structure.value, advice.levels, advice.sync, advice.sync_frequency
    ('hierarchical', 2, 'interval', 'frequent')
    """
    resolved = complete(question)
    policy, frequency = choose(SYNC, resolved).choice
    return Advice(
        agents=resolved.agents,
        structure=resolved.structure,
        manner=choose(MANNERS, resolved).choice,
        levels=_levels(resolved),
        depth=recommended_levels(resolved.agents),
        profile=profile(resolved.agents),
        sync=policy,
        sync_frequency=frequency,
        coupling=resolved.coupling,
        coupling_across=choose(COUPLING_ACROSS, resolved).choice,
        contracts=choose(CONTRACTS, resolved).choice,
        control=choose(CONTROL, resolved).choice,
        communication=choose(COMMUNICATION, resolved).choice,
        integration=choose(INTEGRATION, resolved).choice,
        visibility=choose(VISIBILITY, resolved).choice,
        verification=choose(VERIFICATION, resolved).choice,
        pauses=choose(PAUSES, resolved).choice,
        infrastructure=_infrastructure(resolved.agents),
        next_transition=next_transition(resolved.agents),
        signals=() if resolved.alone else SIGNALS,
        reasons=_all_reasons(resolved),
        findings=findings_for(resolved),
        question=resolved.asked,
    )


def _levels(resolved: ResolvedQuestion) -> int:
    """Return the coordinating levels that a plan builds: the recommended ones for coherence, else the fewest (R2)."""
    coherent = resolved.asked.priority == "coherence"
    return recommended_levels(resolved.agents) if coherent else minimum_levels(resolved.agents)


def _infrastructure(agents: int) -> tuple[InfrastructureNeed, ...]:
    return tuple(
        InfrastructureNeed(role=role, agents=count, why=WHY_ROLE[role]) for role, count in roles_for(agents).items()
    )


def _all_reasons(resolved: ResolvedQuestion) -> tuple[AdviceReason, ...]:
    """Return the reason of every choice; a single agent coordinates nothing, so only being alone has a price."""
    found = tuple(_reasons(resolved))
    if not resolved.alone:
        return found
    return tuple(one if one.aspect == "structure" else one.model_copy(update={"price": None}) for one in found)


def _reasons(resolved: ResolvedQuestion) -> Iterator[AdviceReason]:
    """Yield the reason of every choice, the most far-reaching first."""
    if resolved.asked.situation:
        pattern = PATTERNS[resolved.asked.situation]
        text = ALONE_IN_A_SITUATION if resolved.alone else pattern.text
        yield AdviceReason(
            rule="A", aspect="situation", choice=resolved.asked.situation, text=text, price=pattern.price
        )
    yield _reason("R1", "structure", resolved.structure, WHY_STRUCTURE[resolved.structure])
    yield _of("manner", choose(MANNERS, resolved))
    yield _depth(resolved)
    yield _sync(resolved)
    yield _reason("D3", "coupling", *resolved.coupled)
    yield _of("coupling across", choose(COUPLING_ACROSS, resolved))
    yield _of("contracts", choose(CONTRACTS, resolved))
    yield _of("control", choose(CONTROL, resolved))
    yield _of("communication", choose(COMMUNICATION, resolved))
    yield _of("integration", choose(INTEGRATION, resolved))
    yield _of("visibility", choose(VISIBILITY, resolved))
    yield _of("verification", choose(VERIFICATION, resolved))
    yield _of("pauses", choose(PAUSES, resolved))
    yield _coordination_agents(resolved)


def _of(aspect: str, chosen: When[str]) -> AdviceReason:
    return _reason(chosen.rule, aspect, chosen.choice, chosen.text)


def _reason(rule: str, aspect: str, choice: str, text: str) -> AdviceReason:
    return AdviceReason(rule=rule, aspect=aspect, choice=str(choice), text=text, price=price_of(aspect, choice))


def _depth(resolved: ResolvedQuestion) -> AdviceReason:
    """Say how many levels, and how many pairs would talk without them (R2, R7)."""
    levels, recommended = _levels(resolved), recommended_levels(resolved.agents)
    talking = pairs(resolved.agents).mesh
    coherent = "the recommended depth, with narrower teams, because coherence comes first"
    fewest = "the fewest levels that keep every coordinator at 8 direct reports"
    why = coherent if resolved.asked.priority == "coherence" else fewest
    meshed = f"{why}; all agents talking to each other would be {talking:,} {'pair' if talking == 1 else 'pairs'} (R7)"
    return AdviceReason(
        rule="R2",
        aspect="depth",
        choice=f"{levels} (recommended {recommended})",
        text="one agent has no other above or below it" if resolved.alone else meshed,
        price=price_of("depth", "deeper") if levels > 1 else None,
    )


def _sync(resolved: ResolvedQuestion) -> AdviceReason:
    chosen = choose(SYNC, resolved)
    policy, frequency = chosen.choice
    reason = _reason(chosen.rule, "sync", policy, chosen.text + _tiers(resolved) + _unlike_the_size(resolved, policy))
    return reason.model_copy(update={"choice": f"{policy} ({frequency})"})


def _tiers(resolved: ResolvedQuestion) -> str:
    """Say who meets at a sync: it is never everybody at once when there are tiers (R4)."""
    if resolved.agents > INFRASTRUCTURE_FROM:
        return "; each level at a pace of its own, since all at once cannot meet"
    return "; so few may also talk at any time" if AS_NEEDED_UP_TO < resolved.agents <= 10 else ""


def _unlike_the_size(resolved: ResolvedQuestion, policy: str) -> str:
    """Say why so few get fixed sync points, though the profile of their number asks for none (R4)."""
    few = 1 < resolved.agents <= AS_NEEDED_UP_TO
    return (
        "; this comes before the as-needed sync that is usual for so few (R4)" if few and policy != "as_needed" else ""
    )


def _coordination_agents(resolved: ResolvedQuestion) -> AdviceReason:
    agents, count = resolved.agents, infrastructure_count(resolved.agents)
    if resolved.alone:
        text = "there are no other agents to coordinate"
        return AdviceReason(rule="R3", aspect="infrastructure", choice="none", text=text, price=None)
    few = f"below {INFRASTRUCTURE_FROM} agents the leads coordinate beside their other work"
    many = f"from {INFRASTRUCTURE_FROM} agents on coordination is work of its own: {', '.join(_listed(agents))}"
    return AdviceReason(
        rule="R3",
        aspect="infrastructure",
        choice=f"{count} agents" if count else "none",
        text=many if count else few,
        price=price_of("infrastructure", "needed") if count else None,
    )


def _listed(agents: int) -> Iterator[str]:
    for role, count in roles_for(agents).items():
        yield f"{count} × {role.replace('_', ' ')}"
