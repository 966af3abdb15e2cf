"""A bulkhead: so many calls at work at one time, a bounded queue before them, and a fair share for everybody (F5).

Those who share a bulkhead, domains for instance, are its *tenants*. When all of them together want more slots than
there are, each has a fair part: none may hold more than another that still wants some (max-min fairness; what one does
not want is shared by the others). So a tenant whose calls hang cannot take the slots of the others. Slots are given in
turns, one tenant after the other, and within a tenant in the order of arrival.

A tenant wants slots for its calls at work and waiting, and for those that it has reserved: without reservations, the
first to come takes everything, and the others wait until it ends.
"""

import asyncio
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable
from types import TracebackType

from echelon.model.errors import BulkheadFull
from echelon.model.policy import BulkheadPolicy


class _Waiter:
    """A call that waits for a slot, in any event loop."""

    __slots__ = ("_future", "_loop", "granted", "queued")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[None] = self._loop.create_future()
        self.granted = False
        self.queued = True

    async def wait(self) -> None:
        await self._future

    def wake(self) -> bool:
        """Let it go on, from any thread; False when its event loop is gone."""
        try:
            self._loop.call_soon_threadsafe(self._go_on)
        except RuntimeError:
            return False
        self.granted = True
        return True

    def _go_on(self) -> None:
        if not self._future.done():
            self._future.set_result(None)


class Slot:
    """A slot for one tenant: a context manager that may be entered many times, also at one time."""

    __slots__ = ("_bulkhead", "_tenant")

    def __init__(self, bulkhead: "Bulkhead", tenant: str) -> None:
        self._bulkhead = bulkhead
        self._tenant = tenant

    @property
    def name(self) -> str:
        """What the bulkhead is called."""
        return self._bulkhead.name

    @property
    def waiting(self) -> int:
        """Calls in the queue of the bulkhead."""
        return self._bulkhead.waiting

    @property
    def most(self) -> int:
        """Calls that the bulkhead lets through at one time, of all tenants."""
        return self._bulkhead.policy.max_concurrency

    def reserve(self, calls: int) -> None:
        """Reserve slots for so many calls to come; a negative number gives reservations back."""
        self._bulkhead.reserve(self._tenant, calls)

    async def __aenter__(self) -> None:
        await self._bulkhead.enter(self._tenant)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bulkhead.leave(self._tenant)


class Bulkhead:
    """The slots of one dependency, domain or run, shared by everybody, from any thread or event loop."""

    def __init__(self, name: str, policy: BulkheadPolicy) -> None:
        self.name = name
        self.policy = policy
        self._lock = threading.Lock()
        self._held: dict[str, int] = {}
        #: By tenant; the next one in turn is first.
        self._queues: OrderedDict[str, deque[_Waiter]] = OrderedDict()
        #: Calls that each is to make, those at work and waiting included; none that are over.
        self._reserved: Counter[str] = Counter()
        self._at_work = 0
        self._waiting = 0

    @property
    def at_work(self) -> int:
        """Slots taken."""
        return self._at_work

    @property
    def waiting(self) -> int:
        """Calls in the queue."""
        return self._waiting

    def held_by(self, tenant: str) -> int:
        """Return how many slots a tenant has taken."""
        return self._held.get(tenant, 0)

    def slot(self, tenant: str = "") -> Slot:
        """Return a slot to be entered with `async with`."""
        return Slot(self, tenant)

    def reserve(self, tenant: str, calls: int) -> None:
        """Reserve a fair part for so many calls to come; a negative number: they are over, or will not come."""
        with self._lock:
            self._reserved[tenant] += calls
            if self._reserved[tenant] <= 0:
                del self._reserved[tenant]
            if calls < 0:
                self._give_slots()

    async def enter(self, tenant: str = "") -> None:
        """Take a slot, at once or after a wait; `BulkheadFull` at once when too many wait already.

        What was entered must be left; when this raises or is cancelled, nothing was taken.
        """
        with self._lock:
            if tenant not in self._queues and self._may_take(tenant):
                self._take(tenant)
                return
            waiter = self._queue(tenant)
        try:
            await waiter.wait()
        except BaseException:
            self._give_up(tenant, waiter)
            raise

    def leave(self, tenant: str = "") -> None:
        """Give a slot back."""
        with self._lock:
            self._give_back(tenant)
            self._give_slots()

    def _queue(self, tenant: str) -> _Waiter:
        bound = self.policy.max_queue
        if bound is not None and self._waiting >= bound:
            raise BulkheadFull(self.name, self.policy.max_concurrency, self._waiting)
        waiter = _Waiter()
        self._queues.setdefault(tenant, deque()).append(waiter)
        self._waiting += 1
        return waiter

    def _give_up(self, tenant: str, waiter: _Waiter) -> None:
        with self._lock:
            if waiter.granted:  # too late to be of use: the next one gets it
                self._give_back(tenant)
            elif waiter.queued:
                self._unqueue(tenant, waiter)
            self._give_slots()

    def _unqueue(self, tenant: str, waiter: _Waiter) -> None:
        queue = self._queues[tenant]
        queue.remove(waiter)
        waiter.queued = False
        self._waiting -= 1
        if not queue:
            del self._queues[tenant]

    def _take(self, tenant: str) -> None:
        self._held[tenant] = self._held.get(tenant, 0) + 1
        self._at_work += 1

    def _give_back(self, tenant: str) -> None:
        held = self._held[tenant] - 1
        if held:
            self._held[tenant] = held
        else:
            del self._held[tenant]
        self._at_work -= 1

    def _give_slots(self) -> None:
        while (tenant := self._next_in_turn()) is not None:
            waiter = self._queues[tenant][0]
            self._unqueue(tenant, waiter)
            if not waiter.wake():
                continue
            self._take(tenant)
            if tenant in self._queues:
                self._queues.move_to_end(tenant)

    def _next_in_turn(self) -> str | None:
        if not self._queues or self._at_work >= self.policy.max_concurrency:
            return None
        part, left_over = self._fair_part()
        return next((tenant for tenant in self._queues if self._is_within(tenant, part, left_over)), None)

    def _may_take(self, tenant: str) -> bool:
        """Say whether a call that does not wait yet may go in."""
        return self._at_work < self.policy.max_concurrency and self._is_within(tenant, *self._fair_part(tenant))

    def _fair_part(self, newcomer: str | None = None) -> tuple[int, int]:
        """Return the slots that everybody may hold, and how many may hold one more, which cannot be divided."""
        wanted = sorted(self._wanted(newcomer))
        left = self.policy.max_concurrency
        for position, calls in enumerate(wanted):
            tenants = len(wanted) - position
            if calls * tenants > left:
                return divmod(left, tenants)
            left -= calls
        return self.policy.max_concurrency, 0  # there is enough for everybody

    def _wanted(self, newcomer: str | None) -> Iterable[int]:
        reserved, held, queues = self._reserved, self._held, self._queues
        for tenant in {*reserved, *held, *queues} if newcomer is None else {newcomer, *reserved, *held, *queues}:
            here = held.get(tenant, 0) + len(queues.get(tenant, ())) + (tenant == newcomer)
            yield max(here, reserved.get(tenant, 0))

    def _is_within(self, tenant: str, part: int, left_over: int) -> bool:
        held = self._held.get(tenant, 0)
        if held < part:
            return True
        return held == part and sum(other > part for other in self._held.values()) < left_over
