"""An account of a run: every second, every token and all money, by what it was for (M1). Values and their sums only."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal, Self, TypeAlias, get_args

from pydantic import Field

from echelon.model.base import Value
from echelon.model.usage import known_sum


class CostKind(StrEnum):
    """What seconds, tokens and money were for."""

    WORK = "work"  #: an agent did a task, for the first time and with success
    LIMIT = "waiting_for_limit"  #: a step waited for a slot, a rate, a breaker, a quota or a budget that resets
    ORCHESTRATION = "orchestration"  #: finding out what there is to do, planning, sync points
    INTEGRATION = "integration"  #: a coordinator put outputs together
    VERIFICATION = "verification"  #: checks, verifiers, audits, peers, leads, settling of conflicts
    READING = "reading_handoffs"  #: what was told to an agent, or read by it, of the work of others
    COORDINATOR = "waiting_for_coordinator"  #: a step had all it needed, and whoever begins it had not come to it
    PERSON = "waiting_for_person"  #: a step waited at a gate, or otherwise for a person
    REWORK = "rework"  #: what failed, was done again, rejected, or lost to another replica
    UNKNOWN = "unknown"  #: the log does not say what it was for


class CostSide(StrEnum):
    """The three sides of an account: together they are all of it."""

    WORK = "work"
    COORDINATION = "coordination"
    UNKNOWN = "unknown"


#: The side that each kind is on; what is neither known nor coordination is work (M1).
SIDES: dict[CostKind, CostSide] = {
    CostKind.WORK: CostSide.WORK,
    CostKind.LIMIT: CostSide.WORK,
    CostKind.ORCHESTRATION: CostSide.COORDINATION,
    CostKind.INTEGRATION: CostSide.COORDINATION,
    CostKind.VERIFICATION: CostSide.COORDINATION,
    CostKind.READING: CostSide.COORDINATION,
    CostKind.COORDINATOR: CostSide.COORDINATION,
    CostKind.PERSON: CostSide.COORDINATION,
    CostKind.REWORK: CostSide.COORDINATION,
    CostKind.UNKNOWN: CostSide.UNKNOWN,
}

CostDimension: TypeAlias = Literal["kind", "level", "phase", "domain", "worker", "model"]
"""By what an account can be grouped."""

DIMENSIONS: tuple[CostDimension, ...] = get_args(CostDimension)


class Cost(Value):
    """Seconds, tokens and money together. None means that nobody reported any, which is never zero."""

    seconds: float = 0.0
    """Seconds of agents and coordinators, times in which nobody worked on the run left out."""
    tokens: int | None = None
    """Tokens in both directions, of those that reported them."""
    cost: float | None = None
    """Money, as far as prices are known."""
    unreported: int = 0
    """Steps whose tokens nobody reported."""

    def __add__(self, other: "Cost") -> "Cost":
        """Sum two of them; an unknown part stays unknown only if both are."""
        return Cost(
            seconds=self.seconds + other.seconds,
            tokens=known_sum(self.tokens, other.tokens),
            cost=known_sum(self.cost, other.cost),
            unreported=self.unreported + other.unreported,
        )

    @classmethod
    def total(cls, costs: Iterable["Cost"]) -> "Cost":
        """Sum any number of them."""
        return sum(costs, Cost())


class CostRow(Value):
    """What was used for one thing in one place."""

    kind: CostKind
    """What for."""
    level: str = ""
    """Level of the tree: primary, domain, team or agent; `beside` for who is no part of it; empty: of the run."""
    phase: str = ""
    """The phase; empty for what belongs to none."""
    domain: str = ""
    """The domain; empty where there is none."""
    worker: str = ""
    """Kind of agent: function, command, model, job; empty when it is not known, and where nobody is at work."""
    model: str = ""
    """The model; empty for functions and commands, and when it is not known."""
    used: Cost
    """How much."""

    @property
    def side(self) -> CostSide:
        """The side that it is on."""
        return SIDES[self.kind]


class CostGroup(Value):
    """What one level, phase, domain, kind of agent or model used."""

    name: str
    """The level, phase, domain, kind of agent or model; empty for what belongs to none."""
    work: Cost
    """Of it the work, waits for limits included."""
    coordination: Cost
    """Of it the coordination."""
    unknown: Cost
    """Of it what nobody knows the purpose of."""

    @property
    def total(self) -> Cost:
        """All of it."""
        return self.work + self.coordination + self.unknown


class CostAccount(Value):
    """Where everything that a run took went; the sum of its rows is the whole."""

    rows: tuple[CostRow, ...] = ()
    """By kind, level, phase, domain, kind of agent and model; each combination once."""
    idle_seconds: float = Field(default=0.0, ge=0)
    """Wall time in which no process worked on the run; in no row."""

    @property
    def total(self) -> Cost:
        """Everything."""
        return Cost.total(row.used for row in self.rows)

    def of(self, *kinds: CostKind) -> Cost:
        """Return what was used for some kinds of things."""
        return Cost.total(row.used for row in self.rows if row.kind in kinds)

    def side(self, side: CostSide) -> Cost:
        """Return one side of it."""
        return Cost.total(row.used for row in self.rows if row.side is side)

    def by_kind(self) -> dict[CostKind, Cost]:
        """Return what was used for each kind of thing that anything was used for."""
        return {kind: self.of(kind) for kind in CostKind if any(row.kind is kind for row in self.rows)}

    def by(self, dimension: CostDimension) -> tuple[CostGroup, ...]:
        """Return it grouped, the largest group first."""
        rows: dict[str, list[CostRow]] = {}
        for row in self.rows:
            rows.setdefault(str(getattr(row, dimension)), []).append(row)
        groups = (_group(name, members) for name, members in rows.items())
        return tuple(sorted(groups, key=lambda group: (-group.total.seconds, group.name)))

    @classmethod
    def together(cls, accounts: Iterable[Self]) -> Self:
        """Return the account of several runs."""
        found = tuple(accounts)
        sums: dict[CostRow, Cost] = {}
        for row in (row for account in found for row in account.rows):
            place = row.model_copy(update={"used": Cost()})
            sums[place] = sums.get(place, Cost()) + row.used
        rows = tuple(place.model_copy(update={"used": used}) for place, used in sums.items())
        return cls(rows=rows, idle_seconds=sum(account.idle_seconds for account in found))


def _group(name: str, rows: Iterable[CostRow]) -> CostGroup:
    sides = {side: Cost() for side in CostSide}
    for row in rows:
        sides[row.side] += row.used
    return CostGroup(
        name=name,
        work=sides[CostSide.WORK],
        coordination=sides[CostSide.COORDINATION],
        unknown=sides[CostSide.UNKNOWN],
    )
