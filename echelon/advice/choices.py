"""What is chosen for each aspect: one table an aspect, whose first row that holds decides (§A).

Rows are ordered so that what bounds a choice (size, danger) stands before what merely prefers one. Only tables may live
here; what a choice costs is in `prices`.
"""

from echelon.advice.rules import Choices, When, always
from echelon.advice.values import (
    Communication,
    Contracts,
    Control,
    CouplingNeed,
    Frequency,
    Integration,
    Manner,
    SyncPolicy,
    Visibility,
)

CENTRALISED_UP_TO = 50  # agents; one centre cannot hold more together
AS_NEEDED_UP_TO = 3  # agents; so few need no fixed sync points (R4)

MANNERS: Choices[Manner] = (
    When(lambda c: c.alone, "alone", "R1", "one agent needs no coordination at all"),
    When(
        lambda c: c.one_team and bool(c.asked.independent),
        "parallel",
        "R1",
        "no agent waits for another: all work in parallel, and the outputs meet at one point, once",
    ),
    When(
        lambda c: c.one_team,
        "direct",
        "R1",
        "tasks need each other, and one coordinator can still hand on from each to the next directly",
    ),
    When(
        lambda c: c.federated and c.agents <= 100,
        "redundant_domains",
        "R1",
        "resilience comes first: domains govern themselves, and what is critical has a standby elsewhere (F9)",
    ),
    When(
        lambda c: c.federated,
        "contracted_domains",
        "R1",
        "no agent can hold the whole: draw the boundaries of domains, write a contract for all that crosses them, "
        "accept that the whole coheres loosely, and pay for verification",
    ),
    When(
        lambda c: c.coherent_tiers,
        "deep_tiers",
        "R1",
        "coherence comes first: one level more where it helps, narrower teams, closer coupling",
    ),
    When(
        lambda c: c.agents > 20 and c.asked.priority == "speed",
        "flat_tiers",
        "R1",
        "speed comes first: as few levels as the span allows, and more is decided below",
    ),
    When(
        lambda c: c.agents > 20, "tiers", "R1", "the leads themselves need leads, and outputs are integrated in stages"
    ),
    When(
        lambda c: c.tight_domains,
        "tight_domains",
        "R1",
        "each domain has a lead, and since the domains need each other the leads meet often",
    ),
    When(
        lambda c: bool(c.asked.natural_domains),
        "loose_domains",
        "R1",
        "each domain has a lead, and the domains work without waiting for each other",
    ),
    When(always, "capability_teams", "R1", "there are no domains to follow, so teams are formed by what agents can do"),
)

COUPLING_ACROSS: Choices[CouplingNeed] = (
    When(lambda c: c.alone, "none", "D3", "there is one agent, so nothing crosses"),
    When(lambda c: c.one_team, "none", "D3", "there is one team, so nothing crosses"),
    When(lambda c: c.federated, "loose", "D3", "domains that govern themselves cannot wait for each other"),
    When(lambda c: c.tight_domains, "tight", "D3", "the domains are stated to need each other"),
    When(
        lambda c: c.coherent_tiers, "medium", "D3", "coherence asks for more than loose, with a fallback on both sides"
    ),
    When(always, "loose", "D3", "pairs across teams are too many to be served closely"),
)

SYNC: Choices[tuple[SyncPolicy, Frequency]] = (
    When(lambda c: c.alone, ("none", "never"), "X3", "a single agent has no other to synchronise with"),
    When(
        lambda c: c.asked.change_rate == "high",
        ("adaptive", "frequent"),
        "X3",
        "what is asked for changes while agents work: begin with frequent sync, then follow how much each sync reveals",
    ),
    When(
        lambda c: c.tight_domains,
        ("interval", "frequent"),
        "X3",
        "the domains are tightly coupled: frequent sync across domains, at fixed intervals",
    ),
    When(
        lambda c: c.catastrophic,
        ("interval", "frequent"),
        "X3",
        "drift may do damage that stays: frequent sync at fixed intervals, so that none goes unseen for long",
    ),
    When(
        lambda c: c.asked.situation == "interdependent",
        ("interval", "frequent"),
        "X3",
        "tasks build on each other in many ways: frequent sync at fixed intervals, before misfits pile up",
    ),
    When(
        lambda c: c.asked.change_rate == "low",
        ("milestone", "rare"),
        "X3",
        "what is asked for stays the same for long, so more than the milestones would not pay",
    ),
    When(
        lambda c: c.agents <= AS_NEEDED_UP_TO,
        ("as_needed", "irregular"),
        "R4",
        "so few meet when one of them needs it, and once at the end; fixed sync points would only interrupt",
    ),
    When(always, ("phase", "regular"), "X3", "requirements stay the same during a task: changes wait for its end"),
)

