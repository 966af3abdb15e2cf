"""The slots of one run, by the kind of agent and for all of them together, as its plan says (F5)."""

from collections.abc import Iterable

from echelon.model.graph import CapacityLimit, WorkerKind
from echelon.model.policy import BulkheadPolicy
from echelon.resilience.bulkhead import Bulkhead, Slot


class RunSlots:
    """Made from the limits of a plan; those of providers are kept by the guards of those who call them.

    CPU-bound functions of all runs in a process share its processors: they have no slots of the run of their own.
    """

    def __init__(self, limits: Iterable[CapacityLimit]) -> None:
        self._kinds: dict[WorkerKind, Bulkhead] = {}
        self._all: list[Bulkhead] = []
        for limit in limits:
            if limit.at_once is None or limit.provider is not None or limit.kind is WorkerKind.PROCESS:
                continue
            bulkhead = Bulkhead(limit.name, BulkheadPolicy(max_concurrency=limit.at_once, max_queue=None))
            if limit.kind is None:
                self._all.append(bulkhead)
            else:
                self._kinds[limit.kind] = bulkhead

    @property
    def bulkheads(self) -> tuple[Bulkhead, ...]:
        """All of them."""
        return (*self._kinds.values(), *self._all)

    def of(self, kind: WorkerKind, domain: str) -> tuple[Slot, ...]:
        """Return the slots that an agent of a domain takes, the narrow ones first."""
        own = self._kinds.get(kind)
        return tuple(bulkhead.slot(domain) for bulkhead in (*((own,) if own else ()), *self._all))
