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
    INFRASTRUCTURE,
    INTEGRATION,
    MANNERS,
    OUTWARD,
    SYNC,
    TIERS,
    VISIBILITY,
)
from echelon.advice.findings import findings_for
from echelon.advice.prices import price_of
from echelon.advice.resolved import CONTEXT_PRIORITIES, ResolvedQuestion, complete
from echelon.advice.rules import When, choose
from echelon.advice.safety import PAUSES, VERIFICATION
from echelon.advice.situations import PATTERNS
from echelon.advice.values import Advice, AdviceQuestion, AdviceReason, InfrastructureNeed, SyncTier
from echelon.model.phrasing import count, spaced
from echelon.planning.infrastructure import WHY_ROLE, roles_for
from echelon.planning.reasons import why_structure
from echelon.planning.regime import (
    DEFAULT_SPAN,
    next_transition,
    pairs,
    profile,
    recommended_levels,
    scoped_pairs,
)

#: What shows in a run that a structure is outgrown (R6).
SIGNALS = (
    "the context of a coordinator is more than 70 % coordination, again and again",
    "agents wait for a coordinator for more than 20 % of their task time",
    "integrations get worse while single outputs stay good",
)


#: What a situation is for one agent: each of them is about how several work together.
ALONE_IN_A_SITUATION = "its pattern is one of several agents; one alone takes the needs of the situation only"


def advise(question: AdviceQuestion) -> Advice:
    """Return how to organise the job that `question` describes (R1, R2, R3, R4, R5, R6, §A).

    Any combination gets an answer; what contradicts is settled and named in `findings`. Raises `InvalidInput` for a
    number of agents below 1 or above 10**12, and when neither a number nor a situation is given.

    >>> advice = advise(AdviceQuestion(agents=15, natural_domains=True, domain_coupling="tight"))
    >>> advice.structure.value, advice.levels, advice.sync, advice.sync_frequency
    ('hierarchical', 2, 'interval', 'frequent')
    """
    resolved = complete(question)
    policy, frequency = choose(SYNC, resolved).choice
    return Advice(
        agents=resolved.agents,
        structure=resolved.structure,
        manner=choose(MANNERS, resolved).choice,
        levels=resolved.levels,
        depth=recommended_levels(resolved.agents),
        profile=profile(resolved.agents),
        sync=policy,
        sync_frequency=frequency,
        sync_tiers=sync_tiers(resolved),
        coupling=resolved.coupling,
        coupling_across=choose(COUPLING_ACROSS, resolved).choice,
        contracts=choose(CONTRACTS, resolved).choice,
        control=choose(CONTROL, resolved).choice,
        communication=choose(COMMUNICATION, resolved).choice,
        integration=choose(INTEGRATION, resolved).choice,
        visibility=choose(VISIBILITY, resolved).choice,
        verification=choose(VERIFICATION, resolved).choice,
        pauses=choose(PAUSES, resolved).choice,
        infrastructure_level=choose(INFRASTRUCTURE, resolved).choice,
        infrastructure=_infrastructure(resolved.agents),
        next_transition=next_transition(resolved.agents),
        signals=() if resolved.alone else SIGNALS,
        reasons=_all_reasons(resolved),
        findings=findings_for(resolved),
        question=resolved.asked,
    )


def sync_tiers(resolved: ResolvedQuestion) -> tuple[SyncTier, ...]:
    """Return when each level synchronises, the lowest first (R4).

    Further up it is more rarely, unless domains are tightly coupled or drift may do lasting damage.
    """
    if resolved.alone:
        return ()
    alike = resolved.tight_domains or resolved.catastrophic
    current, tiers = choose(SYNC, resolved).choice, list[SyncTier]()
    for where in TIERS[min(resolved.levels, max(TIERS))]:
        policy, frequency = current
        tiers.append(SyncTier(where=where, policy=policy, frequency=frequency))
        current = current if alike else OUTWARD.get(current, current)
    return tuple(tiers)


def _infrastructure(agents: int) -> tuple[InfrastructureNeed, ...]:
    return tuple(
        InfrastructureNeed(role=role, agents=number, why=WHY_ROLE[role]) for role, number in roles_for(agents).items()
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
    yield from _priority(resolved)
    why = why_structure(resolved.structure, resolved.levels, resolved.agents)
    yield _reason("R1", "structure", resolved.structure, why)
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


def _priority(resolved: ResolvedQuestion) -> Iterator[AdviceReason]:
    """Say what the context puts first (A)."""
    for context in CONTEXT_PRIORITIES:
        first = resolved.asked.priority == context.priority
        if first and getattr(resolved.asked, context.field) == context.value:
            text = f"{context.text} (plan with --priority {context.priority})"
            yield _reason("A", "priority", context.priority, text)


def _depth(resolved: ResolvedQuestion) -> AdviceReason:
    """Say how many levels, and how many pairs would talk without them (R2, R7, V4)."""
    levels, recommended = resolved.levels, recommended_levels(resolved.agents)
    talking, team = pairs(resolved.agents).mesh, DEFAULT_SPAN - 1
    coherent = "the recommended depth, with narrower teams, because coherence comes first"
    fewest = "the fewest levels that keep every coordinator at 8 direct reports"
    why = coherent if resolved.asked.priority == "coherence" else fewest
    meshed = f"{why}; all agents talking to each other would be {count(talking, 'pair')} (R7)"
    if levels > 1:
        views = scoped_pairs(resolved.agents, team)
        meshed += f"; each seeing the {team} others of a full team is {views:,} views, n × k (V4)"
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
    tiers = sync_tiers(resolved)
    if len(tiers) > 1:
        paces = ", ".join(f"{tier.where} {spaced(tier.policy)} ({tier.frequency})" for tier in tiers)
        return f"; each level at a pace of its own, since all at once cannot meet: {paces}"
    return "; so few may also talk at any time" if AS_NEEDED_UP_TO < resolved.agents <= 10 else ""


def _unlike_the_size(resolved: ResolvedQuestion, policy: str) -> str:
    """Say why so few get fixed sync points, though the profile of their number asks for none (R4)."""
    few = 1 < resolved.agents <= AS_NEEDED_UP_TO
    return (
        "; this comes before the as-needed sync that is usual for so few (R4)" if few and policy != "as_needed" else ""
    )


def _coordination_agents(resolved: ResolvedQuestion) -> AdviceReason:
    chosen = choose(INFRASTRUCTURE, resolved)
    listed = ", ".join(_listed(resolved.agents))
    text = f"{chosen.text}: {listed}" if listed else chosen.text
    return _reason(chosen.rule, "infrastructure", chosen.choice, text)


def _listed(agents: int) -> Iterator[str]:
    for role, number in roles_for(agents).items():
        yield f"{number} × {role.replace('_', ' ')}"
