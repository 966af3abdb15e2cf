"""What each choice costs: the other side of every trade-off, so that nobody takes advice without its price (§A).

None of these are reasons against a choice; a choice without a row gives up nothing worth naming.
"""

#: (aspect, choice) → what is given up.
PRICES: dict[tuple[str, str], str] = {
    ("structure", "single"): "no other agent sees the mistakes, and nothing runs in parallel",
    ("structure", "flat"): "everything depends on one coordinator, who is full at 8 reports",
    ("structure", "hierarchical"): "one more hop for every decision, and the top sees summaries only",
    ("structure", "multi_tier"): "news reaches the top late, and intent is read again at each level on its way down",
    ("structure", "federated"): "the whole is no longer coherent: domains drift apart between syncs",
    ("priority", "coherence"): "more levels and closer coupling, so it is slower and harder to grow",
    ("priority", "resilience"): "boundaries and standbys cost agents, and the whole coheres less",
    ("manner", "parallel"): "what does not fit together is found only at the end",
    ("manner", "direct"): "the coordinator's context carries every handoff",
    ("manner", "tight_domains"): "domains wait for each other at every sync",
    ("manner", "loose_domains"): "misfits between domains show up late",
    ("manner", "capability_teams"): "one piece of work passes through several teams",
    ("manner", "tiers"): "decisions at the top rest on news that is some hops old",
    ("manner", "deep_tiers"): "more hops and more coordinators: slower, and more overhead",
    ("manner", "flat_tiers"): "leads look less closely, so outputs cohere less",
    ("manner", "redundant_domains"): "standbys cost agents, and domains cohere less",
    (
        "manner",
        "contracted_domains",
    ): "coordination takes 20 % of the cost at least, much of it for contracts and checks",
    ("depth", "deeper"): "each level adds a hop, and with it delay and loss",
    ("sync", "as_needed"): "drift that is not asked about shows only at the end",
    ("sync", "adaptive"): "the next sync cannot be predicted, and frequent ones interrupt",
    ("sync", "event"): "agents are interrupted whenever something happens, and no one has a fixed view of the whole",
    ("sync", "interval"): "all agents are interrupted at every interval, whether needed or not",
    ("sync", "phase"): "those who finish early wait, and drift inside a phase goes unseen",
    ("sync", "milestone"): "drift may grow for a long time before it is seen",
    ("coupling", "tight"): "parts wait for each other and fail together",
    ("coupling", "medium"): "contracts, timeouts and fallbacks must be written and kept",
    ("coupling", "loose"): "parts may hold different truths for a while, and misfits must be repaired",
    ("coupling", "none"): "what one finds helps no other before the end",
    ("coupling across", "tight"): "domains wait for each other and fail together",
    ("coupling across", "medium"): "contracts, timeouts and fallbacks at every boundary",
    ("coupling across", "loose"): "teams may hold different truths until the next sync",
    ("contracts", "strict"): "harder to adapt: every new word or field is a new version",
    ("contracts", "flexible"): "less reliable, harder to debug, and more work to integrate",
    ("control", "centralised"): "the centre is a single point of failure, and its limit is about 50 agents",
    ("control", "distributed"): "less coherence, more hops, more parts to understand; expensive while small",
    ("communication", "synchronous"): "who asks is blocked, so throughput falls and parts hang on each other",
    ("communication", "asynchronous"): "answers come later, and errors surface late and are harder to trace",
    ("integration", "central"): "all outputs queue for one coordinator",
    ("integration", "staged"): "each stage adds delay and loses detail",
    ("integration", "distributed"): "the whole is not seen before it is integrated",
    ("visibility", "comprehensive"): "reports fill the coordinator's context",
    ("visibility", "exceptions"): "what is not reported as exceptional stays unseen",
    ("visibility", "statistical"): "a single case disappears in the numbers",
    ("verification", "escalation"): "doubts that are not raised stay hidden",
    ("verification", "independent"): "part of the work is done twice",
    ("verification", "audited"): "part of the work is done twice, and auditors need time and tokens",
    ("verification", "dedicated"): "agents that make nothing themselves",
    ("pauses", "before_irreversible"): "work waits at each such step until all confirm",
    ("pauses", "mandatory"): "all agents wait at every pause, even when there is no concern",
    ("infrastructure", "moderate"): "part of the leads' time, and the tokens of checks and audits",
    ("infrastructure", "substantial"): "agents that make nothing themselves; without them coordination eats more",
}


def price_of(aspect: str, choice: str) -> str | None:
    """Return what `choice` gives up for `aspect`, None when that is nothing worth naming."""
    return PRICES.get((aspect, choice))
