"""The failure modes of an organisation of agents, with what is known of each (G). Values only."""

from enum import StrEnum
from typing import NamedTuple


class ModeClass(StrEnum):
    """What a failure mode is a failure of."""

    DECOMPOSITION = "decomposition"
    COORDINATION = "coordination"
    INTEGRATION = "integration"
    HIERARCHY = "hierarchy"
    SCALING = "scaling"


class FailureMode(StrEnum):
    """A way in which an organisation of agents fails."""

    OVER_DECOMPOSITION = "over-decomposition"
    UNDER_DECOMPOSITION = "under-decomposition"
    BAD_BOUNDARIES = "bad-boundaries"
    SERIAL_WHERE_PARALLEL = "serial-where-parallel"
    ORCHESTRATOR_SATURATION = "orchestrator-saturation"
    OVERHEAD_EXCEEDS_VALUE = "overhead-exceeds-value"
    COORDINATION_GAPS = "coordination-gaps"
    COORDINATION_CONFLICT = "coordination-conflict"
    NO_INTEGRATION_OWNER = "no-integration-owner"
    INTEGRATION_BOTTLENECK = "integration-bottleneck"
    CONTEXT_LOSS = "context-loss"
    LATE_INTEGRATION_FAILURE = "late-integration-failure"
    INFORMATION_LOSS = "information-loss"
    AUTHORITY_GRADIENT = "authority-gradient"
    APPROVAL_BOTTLENECK = "approval-bottleneck"
    TOO_DEEP = "too-deep"
    TOO_SHALLOW = "too-shallow"
    WRONG_REGIME = "wrong-regime"
    SCALING_CEILING = "scaling-ceiling"
    PREMATURE_SCALING = "premature-scaling"
    SCALING_DENIAL = "scaling-denial"

    @property
    def known(self) -> "KnownMode":
        """Return what is known of it, whatever run it was found in."""
        return MODES[self]


class KnownMode(NamedTuple):
    """What is known of a failure mode in general."""

    of_class: ModeClass
    """What it is a failure of."""
    cause: str
    """Why it happens."""
    containment: str
    """What keeps it from spreading while it is there."""
    recovery: str
    """What to change."""


_D, _C, _I, _H, _S = ModeClass

#: Every mode, in the order in which people read them.
MODES: dict[FailureMode, KnownMode] = {
    FailureMode.OVER_DECOMPOSITION: KnownMode(
        _D,
        "the work is cut into more pieces than it needs: each costs a handoff, and fills little of an agent",
        "keep the results: they are right, only dear",
        "let one agent do several items: larger items, or merge phases over the same items",
    ),
    FailureMode.UNDER_DECOMPOSITION: KnownMode(
        _D,
        "tasks are larger than an agent can hold, so that they end at a limit instead of at their end",
        "do not use what was cut off as if it were whole",
        "cut those tasks into smaller ones, or give their agents a larger budget or context",
    ),
    FailureMode.BAD_BOUNDARIES: KnownMode(
        _D,
        "domains are cut across what belongs together, so that most of what an agent needs is made elsewhere",
        "let one owner above the domains decide what crosses them",
        "group items by what they share: name domains by it, or let the planner partition them",
    ),
    FailureMode.SERIAL_WHERE_PARALLEL: KnownMode(
        _D,
        "work waits for work that it does not use",
        "nothing is lost but time",
        "drop the needs that are not used, or raise the limit that lets one agent work at a time",
    ),
    FailureMode.ORCHESTRATOR_SATURATION: KnownMode(
        _C,
        "one coordinator decides or integrates everything, and its queue grows faster than it works",
        "lower how many agents report to it at one time",
        "add leads between it and the agents, delegate, or let it decide in batches",
    ),
    FailureMode.OVERHEAD_EXCEEDS_VALUE: KnownMode(
        _C,
        "coordination costs more than working together brings",
        "stop adding agents",
        "fewer agents, direct handoffs, fewer sync points; compare with one agent alone",
    ),
    FailureMode.COORDINATION_GAPS: KnownMode(
        _C,
        "work belongs to nobody: it was proposed, needed or waited for, and no one was to do it",
        "list what is open before the result is used",
        "name an owner for each: a phase that takes proposals, an integrator that is to be complete",
    ),
    FailureMode.COORDINATION_CONFLICT: KnownMode(
        _C,
        "several coordinators direct the same work, and say different things",
        "use only what the nearest common owner has decided",
        "give each subject one owner, and state what settles conflicts",
    ),
    FailureMode.NO_INTEGRATION_OWNER: KnownMode(
        _I,
        "outputs are handed on side by side, and nobody is to make one whole of them",
        "do not use outputs that contradict each other",
        "state an integrator for the phase",
    ),
    FailureMode.INTEGRATION_BOTTLENECK: KnownMode(
        _I,
        "putting results together takes more than doing the work",
        "keep the outputs: integration alone can be done again",
        "integrate in stages (`combine`), as results come in, or with more capacity",
    ),
    FailureMode.CONTEXT_LOSS: KnownMode(
        _I,
        "whoever integrates does not see, or does not keep, what the parts say",
        "read the parts beside the whole",
        "richer handoffs: contracts with keys that are to be complete, and an audit that compares",
    ),
    FailureMode.LATE_INTEGRATION_FAILURE: KnownMode(
        _I,
        "that results do not fit together is found when all work is done",
        "keep what fits, and do only the rest again",
        "integrate parts on the way: waves with early integration, or a check of the contract at each handoff",
    ),
    FailureMode.INFORMATION_LOSS: KnownMode(
        _H,
        "what somebody saw early was filtered on its way up, and proved right later",
        "read the concerns that were filed or dismissed about it",
        "raise what was filtered: flat moments, and no dismissal without looking",
    ),
    FailureMode.AUTHORITY_GRADIENT: KnownMode(
        _H,
        "what agents knew did not reach whoever decided, or was overruled by whoever it was about",
        "look at what was done beside open concerns",
        "independent verification, concerns in the person's line, decisions by nobody they are about",
    ),
    FailureMode.APPROVAL_BOTTLENECK: KnownMode(
        _H,
        "everything waits for a few people's answers, most of which are yes",
        "answer what holds most work first",
        "let results proceed by the record of their agents; approve in batches; gate only what cannot be undone",
    ),
    FailureMode.TOO_DEEP: KnownMode(
        _H,
        "there are more levels than so many agents need: each delays and blurs what passes",
        "read results where they were made",
        "flatten: a larger span, fewer domains or teams",
    ),
    FailureMode.TOO_SHALLOW: KnownMode(
        _H,
        "a coordinator has more reports than it can follow",
        "lower how many of them work at one time",
        "add a level: a smaller span, domains with owners of their own",
    ),
    FailureMode.WRONG_REGIME: KnownMode(
        _S,
        "the job is organised for another number of agents than it has",
        "do not trust measures of the smaller runs",
        "let the planner choose the structure for its size",
    ),
    FailureMode.SCALING_CEILING: KnownMode(
        _S,
        "more agents do not bring more throughput: what they add, coordination takes",
        "go back to the number that brought as much",
        "accept the ceiling, or remove what bounds it",
    ),
    FailureMode.PREMATURE_SCALING: KnownMode(
        _S,
        "the organisation is made for more work than there is",
        "nothing is wrong with the results",
        "one agent, or a flat group, until there is more to do",
    ),
    FailureMode.SCALING_DENIAL: KnownMode(
        _S,
        "the job outgrows its structure again and again, and is run as before",
        "stop adding work to it",
        "take the change that its runs propose, then look at the measures again",
    ),
}
