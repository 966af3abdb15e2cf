"""The slots of one run, by the kind of agent and for all of them together, as its plan says (F5)."""

from collections.abc import Iterable, Iterator, Sequence

from echelon.model.graph import CapacityLimit, WorkerKind
from echelon.model.policy import BulkheadPolicy
from echelon.resilience.bulkhead import Bulkhead, Slot


class RunSlots:
    """Made from the limits of a plan; those of providers are kept by the guards of those who call them.

    CPU-bound functions of all runs in a process share its processors: they have no slots of the run of their own. A
    job as an agent only waits for its own agents, which take the slots of their kind in the runs around theirs too
    (`outer`), as one `tenant`: who waits for them must hold none of those. Those who touch the same shared thing are
    never at work at one time, whatever the plan knows of it: more of them may be found on the way (D4, X12).
    """

    def __init__(self, limits: Iterable[CapacityLimit], outer: "RunSlots | None" = None, tenant: str = "") -> None:
        self._kinds: dict[WorkerKind, Bulkhead] = {}
        self._all: list[Bulkhead] = []
        #: By the shared thing that each of them guards.
        self._things: dict[str, Bulkhead] = {}
        self._outer = outer
        self._tenant = tenant
        for limit in limits:
            of_others = limit.provider is not None or limit.thing is not None or limit.kind is WorkerKind.PROCESS
            if limit.at_once is None or of_others:
                continue
            bulkhead = Bulkhead(limit.name, BulkheadPolicy(max_concurrency=limit.at_once, max_queue=None))
            if limit.kind is None:
                self._all.append(bulkhead)
            else:
                self._kinds[limit.kind] = bulkhead

    @property
    def bulkheads(self) -> tuple[Bulkhead, ...]:
        """All of them."""
        return (*self._things.values(), *self._kinds.values(), *self._all)

    def of(self, kind: WorkerKind, domain: str, priority: int = 0) -> tuple[Slot, ...]:
        """Return the slots that an agent of a domain takes, the narrow ones first."""
        own = self._kinds.get(kind)
        slots = (own.slot(domain, priority),) if own else ()
        if kind is WorkerKind.JOB:
            return slots
        around = self._outer.of(kind, self._tenant) if self._outer is not None else ()
        return (*slots, *(one.slot(domain, priority) for one in self._all), *around)

    def turns(self, touches: Sequence[str], domain: str, priority: int = 0) -> Iterator[Slot]:
        """Yield the slots of what an agent touches, for all in one order, so that no two wait for each other."""
        for thing in sorted(set(touches)):
            if thing not in self._things:
                named = CapacityLimit(thing=thing, at_once=1).name
                self._things[thing] = Bulkhead(named, BulkheadPolicy(max_concurrency=1, max_queue=None))
            yield self._things[thing].slot(domain, priority)
