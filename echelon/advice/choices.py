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
    InfrastructureLevel,
    Integration,
    Manner,
    SyncPolicy,
    Visibility,
)
from echelon.planning.infrastructure import INFRASTRUCTURE_FROM
from echelon.planning.reasons import LEADS_OF_LEADS_FROM

CENTRALISED_UP_TO = 50  # agents; one centre cannot hold more together
AS_NEEDED_UP_TO = 3  # agents; so few need no fixed sync points (R4)
EVENTS_UP_TO = 30  # agents; above, some event always happens, so that all would be interrupted all the time (R4)
MODERATE_FROM = 10  # agents; from here on coordination needs more than a coordinator

MANNERS: Choices[Manner] = (
    When(lambda c: c.alone, "alone", "R1", "one agent needs no coordination at all"),
    When(
        lambda c: c.one_team and bool(c.asked.independent) and not c.close,
        "parallel",
        "R1",
        "no agent waits for another: all work in parallel, and the outputs meet at one point, once",
    ),
    When(
        lambda c: c.one_team,
        "direct",
        "R1",
        "what is coupled is handed on from each to the next directly, which one coordinator can still do",
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
        lambda c: c.agents > 20 and c.levels >= LEADS_OF_LEADS_FROM,
        "tiers",
        "R1",
        "the leads themselves need leads, and outputs are integrated in stages",
    ),
    When(
        lambda c: c.agents > 20,
        "tiers",
        "R1",
        "one level of leads still reaches all agents; each lead integrates its own before everything meets",
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
    When(
        lambda c: c.asked.work == "creative",
        "medium",
        "A",
        "what teams make must read as one piece, so they follow each other, with a fallback on both sides",
        asks="work",
    ),
    When(
        lambda c: c.asked.time_horizon == "bounded",
        "medium",
        "A",
        "the work ends, so closer coordination is paid for a limited time and spares repairs at the end",
        asks="time_horizon",
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
        lambda c: c.asked.predictability == "emerging",
        ("adaptive", "regular"),
        "A",
        "tasks turn up as the work proceeds: sync points are not set in advance, but follow what each one reveals",
        asks="predictability",
    ),
    When(
        lambda c: c.asked.task_duration == "subsecond" and c.agents <= EVENTS_UP_TO,
        ("event", "frequent"),
        "A",
        "a task is over before a sync point could come: whoever is concerned is informed at once, and no one else",
        asks="task_duration",
    ),
    When(
        lambda c: c.asked.task_duration == "subsecond",
        ("event", "frequent"),
        "A",
        "a task is over before a sync point could come: inside its team whoever is concerned is informed at once, and "
        f"only there, since among more than {EVENTS_UP_TO} agents some event always happens",
        asks="task_duration",
    ),
    When(
        lambda c: c.asked.task_duration == "days",
        ("interval", "regular"),
        "A",
        "a task takes days, and drift does not wait for its end: meet at fixed times, as in a ceremony",
        asks="task_duration",
    ),
    When(
        lambda c: c.asked.change_rate == "low",
        ("milestone", "rare"),
        "X3",
        "what is asked for stays the same for long, so more than the milestones would not pay",
    ),
    When(
        lambda c: c.asked.predictability == "known",
        ("phase", "regular"),
        "A",
        "all tasks are known, so their sync points are set in advance, at the ends of phases",
        asks="predictability",
    ),
    When(
        lambda c: c.asked.task_duration in {"minutes", "hours"},
        ("phase", "regular"),
        "A",
        "tasks of minutes or hours need no one in between: what they have to say is collected at the end of a phase",
        asks="task_duration",
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
    When(
        lambda c: c.asked.predictability == "emerging",
        "flexible",
        "A",
        "tasks turn up as the work proceeds, and what they make cannot be pinned down before",
        asks="predictability",
    ),
    When(
        lambda c: c.asked.predictability == "known",
        "strict",
        "A",
        "the tasks are known in advance, so what each of them makes can be pinned down",
        asks="predictability",
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
        lambda c: c.asked.work == "creative",
        "centralised",
        "A",
        "what is made must read as one piece, and that takes one view of the whole",
        asks="work",
    ),
    When(lambda c: c.asked.priority == "coherence", "centralised", "A", "coherence takes one view of the whole"),
    When(
        lambda c: c.asked.work == "operational",
        "distributed",
        "A",
        "what counts is that constraints are met, and each part can meet its own",
        asks="work",
    ),
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

INFRASTRUCTURE: Choices[InfrastructureLevel] = (
    When(lambda c: c.alone, "none", "R3", "there are no other agents to coordinate"),
    When(
        lambda c: c.agents >= INFRASTRUCTURE_FROM,
        "substantial",
        "R3",
        f"from {INFRASTRUCTURE_FROM} agents on coordination is work of its own",
    ),
    When(
        lambda c: c.agents >= MODERATE_FROM,
        "moderate",
        "R3",
        "leads coordinate beside their other work; what comes on top is declared words, a log of concerns, and checks "
        f"and audits by others, and no agent for coordination alone below {INFRASTRUCTURE_FROM}",
    ),
    When(always, "minimal", "R3", "one coordinator and a way to raise a concern are enough for so few"),
)

#: What a level further up does when the one below it synchronises like this: more rarely, since less reaches it (R4).
OUTWARD: dict[tuple[SyncPolicy, Frequency], tuple[SyncPolicy, Frequency]] = {
    ("event", "frequent"): ("phase", "regular"),
    ("adaptive", "frequent"): ("adaptive", "regular"),
    ("adaptive", "regular"): ("phase", "regular"),
    ("interval", "frequent"): ("interval", "regular"),
    ("interval", "regular"): ("milestone", "rare"),
    ("phase", "regular"): ("milestone", "rare"),
    ("milestone", "rare"): ("milestone", "rare"),
}

#: Who meets at each level, by the number of coordinating levels; three stand for more (R2).
TIERS: dict[int, tuple[str, ...]] = {
    1: ("all agents",),
    2: ("inside a team", "between teams"),
    3: ("inside a team", "between the teams of a domain", "between domains"),
}
