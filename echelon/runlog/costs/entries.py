"""Entries of the account of a run: what seconds, tokens and money were for, and where in the organisation. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from echelon.model.costs.account import Cost, CostKind, CostRow
from echelon.model.plan import Plan
from echelon.model.run import StepRecord
from echelon.model.usage import known_sum

#: Level of whoever is no part of the tree: who verifies and audits stands beside it (O11).
BESIDE = "beside"


class CostPlace(NamedTuple):
    """Where in a run something was used."""

    level: str = ""
    phase: str = ""
    domain: str = ""
    worker: str = ""
    model: str = ""


#: What belongs to the run as a whole.
RUN = CostPlace()


class CostEntry(NamedTuple):
    """What was used for one thing at one place."""

    kind: CostKind
    place: CostPlace
    seconds: float = 0.0
    tokens: int | None = None
    cost: float | None = None
    unreported: int = 0


class Places:
    """Says where in the organisation steps belong."""

    def __init__(self, plan: Plan | None) -> None:
        self._plan = plan

    def of(self, step: StepRecord) -> CostPlace:
        """Return the place of a step that ended."""
        place = self.at(step.node, step.phase, step.handoff.task_id)
        return place._replace(worker=step.worker or ("model" if step.model else ""), model=step.model or "")

    def at(self, node: str, phase: str, task_id: str) -> CostPlace:
        """Return the place of what a node does in a phase."""
        if self._plan is None:
            return CostPlace(phase=phase)
        known = self._plan.nodes.get(node)
        domain = self._plan.domain_of(task_id, node)
        return CostPlace(level=known.kind.value if known else BESIDE, phase=phase, domain=domain)

    def agent_of(self, task_id: str) -> str:
        """Return the node that a task belongs to; empty when there is none."""
        return self._plan.agent_of.get(task_id, "") if self._plan else ""


def rows_of(entries: Iterable[CostEntry]) -> tuple[CostRow, ...]:
    """Sum entries by kind and place, in the order of the kinds and then of the log."""
    sums: dict[tuple[CostKind, CostPlace], CostEntry] = {}
    for entry in entries:
        place = entry.kind, entry.place
        known = sums.get(place)
        sums[place] = entry if known is None else _added(known, entry)
    order = list(CostKind)
    return tuple(map(_row, sorted(sums.values(), key=lambda entry: order.index(entry.kind))))


def _added(left: CostEntry, right: CostEntry) -> CostEntry:
    return left._replace(
        seconds=left.seconds + right.seconds,
        tokens=known_sum(left.tokens, right.tokens),
        cost=known_sum(left.cost, right.cost),
        unreported=left.unreported + right.unreported,
    )


def _row(entry: CostEntry) -> CostRow:
    kind, place, seconds, tokens, cost, unreported = entry
    used = Cost(seconds=seconds, tokens=tokens, cost=cost, unreported=unreported)
    return CostRow(kind=kind, **place._asdict(), used=used)
