"""What conventions say in each regime: tables of sentences, aspect × structure (K, R1).

A structure without a row has no such heading: small ones stay small. An empty row is filled by what the number of
agents (R4, R5) or a plan adds, and left out where they add nothing.
"""

from collections.abc import Mapping
from enum import StrEnum

from echelon.conventions.words import (
    ALONE,
    APPROVALS_AT_A_TIME,
    BY_REFERENCE,
    CONCERNS,
    ENDS,
    ENVELOPE,
    HOW_COUPLED,
    NOBODY_HOLDS_BACK,
    ONE_MEANING,
    PERSON_LOOKS,
    SIGNALS,
    SILENCE,
    STOP,
    TRIGGERS,
    decides,
)
from echelon.model.organisation import Structure

SINGLE, FLAT = Structure.SINGLE, Structure.FLAT
WITH_LEADS = HIERARCHICAL, MULTI_TIER, FEDERATED = Structure.HIERARCHICAL, Structure.MULTI_TIER, Structure.FEDERATED


class Aspect(StrEnum):
    """A heading of the page; they stand in this order."""

    STRUCTURE = "Structure"
    INFORMATION = "Information"
    AUTONOMY = "Autonomy"
    SYNC = "Synchronisation"
    INTEGRATION = "Integration"
    ESCALATION = "Escalation"
    CONCERNS = "Concerns"
    VERIFICATION = "Verification"
    VOCABULARY = "Vocabulary"
    CONTRACTS = "Contracts"
    BUDGETS = "Budgets"
    GATES = "What cannot be undone"
    SHARED = "Shared things"
    LOSSES = "What is accepted to be lost"
    CHANGE = "When to change"


#: Sentences of an aspect, by structure.
Texts = Mapping[Structure, tuple[str, ...]]

_ONE_DIRECTION = (
    "Take directions from your own lead only. If another agent directs you too, do not choose: report it to your lead."
)
_ONE_LEVEL = "Each level talks with the one above and the one below. Only concerns may pass levels."
_BETWEEN = "Between two sync points each agent works alone; only a finished task or an exception is reported."
_NEW_BRIEF = "After a sync point read the new brief before going on: it says what changed."
_REFERENCES_KEPT = (
    "Every summary keeps references to what it was made from. Critical exceptions pass all levels unshortened, with "
    "the path they came by."
)
_UP_BY_LEVEL = "Agents report detail to their lead; leads report a summary and the exceptions to the primary."
_PEER_THEN_BATCH = (
    f"In between, another agent looks first; then it waits for approval, {APPROVALS_AT_A_TIME} at a time, never one by "
    "one."
)
_NOT_ITS_AUTHOR = "No agent verifies its own work; the same model agreeing with itself is no evidence."
_MISSING = "What did not arrive is passed on as missing, with the reason; nothing is made up in its place."
_READY = "Before such a step every agent taking part confirms that it is ready; any of them may ask for more time."
_TURNS = "Change only what your task names. What several tasks change is changed in turns, a phase each."
_BOUNDS = "Budgets are bounds. Ask before you need more; do not finish badly to stay below."

