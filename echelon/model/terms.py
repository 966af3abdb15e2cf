"""What phases and domains go by, as data: terms of a consumer (C4), open phases (X12), choices for a domain (R9)."""

from typing import Literal

from pydantic import Field

from echelon.model.base import Value
from echelon.model.graph import Coupling, ErrorConsequence
from echelon.model.organisation import Structure
from echelon.model.oversight.terms import Gate
from echelon.model.phrasing import count, listed

#: Where something was stated: at the agent, at its phase, at the job, or nowhere, so that the usual holds.
Level = Literal["agent", "phase", "job", "usual"]


#: Phases named in one line at most.
MOST_NAMED = 3


class Terms(Value):
    """The temporal contract of one consumer with one phase it needs (C4)."""

    phase: str
    """The phase of the consumer."""
    consumer: str
    """The agent that works in it."""
    needs: str | None
    """The phase it needs; None: it starts from the inputs of the job."""
    contracts: tuple[str, ...] = ()
    """Contracts of what it is handed, with their versions (C7)."""
    delivers: str
    """Contract of what it makes itself, with its version (C7)."""
    strictness: Literal["strict", "flexible"]
    """What happens to an output of its own that does not fit (C5)."""
    strictness_stated: Level
    """Where that was stated."""
    timeout_seconds: float | None = Field(default=None, gt=0)
    """Time one attempt may take; None: as long as the budgets allow (F4)."""
    timeout_stated: Level
    """Where that was stated."""
    attempts: int = Field(ge=1)
    """Calls made at most, the first included (F3)."""
    attempts_stated: Level
    """Where that was stated."""
    coupling: Coupling | None = None
    """How much it needs that phase; None: not stated, or nothing is needed (D3)."""
    reason: str = ""
    """Why that is tight; asked for by the linter."""
    wait_seconds: float | None = Field(default=None, gt=0)
    """Time it waits for that phase; None: until it has ended."""
    when_missing: str
    """What becomes of it when what it needs is not there (F2)."""
    stands_in: tuple[str, ...] = ()
    """What stands in when it does not deliver itself, in the order in which it is tried (F2)."""


class OpenPhase(Value):
    """A phase that is planned when its items are known: at the sync point of the phases it needs (X12)."""

    phase: str
    """The phase."""
    after: tuple[str, ...]
    """Phases whose handoffs say what its items are."""
    finder: str
    """What finds them."""
    agent: str
    """What works on each."""
    items: tuple[int, int] | None = None
    """The fewest and the most that are expected; None: nobody said."""
    irreversible: bool = False
    """Can what is done to an item not be undone?"""
    gate: Gate | None = None
    """The terms on which a person is asked before an item is begun; None: what cannot be undone has the usual ones."""
    proposed: bool = False
    """Are its items tasks that agents propose (D10)?"""

    @property
    def at_gate(self) -> Gate | None:
        """The gate that each item waits at; None where nobody is asked (O5)."""
        return self.gate or (Gate() if self.irreversible else None)

    @property
    def known(self) -> str:
        """Say when its items are known, and how many are expected."""
        if self.proposed and self.items:
            return f"up to {count(self.items[1], 'proposed task')}, known after {listed(self.after, MOST_NAMED)}"
        expected = f", {self.items[0]:,} to {self.items[1]:,} expected" if self.items else ""
        return f"items known after {listed(self.after, MOST_NAMED)}{expected}"


class DomainPlan(Value):
    """What is chosen for one domain, from its own size, coupling and error consequence (R9)."""

    name: str
    """The first part of its label; a part of the tree where its tasks have none."""
    agents: int = Field(ge=1)
    """Agents that work in it."""
    structure: Structure
    """How so many agents are organised (R1)."""
    coupling_inside: Coupling | None = None
    """The strongest coupling between its tasks; None: they do not use each other."""
    coupling_outward: Coupling | None = None
    """The strongest coupling with tasks of other domains; None: there is none."""
    error_consequence: ErrorConsequence = "minor"
    """The worst consequence that a wrong output of it has."""
    sync: Literal["milestone", "phase", "interval"]
    """When it should synchronise to begin with (X3, X14)."""
    strictness: Literal["strict", "flexible", "mixed"] = "strict"
    """What happens to outputs that do not fit; strict unless something else was stated (C5)."""
    advised: tuple[Literal["structure", "sync"], ...] = ()
    """What of it is advice only: a run does not act on it."""
    rule: str = "R9"
    """The rule it follows."""
    reason: str
    """Why, in one sentence."""
