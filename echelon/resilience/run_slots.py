"""The slots of one run, by the kind of agent and for all of them together, as its plan says (F5)."""

from collections.abc import Iterable

from echelon.model.graph import CapacityLimit, WorkerKind
from echelon.model.policy import BulkheadPolicy
from echelon.resilience.bulkhead import Bulkhead, Slot


class RunSlots:
    """Made from the limits of a plan; those of providers are kept by the guards of those who call them.

    CPU-bound functions of all runs in a process share its processors: they have no slots of the run of their own. A
    job as an agent only waits for its own agents, which take the slots of their kind in the runs around theirs too
    (`outer`), as one `tenant`: who waits for them must hold none of those.
    """

    def __init__(self, limits: Iterable[CapacityLimit], outer: "RunSlots | None" = None, tenant: str = "") -> None:
        self._kinds: dict[WorkerKind, Bulkhead] = {}
        self._all: list[Bulkhead] = []
        self._outer = outer
        self._tenant = tenant
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
        slots = (own.slot(domain),) if own else ()
        if kind is WorkerKind.JOB:
            return slots
        around = self._outer.of(kind, self._tenant) if self._outer is not None else ()
        return (*slots, *(one.slot(domain) for one in self._all), *around)