TEXTS: dict[Aspect, Texts] = {
    Aspect.STRUCTURE: {
        SINGLE: ("One agent does everything and answers for it.",),
        FLAT: (
            (
                "One coordinator leads all agents. Agents may settle small things among themselves, and report what "
                "they settled to the coordinator."
            ),
        ),
        HIERARCHICAL: (
            (
                "The primary sets the direction and decides what concerns several leads; a lead decides inside of its "
                "domain or team; agents do the tasks."
            ),
            _ONE_DIRECTION,
        ),
        MULTI_TIER: (
            (
                "The primary leads domains, a domain lead leads teams, a team lead leads the agents who do the tasks; "
                "a level that is not needed is left out."
            ),
            _ONE_LEVEL,
            _ONE_DIRECTION,
        ),
        FEDERATED: (
            "Domains govern themselves: how they work, when they synchronise inside, and how they integrate is theirs.",
            "The primary keeps the goal, the contracts between domains, and what no domain can decide alone.",
            _ONE_LEVEL,
            _ONE_DIRECTION,
        ),
    },
    Aspect.INFORMATION: {
        FLAT: ("Report to the coordinator that you have finished, or that something is wrong; not your progress.",),
        HIERARCHICAL: (_UP_BY_LEVEL, "Progress is not reported.", _REFERENCES_KEPT),
        MULTI_TIER: (
            (
                "Agents report only exceptions to their lead. Team leads report counts and what is critical. Domain "
                "leads report a few figures and their own exceptions. The primary asks for detail when it needs it."
            ),
            "You see what comes before and after your task, your team, and your critical path.",
            _REFERENCES_KEPT,
        ),
        FEDERATED: (
            (
                "Agents report only exceptions to their lead; leads pass on counts, rates and samples, and single "
                "cases only when they are critical."
            ),
            (
                "You see what comes before and after your task, your team, and your critical path; of other domains "
                "you know their contracts."
            ),
            _REFERENCES_KEPT,
        ),
    },
    Aspect.AUTONOMY: {
        SINGLE: (ALONE, PERSON_LOOKS),
        FLAT: (*decides(FLAT), "In between, let another agent look first."),
        HIERARCHICAL: (*decides(HIERARCHICAL), _PEER_THEN_BATCH),
        MULTI_TIER: (*decides(MULTI_TIER), _PEER_THEN_BATCH),
        FEDERATED: (
            *decides(FEDERATED),
            _PEER_THEN_BATCH,
            "A domain needs no approval for what stays inside it and keeps its contracts.",
        ),
    },
    Aspect.SYNC: {
        FLAT: ("Work alone until the phase ends; its sync point takes all handoffs in one go.",),
        HIERARCHICAL: (_BETWEEN, _NEW_BRIEF),
        MULTI_TIER: (_BETWEEN, _NEW_BRIEF),
        FEDERATED: (
            _BETWEEN,
            (
                "Domains meet less often than their teams do. What you know of another domain is older than you think: "
                "look at the version of what you use."
            ),
            _NEW_BRIEF,
        ),
    },
    Aspect.INTEGRATION: {
        FLAT: ("The coordinator puts all outputs together.", _MISSING),
        HIERARCHICAL: (
            (
                "Each lead puts the outputs of its own agents together; the primary puts together what the leads made. "
                "No other agent does it for them."
            ),
            _MISSING,
        ),
        MULTI_TIER: (
            (
                "In stages: a team lead puts its team together, a domain lead its teams, the primary the domains. A "
                "fault is repaired or named where it is found, not handed up."
            ),
            _MISSING,
        ),
        FEDERATED: (
            "In stages: team, domain, whole; each has one owner, and a fault is repaired or named where it is found.",
            "What crosses domains goes through its contract, and through nothing else.",
            _MISSING,
        ),
    },
    Aspect.ESCALATION: {
        SINGLE: (STOP,),
        FLAT: (TRIGGERS, SILENCE),
        HIERARCHICAL: (TRIGGERS, SILENCE),
        MULTI_TIER: (TRIGGERS, SILENCE, "Failures with one cause are reported as one incident."),
        FEDERATED: (
            TRIGGERS,
            SILENCE,
            "Failures with one cause are reported as one incident.",
            "A conflict between domains is an exception: the nearest owner of both decides and writes down why.",
        ),
    },
    Aspect.CONCERNS: {
        FLAT: (PERSON_LOOKS, NOBODY_HOLDS_BACK),
        HIERARCHICAL: (CONCERNS, NOBODY_HOLDS_BACK),
        MULTI_TIER: (
            CONCERNS,
            NOBODY_HOLDS_BACK,
            "Concerns of several agents that resemble each other are one pattern.",
        ),
        FEDERATED: (
            CONCERNS,
            NOBODY_HOLDS_BACK,
            "Concerns of several agents that resemble each other are one pattern.",
        ),
    },
    Aspect.VERIFICATION: {
        FLAT: (),
        HIERARCHICAL: (_NOT_ITS_AUTHOR,),
        MULTI_TIER: (_NOT_ITS_AUTHOR,),
        FEDERATED: (_NOT_ITS_AUTHOR, "Figures are watched for what is out of the ordinary, and that is looked into."),
    },
    Aspect.VOCABULARY: {
        FLAT: (ONE_MEANING, HOW_COUPLED),
        HIERARCHICAL: (ONE_MEANING, HOW_COUPLED),
        MULTI_TIER: (ONE_MEANING, HOW_COUPLED),
        FEDERATED: (ONE_MEANING, HOW_COUPLED),
    },
    Aspect.CONTRACTS: {
        SINGLE: (ENDS,),
        FLAT: (ENVELOPE, BY_REFERENCE),
        HIERARCHICAL: (ENVELOPE, BY_REFERENCE),
        MULTI_TIER: (ENVELOPE, BY_REFERENCE),
        FEDERATED: (
            ENVELOPE,
            BY_REFERENCE,
            "Between domains a contract is explicit and has a version; who changes it asks those who use it first.",
        ),
    },
    Aspect.BUDGETS: {SINGLE: (), FLAT: (), **dict.fromkeys(WITH_LEADS, (_BOUNDS,))},
    Aspect.GATES: {SINGLE: (), FLAT: (), **dict.fromkeys(WITH_LEADS, (_READY,))},
    Aspect.SHARED: {SINGLE: (), FLAT: (), **dict.fromkeys(WITH_LEADS, (_TURNS,))},
    Aspect.LOSSES: {
        MULTI_TIER: (
            (
                "Summaries lose detail, and decisions at the top rest on news that is some steps old: give references, "
                "so that what was lost can be found again."
            ),
        ),
        FEDERATED: (
            "Summaries lose detail, domains drift apart between sync points, and some faults of integration show late.",
            (
                "None of this can be prevented at this size, so be ready for it: keep references, check versions, and "
                "make your part easy to repeat."
            ),
        ),
    },
    Aspect.CHANGE: dict.fromkeys((FLAT, *WITH_LEADS), (SIGNALS,)),
}
