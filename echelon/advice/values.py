"""The question that advice answers, and the answer: values only (§A)."""

from typing import Literal

from echelon.model.base import Value
from echelon.model.organisation import Structure
from echelon.model.plan import Finding, InfrastructureRole, Profile, Transition
from echelon.planning.regime import Priority

#: How strongly parts depend on each other (D3), from the weakest on.
CouplingNeed = Literal["none", "loose", "medium", "tight"]
DomainCoupling = Literal["tight", "loose"]
#: When tasks change: while they run, between them, or hardly ever.
ChangeRate = Literal["high", "medium", "low"]
#: What a wrong output does: damage that stays, expensive rework, or little.
Consequence = Literal["catastrophic", "significant", "minor"]
Contracts = Literal["strict", "flexible"]
#: How long one task takes.
TaskDuration = Literal["subsecond", "minutes", "hours", "days"]
#: Does the work end, or is it kept up without an end?
TimeHorizon = Literal["bounded", "indefinite"]
#: What is made: one piece that must cohere, or something that must stay within constraints.
WorkKind = Literal["creative", "operational"]
#: Are the tasks known in advance, or do they turn up as the work proceeds?
Predictability = Literal["known", "emerging"]
#: The eight situations that many jobs resemble.
Situation = Literal[
    "small-coherent",
    "medium-expertise",
    "large-speed",
    "high-stakes",
    "exploratory",
    "production",
    "independent",
    "interdependent",
]

#: How a structure is used: the leaves of the decision tree (R1).
Manner = Literal[
    "alone",
    "parallel",
    "direct",
    "tight_domains",
    "loose_domains",
    "capability_teams",
    "tiers",
    "deep_tiers",
    "flat_tiers",
    "redundant_domains",
    "contracted_domains",
]
#: When to synchronise (X3, R4); `none` for a single agent.
SyncPolicy = Literal["none", "as_needed", "milestone", "phase", "interval", "event", "adaptive"]
Frequency = Literal["never", "irregular", "rare", "regular", "frequent"]
Control = Literal["centralised", "distributed"]
Communication = Literal["synchronous", "asynchronous"]
Integration = Literal["central", "staged", "distributed"]
Visibility = Literal["comprehensive", "exceptions", "statistical"]
#: Each includes the ones before: nobody, a way upwards, a second look, audits, agents for nothing else.
Verification = Literal["none", "escalation", "independent", "audited", "dedicated"]
#: How much is spent on coordination beside the tree: nothing, a coordinator, checks and a log, agents for nothing else.
InfrastructureLevel = Literal["none", "minimal", "moderate", "substantial"]
#: Where work waits for everybody to confirm: nowhere, before what cannot be undone, there and at points set in advance.
Pauses = Literal["none", "before_irreversible", "mandatory"]


class AdviceQuestion(Value):
    """What is known about a job before there is a plan. None: nobody said, so the situation or a default decides."""

    agents: int | None = None
    """Agents that do tasks; may be left out when a situation is given."""
    independent: bool | None = None
    """Can every task be done without the others?"""
    natural_domains: bool | None = None
    """Does the work fall into domains by itself?"""
    domain_coupling: DomainCoupling | None = None
    """How much the domains need each other."""
    priority: Priority | None = None
    """What matters when not everything can be had (R1)."""
    coupling_need: CouplingNeed | None = None
    """The coupling that the work is known to need (D3)."""
    contract_need: Contracts | None = None
    """The contracts that the work is known to need (C5)."""
    change_rate: ChangeRate | None = None
    """How often what is asked for changes."""
    error_consequence: Consequence | None = None
    """How bad a wrong output is."""
    task_duration: TaskDuration | None = None
    """How long one task takes."""
    time_horizon: TimeHorizon | None = None
    """Does the work end?"""
    work: WorkKind | None = None
    """What is made."""
    predictability: Predictability | None = None
    """Are the tasks known in advance?"""
    situation: Situation | None = None
    """What the job resembles; fills in what nobody said."""


class AdviceReason(Value):
    """Why one aspect is advised as it is, and what that costs."""

    rule: str
    """Rule id."""
    aspect: str
    """What it is about."""
    choice: str
    """What is advised for it."""
    text: str
    """Why."""
    price: str | None
    """What is given up; None when nothing is."""


class InfrastructureNeed(Value):
    """Coordination agents of one role that the job will need (R3)."""

    role: InfrastructureRole
    """What they do."""
    agents: int
    """How many."""
    why: str
    """What would fail without them."""


class SyncTier(Value):
    """When one level synchronises (R4)."""

    where: str
    """Which agents or coordinators meet."""
    policy: SyncPolicy
    """When they do."""
    frequency: Frequency
    """How often that is."""


class Advice(Value):
    """How to organise a job, with reasons and prices (§A)."""

    agents: int
    """Agents that do tasks."""
    structure: Structure
    """How they are organised (R1)."""
    manner: Manner
    """How that structure is used (R1)."""
    levels: int
    """Coordinating levels that a plan for so many agents builds with this priority (R2)."""
    depth: int
    """Coordinating levels recommended; a plan never builds more (R2)."""
    profile: Profile
    """What to expect at this size (R4)."""
    sync: SyncPolicy
    """When to synchronise (X3)."""
    sync_frequency: Frequency
    """How often that is."""
    sync_tiers: tuple[SyncTier, ...]
    """The same level by level, the lowest first; empty for a single agent."""
    coupling: CouplingNeed
    """How strongly tasks may depend on each other, inside a domain where there are domains (D3)."""
    coupling_across: CouplingNeed
    """How strongly domains or teams may depend on each other; `none` where there is only one team."""
    contracts: Contracts
    """What happens to a handoff that does not fit (C5)."""
    control: Control
    """Who decides."""
    communication: Communication
    """Does the one who asks wait for the answer?"""
    integration: Integration
    """Where outputs are put together."""
    visibility: Visibility
    """What coordinators look at."""
    verification: Verification
    """Who checks outputs (O3, O4)."""
    pauses: Pauses
    """Where work waits for everybody to confirm (O5)."""
    infrastructure_level: InfrastructureLevel
    """How much coordination needs beside its tree, by size."""
    infrastructure: tuple[InfrastructureNeed, ...]
    """Agents that coordinate only; none below 50 agents (R3)."""
    next_transition: Transition | None
    """What comes next as agents are added; None beyond the last (R5)."""
    signals: tuple[str, ...]
    """What shows, in a run, that this structure is outgrown (R6)."""
    reasons: tuple[AdviceReason, ...]
    """Why each aspect is as it is, and its price."""
    findings: tuple[Finding, ...]
    """What contradicted in the question, or was assumed, and how it was settled."""
    question: AdviceQuestion
    """The question as it was answered: with what the situation and the defaults filled in."""
