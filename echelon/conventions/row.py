"""A sentence of the conventions, and what keeps it (K). What it says is true wherever it is said, or it is not said.

`mechanism` names the code that keeps the sentence. It is a name, and nothing is imported by it: what keeps sentences
lies above this folder. A test finds the code by it, and the test that shows it at work.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from echelon.conventions.facts import Audience, Facts

#: Makes the sentences of a row; none where there is nothing to say.
Text = Callable[[Facts], Iterable[str]]


class Aspect(StrEnum):
    """A heading of the page; they stand in this order, what each kind of agent is told behind them."""

    STRUCTURE = "Structure"
    INFORMATION = "Information"
    SYNC = "Synchronisation"
    INTEGRATION = "Integration"
    PROPOSALS = "Proposed tasks"
    CONCERNS = "Concerns"
    FAILURES = "Failures"
    VERIFICATION = "Verification"
    VOCABULARY = "Vocabulary"
    CONTRACTS = "Contracts"
    BUDGETS = "Budgets"
    GATES = "What waits for a person"
    SHARED = "Shared things"
    CHANGE = "When to change"
    BRIEF = "In their briefs"


def always(_facts: Facts) -> bool:
    """Hold in every run."""
    return True


@dataclass(frozen=True, kw_only=True)
class Row:
    """One thing that conventions say."""

    id: str
    """Unique."""
    aspect: Aspect
    """The heading it stands under."""
    audience: frozenset[Audience]
    """Who is told."""
    text: str | Text
    """What is said, or what makes it of the facts."""
    mechanism: str
    """Where the code is that keeps it, as a dotted path."""
    when: Callable[[Facts], bool] = always
    """Is that switched on in this run?"""

    def lines(self, facts: Facts) -> tuple[str, ...]:
        """Return what is said of these facts; nothing where its mechanism is not switched on."""
        if not self.when(facts):
            return ()
        return (self.text,) if isinstance(self.text, str) else tuple(self.text(facts))