CONTRACTS: Choices[Contracts] = (
    When(
        lambda c: c.catastrophic, "strict", "C5", "an error may do damage that stays: what does not fit must not pass"
    ),
    When(lambda c: c.asked.contract_need == "strict", "strict", "C5", "the work is well understood and seldom evolves"),
    When(
        lambda c: c.asked.contract_need == "flexible", "flexible", "C5", "the work explores: what it makes must be free"
    ),
    When(
        lambda c: c.asked.change_rate == "high", "flexible", "C5", "what is asked for changes, so what fits it must too"
    ),
    When(
        lambda c: c.asked.change_rate == "low", "strict", "C5", "what is asked for is stable, so it can be pinned down"
    ),
    When(lambda c: c.alone, "flexible", "C5", "nothing changes hands; only what is delivered must fit"),
    When(lambda c: c.one_team, "flexible", "C5", "one coordinator can ask back, so simple contracts are enough"),
    When(always, "strict", "C5", "with several teams, the meaning of a word cannot be settled by asking"),
)

CONTROL: Choices[Control] = (
    When(lambda c: c.alone, "centralised", "A", "the one agent decides"),
    When(lambda c: c.one_team, "centralised", "A", "one coordinator can follow all agents"),
    When(
        lambda c: c.agents > CENTRALISED_UP_TO,
        "distributed",
        "A",
        f"one centre cannot hold more than about {CENTRALISED_UP_TO} agents",
    ),
    When(lambda c: c.asked.priority == "resilience", "distributed", "A", "work must survive the loss of any one part"),
    When(lambda c: c.asked.priority == "speed", "distributed", "A", "leads that decide alone do not wait for the top"),
    When(
        always, "centralised", "A", "at this size one view of the whole is still possible, and it keeps work coherent"
    ),
)

COMMUNICATION: Choices[Communication] = (
    When(lambda c: c.alone, "asynchronous", "A", "there are no other agents to talk to"),
    When(
        lambda c: c.coupling == "tight",
        "synchronous",
        "A",
        "tightly coupled work shares state, so an answer is needed at once; this holds inside a domain or team",
    ),
    When(
        lambda c: c.coupling == "medium",
        "asynchronous",
        "A",
        "some delay is bearable: answer under a contract, in time",
    ),
    When(lambda c: c.coupling == "none", "asynchronous", "A", "no agent needs an answer from another to continue"),
    When(
        always, "asynchronous", "A", "work continues without the answer, so events are enough and throughput stays high"
    ),
)

INTEGRATION: Choices[Integration] = (
    When(lambda c: c.alone, "central", "D6", "one agent makes everything, so it is all in one place"),
    When(lambda c: c.one_team, "central", "D6", "one coordinator can put all outputs together"),
    When(
        lambda c: c.federated, "distributed", "D6", "each domain integrates its own; only what crosses is put together"
    ),
    When(always, "staged", "D6", "each lead integrates first, so that problems show before everything meets"),
)

VISIBILITY: Choices[Visibility] = (
    When(lambda c: c.alone, "comprehensive", "R4", "the work of one agent can be seen in full"),
    When(lambda c: c.agents <= 10, "comprehensive", "R4", "so few can be seen in full"),
    When(lambda c: c.agents <= 200, "exceptions", "R4", "full reports would fill the leads' context"),
    When(
        always,
        "statistical",
        "V5",
        "no one can watch each agent: rates and samples must be enough, with detail on demand",
    ),
)
