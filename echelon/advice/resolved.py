"""Make a question complete: fill in what nobody said, and name the facts that several choices rest on (§A)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, cast

from echelon.advice.situations import PATTERNS, implied
from echelon.advice.values import AdviceQuestion, Consequence, CouplingNeed
from echelon.model.errors import InvalidInput
from echelon.model.organisation import Structure
from echelon.planning.regime import Priority, check_priority, minimum_levels, recommended_levels, structure_for

#: From the weakest to the strongest (D3).
STRENGTHS: tuple[CouplingNeed, ...] = ("none", "loose", "medium", "tight")

#: The coupling that each consequence of an error asks for.
CONSEQUENCE_COUPLING: dict[Consequence, CouplingNeed] = {
    "catastrophic": "tight",
    "significant": "medium",
    "minor": "loose",
}

WHY_CONSEQUENCE: dict[Consequence, str] = {
    "catastrophic": "an error may do damage that stays, so nothing runs without what it needs",
    "significant": "rework is expensive: contracts with a fallback, and every exception is tracked to its end",
    "minor": "errors are easy to repair: detecting and fixing them is faster than preventing them",
}

WHY_NEED: dict[CouplingNeed, str] = {
    "tight": "the work is stated to need everything at once or not at all",
    "medium": "the work is stated to need coordination but to tolerate some delay",
    "loose": "the work is stated to recover from inconsistencies",
    "none": "tasks are stated to need nothing from each other",
}


class ContextPriority(NamedTuple):
    """What a context puts first where nobody states a priority (A)."""

    field: str
    """The field of the question that is the context."""
    value: str
    """What it must be."""
    priority: Priority
    """What comes first then."""
    text: str
    """Why."""


#: What bounds more stands first: what does not cohere is worthless, however long it is kept up.
CONTEXT_PRIORITIES = (
    ContextPriority(
        "work", "creative", "coherence", "the work is creative: what is made must read as one piece, under one view"
    ),
    ContextPriority(
        "time_horizon",
        "indefinite",
        "resilience",
        "the work has no end, so sooner or later every part fails once: to survive that counts more than speed",
    ),
)

#: Couplings under which agents wait for each other or for what stands in.
CLOSE: frozenset[CouplingNeed] = frozenset({"medium", "tight"})

WHY_CREATIVE = "what is made must read as one piece, so its parts follow each other"

MOST_AGENTS = 10**12  # agents; a larger number is a slip, and its pairs could not even be written down

ALONE_OR_FLAT = frozenset({Structure.SINGLE, Structure.FLAT})


@dataclass(frozen=True)
class ResolvedQuestion:
    """A question in which everything that matters is known."""

    agents: int
    """Agents that do tasks, 1 or more."""
    structure: Structure
    """How they are organised (R1)."""
    given: AdviceQuestion
    """The question as it was put."""
    asked: AdviceQuestion
    """The question, complete but for needs and priorities that nobody stated."""

    @property
    def alone(self) -> bool:
        """Is there a single agent, so that nobody coordinates with anybody?"""
        return self.structure is Structure.SINGLE

    @property
    def one_team(self) -> bool:
        """Is there a single coordinator?"""
        return self.structure in ALONE_OR_FLAT

    @property
    def federated(self) -> bool:
        """Do domains govern themselves?"""
        return self.structure is Structure.FEDERATED

    @property
    def catastrophic(self) -> bool:
        """Does a wrong output do damage that stays?"""
        return self.asked.error_consequence == "catastrophic"

    @property
    def tight_domains(self) -> bool:
        """Are there several domains, in one structure, that need each other?"""
        between = not self.one_team and not self.federated
        return between and bool(self.asked.natural_domains) and self.asked.domain_coupling == "tight"

    @property
    def coherent_tiers(self) -> bool:
        """Is it a tree that is deeper for the sake of coherence?"""
        return self.structure is Structure.MULTI_TIER and self.asked.priority == "coherence"

    @property
    def levels(self) -> int:
        """The coordinating levels that a plan builds: the recommended ones for coherence, else the fewest (R2)."""
        coherent = self.asked.priority == "coherence"
        return recommended_levels(self.agents) if coherent else minimum_levels(self.agents)

    @property
    def close(self) -> bool:
        """Do agents wait for each other, or for what stands in for the others?"""
        return self.coupling in CLOSE

    @property
    def coupling(self) -> CouplingNeed:
        """The strongest coupling that anything asks for, loose when nothing does (D3)."""
        return self.coupled[0]

    @cached_property
    def coupled(self) -> tuple[CouplingNeed, str]:
        """The coupling inside a team or domain, and why (D3)."""
        if self.alone:
            return "none", "there are no other agents to depend on"
        strongest, why = max(self._needs(), key=lambda need: STRENGTHS.index(need[0]))
        if self.coherent_tiers and strongest != "tight":
            return _stronger(strongest), "one step closer than the work alone asks for, because coherence comes first"
        return strongest, why

    @property
    def needs_less_than_danger(self) -> bool:
        """Is the coupling said to be needed weaker than what an error would do allows?"""
        need, danger = self.asked.coupling_need, self.asked.error_consequence
        if need is None or danger is None:
            return False
        return STRENGTHS.index(need) < STRENGTHS.index(CONSEQUENCE_COUPLING[danger])

    @property
    def said_dependent(self) -> bool:
        """Do the question or its situation say that tasks need each other?"""
        said = self.given.independent
        return (implied(self.given).get("independent") if said is None else said) is False

    @property
    def said_independent(self) -> bool:
        """Do the question or its situation say that tasks are independent?"""
        said = self.given.independent
        return bool(implied(self.given).get("independent") if said is None else said)

    def _needs(self) -> Iterator[tuple[CouplingNeed, str]]:
        """Yield each coupling asked for with who asks, what is stated before what is taken for granted."""
        asked = self.asked
        if asked.error_consequence:
            yield CONSEQUENCE_COUPLING[asked.error_consequence], WHY_CONSEQUENCE[asked.error_consequence]
        if asked.coupling_need:
            yield asked.coupling_need, WHY_NEED[asked.coupling_need]
        if asked.work == "creative":
            yield "medium", WHY_CREATIVE
        if self.tight_domains:
            yield "tight", "the domains are stated to need each other"
        if self.structure is Structure.FLAT and asked.independent:
            yield "none", "no task needs another"
        elif asked.coupling_need != "none" or not asked.independent:
            yield "loose", "the default: nothing stated asks for more"


def _stronger(coupling: CouplingNeed) -> CouplingNeed:
    return STRENGTHS[STRENGTHS.index(coupling) + 1]


def complete(question: AdviceQuestion) -> ResolvedQuestion:
    """Fill in what nobody said: from the situation, then from what else is said, then by default (§A).

    Raises `InvalidInput` for a number of agents below 1 or above 10**12, an unknown priority, or neither a number nor a
    situation.
    """
    given = question.model_dump(exclude_none=True)
    known = implied(question) | given
    agents = _agents(question)
    settled = {
        "agents": agents,
        "independent": known.get("independent", True) and not needs_coupling(known),
        "priority": known.get("priority") or _priority_of(known),
    }
    asked = question.model_copy(update=_defaults(known) | known | settled)
    structure = structure_for(agents, check_priority(asked.priority))
    return ResolvedQuestion(agents=agents, structure=structure, given=question, asked=asked)


def _priority_of(known: Mapping[str, object]) -> Priority | None:
    """Return what the context puts first, None when it puts nothing first."""
    return next((one.priority for one in CONTEXT_PRIORITIES if known.get(one.field) == one.value), None)


def needs_coupling(known: Mapping[str, object]) -> bool:
    """Tell whether a coupling is needed, as stated or by what an error or an incoherent whole would do.

    Then tasks are not independent, whatever else is said.
    """
    danger = CONSEQUENCE_COUPLING.get(cast("Consequence", known.get("error_consequence")))
    return known.get("coupling_need", "none") != "none" or danger in CLOSE or known.get("work") == "creative"


def _defaults(known: Mapping[str, object]) -> dict[str, object]:
    """Return what is taken where nobody says anything: domains exist when their coupling is known."""
    return {
        "natural_domains": "domain_coupling" in known,
        "domain_coupling": "loose",
        "change_rate": "medium",
    }


def _agents(question: AdviceQuestion) -> int:
    if question.agents is None and question.situation is None:
        raise InvalidInput(
            "cannot advise without knowing how many agents there are; give their number (--agents 20) or a situation "
            f"(--situation {', '.join(PATTERNS)})"
        )
    if question.agents is None:
        return PATTERNS[question.situation].typical_agents if question.situation else 1
    if question.agents < 1:
        raise InvalidInput(
            f"cannot advise on {question.agents} agents: the number must be 1 or more; give another one (--agents 20)"
        )
    if question.agents > MOST_AGENTS:
        raise InvalidInput(f"cannot advise on more than {MOST_AGENTS:,} agents; give a smaller number (--agents 20)")
    return question.agents
