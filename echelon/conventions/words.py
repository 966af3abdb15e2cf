"""The words that conventions fix, each with one meaning, and the numbers they turn on (C1, C2, D3, X6)."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from echelon.model.concern import HIGH
from echelon.model.graph import Coupling
from echelon.model.handoff import Handoff
from echelon.model.organisation import Structure
from echelon.model.status import ENDED, Status

PROCEED_ABOVE = 0.70  # confidence, 0 to 1 (X6)
ESCALATE_BELOW = 0.60  # confidence, 0 to 1 (X6)
LATE_SHARE = 0.20  # of the expected time (V1)
RESOURCE_SHARE = 0.80  # of context or budget (V1)
APPROVALS_AT_A_TIME = 10  # approvals decided in one go (X7)
COORDINATION_SHARE = 0.70  # of a coordinator's context spent on coordination (R6)
WAITING_SHARE = 0.20  # of the time of a task spent waiting for a coordinator (R6)

#: What each status says of a task (C2).
STATUSES: dict[Status, str] = {
    Status.PENDING: "assigned, not begun",
    Status.IN_PROGRESS: "its agent is at work",
    Status.COMPLETED: "done, its output can be read",
    Status.FAILED: "cannot be done (`error` says why)",
    Status.BLOCKED: "waits for something outside the agent (`error` says what)",
}

#: What each coupling says of the consumer (D3).
COUPLINGS: dict[Coupling, str] = {
    Coupling.TIGHT: "cannot run without it",
    Coupling.MEDIUM: "has a fallback and takes it",
    Coupling.LOOSE: "is better with it and continues without",
    Coupling.NONE: "does not use it",
}

#: Who decides what an agent may not decide itself; a single agent asks a person.
DECIDES: dict[Structure, str] = {
    Structure.FLAT: "the coordinator decides",
    Structure.HIERARCHICAL: "your lead decides, or the primary when several domains are involved",
    Structure.MULTI_TIER: "your lead decides, or the lowest level above it that has the authority",
    Structure.FEDERATED: "your lead decides, then your domain; the primary only what concerns several domains",
}


def spelled(words: Mapping[Status, str] | Mapping[Coupling, str]) -> str:
    """Return words with their meanings, in one line."""
    return "; ".join(f"`{word.value}` {meaning}" for word, meaning in words.items())


def listed(words: Iterable[StrEnum]) -> str:
    """Return words as an alternative, in one line."""
    *most, last = [f"`{word.value}`" for word in words]
    return f"{', '.join(most)} or {last}"


ONE_MEANING = f"Statuses, with no other words beside them: {spelled(STATUSES)}."
HOW_COUPLED = f"Coupling of a dependency, seen from the consumer: {spelled(COUPLINGS)}."
ENDS = f"A task ends as {listed(status for status in Status if status in ENDED)}, with one sentence on what was done."
ENVELOPE = f"Work changes hands in a handoff: {', '.join(f'`{name}`' for name in Handoff.model_fields)}."
BY_REFERENCE = (
    "`summary` is one sentence, `output_location` a reference: never pass on the content itself. `dependencies` tells "
    "the version of everything used. `error` is set exactly when the task failed or is blocked."
)
ALONE = f"Ask a person when your confidence is below {ESCALATE_BELOW:.2f}."
STOP = f"Stop and say so when you are blocked or have used more than {RESOURCE_SHARE:.0%} of your context or budget."
TRIGGERS = (
    f"Speak up at once when a status changes, when you are more than {LATE_SHARE:.0%} later than expected, when more "
    f"than {RESOURCE_SHARE:.0%} of context or budget is used, when you are blocked, and on every error."
)
SILENCE = "Otherwise report nothing: no news is good news. Those who need more ask."
PERSON_LOOKS = (
    f"A concern with low confidence and high impact always goes to a person (both are high from {HIGH:g} on)."
)
CONCERNS = (
    f"{PERSON_LOOKS} High and high: acted on at once. High confidence, low impact: handled with the work. "
    "Both low: kept to find patterns."
)
NOBODY_HOLDS_BACK = (
    "A concern reaches your lead and, on a way of its own, verification. No coordinator can hold it back; it ends only "
    "with an author and a reason on record. You need not be sure before you raise one."
)
SIGNALS = (
    f"The structure is outgrown when coordinators spend more than {COORDINATION_SHARE:.0%} of their context on "
    f"coordination, again and again; when agents wait for a coordinator longer than {WAITING_SHARE:.0%} of the time of "
    "a task; when integrations get worse while single outputs stay good."
)


def decides(structure: Structure) -> tuple[str, ...]:
    """Return when an agent goes on by itself, when somebody else decides, and what happens in between (X6)."""
    return (
        (
            f"Go on by yourself when your confidence is above {PROCEED_ABOVE:.2f}, the effect stays inside of your "
            "task, the resources are yours and the pattern is known."
        ),
        (
            f"Below {ESCALATE_BELOW:.2f}, with an effect on others, beyond your resources, or on ground that is new: "
            f"{DECIDES[structure]}."
        ),
    )
