"""A bulkhead: so many calls at work at one time, a bounded queue before them, and a fair share for everybody (F5).

Those who share a bulkhead, domains for instance, are its *tenants*. A tenant of a higher priority comes first: others
get what it leaves of the slots, and none is taken back. When all of one priority together want more slots than
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
from typing import NamedTuple

from echelon.model.errors import BulkheadFull
from echelon.model.policy import BulkheadPolicy


class _Tenant(NamedTuple):
    """Who shares the slots: the calls of one name and one priority."""

    name: str
    priority: int


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

    def __init__(self, bulkhead: "Bulkhead", tenant: str, priority: int) -> None:
        self._bulkhead = bulkhead
        self._tenant = _Tenant(tenant, priority)

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
        self._bulkhead.reserve(self._tenant.name, calls, self._tenant.priority)

    async def __aenter__(self) -> None:
        await self._bulkhead.enter(*self._tenant)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bulkhead.leave(*self._tenant)


class Bulkhead:
    """The slots of one dependency, domain or run, shared by everybody, from any thread or event loop."""

    def __init__(self, name: str, policy: BulkheadPolicy) -> None:
        self.name = name
        self.policy = policy
        self._lock = threading.Lock()
        self._held: dict[_Tenant, int] = {}
        #: By tenant; the next one in turn is first.
        self._queues: OrderedDict[_Tenant, deque[_Waiter]] = OrderedDict()
        #: Calls that each is to make, those at work and waiting included; none that are over.
        self._reserved: Counter[_Tenant] = Counter()
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
        """Return how many slots a tenant has taken, whatever the priority of its calls."""
        return sum(held for one, held in self._held.items() if one.name == tenant)

    def slot(self, tenant: str = "", priority: int = 0) -> Slot:
        """Return a slot to be entered with `async with`; of those who wait, a higher priority comes first."""
        return Slot(self, tenant, priority)

    def reserve(self, tenant: str, calls: int, priority: int = 0) -> None:
        """Reserve a fair part for so many calls to come; a negative number: they are over, or will not come."""
        one = _Tenant(tenant, priority)
        with self._lock:
            self._reserved[one] += calls
            if self._reserved[one] <= 0:
                del self._reserved[one]
            if calls < 0:
                self._give_slots()

    async def enter(self, tenant: str = "", priority: int = 0) -> None:
        """Take a slot, at once or after a wait; `BulkheadFull` at once when too many wait already.

        What was entered must be left, as the same tenant with the same priority; when this raises or is cancelled,
        nothing was taken.
        """
        one = _Tenant(tenant, priority)
        with self._lock:
            if one not in self._queues and self._may_take(one):
                self._take(one)
                return
            waiter = self._queue(one)
        try:
            await waiter.wait()
        except BaseException:
            self._give_up(one, waiter)
            raise

    def leave(self, tenant: str = "", priority: int = 0) -> None:
        """Give a slot back."""
        with self._lock:
            self._give_back(_Tenant(tenant, priority))
            self._give_slots()

    def _queue(self, tenant: _Tenant) -> _Waiter:
        bound = self.policy.max_queue
        if bound is not None and self._waiting >= bound:
            raise BulkheadFull(self.name, self.policy.max_concurrency, self._waiting)
        waiter = _Waiter()
        self._queues.setdefault(tenant, deque()).append(waiter)
        self._waiting += 1
        return waiter

    def _give_up(self, tenant: _Tenant, waiter: _Waiter) -> None:
        with self._lock:
            if waiter.granted:  # too late to be of use: the next one gets it
                self._give_back(tenant)
            elif waiter.queued:
                self._unqueue(tenant, waiter)
            self._give_slots()

    def _unqueue(self, tenant: _Tenant, waiter: _Waiter) -> None:
        queue = self._queues[tenant]
        queue.remove(waiter)
        waiter.queued = False
        self._waiting -= 1
        if not queue:
            del self._queues[tenant]

    def _take(self, tenant: _Tenant) -> None:
        self._held[tenant] = self._held.get(tenant, 0) + 1
        self._at_work += 1

    def _give_back(self, tenant: _Tenant) -> None:
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

    def _next_in_turn(self) -> _Tenant | None:
        if not self._queues or self._at_work >= self.policy.max_concurrency:
            return None
        for priority in sorted({tenant.priority for tenant in self._queues}, reverse=True):
            part, left_over = self._fair_part(priority)
            waiting = (tenant for tenant in self._queues if tenant.priority == priority)
            found = next((tenant for tenant in waiting if self._is_within(tenant, part, left_over)), None)
            if found is not None:
                return found
        return None

    def _may_take(self, tenant: _Tenant) -> bool:
        """Say whether a call that does not wait yet may go in."""
        part, left_over = self._fair_part(tenant.priority, tenant)
        return self._at_work < self.policy.max_concurrency and self._is_within(tenant, part, left_over)

    def _fair_part(self, priority: int, newcomer: _Tenant | None = None) -> tuple[int, int]:
        """Return the slots that each of a priority may hold, and how many may hold one more, which cannot be divided.

        What those of higher priorities hold and wait for is theirs.
        """
        known = {*self._reserved, *self._held, *self._queues, *(() if newcomer is None else (newcomer,))}
        wanted = sorted(self._wanted(tenant, newcomer) for tenant in known if tenant.priority == priority)
        left = room = max(0, self.policy.max_concurrency - sum(map(self._here, self._above(priority))))
        for position, calls in enumerate(wanted):
            tenants = len(wanted) - position
            if calls * tenants > left:
                return divmod(left, tenants)
            left -= calls
        return room, 0  # there is enough for everybody

    def _above(self, priority: int) -> Iterable[_Tenant]:
        return (tenant for tenant in {*self._held, *self._queues} if tenant.priority > priority)

    def _here(self, tenant: _Tenant) -> int:
        return self._held.get(tenant, 0) + len(self._queues.get(tenant, ()))

    def _wanted(self, tenant: _Tenant, newcomer: _Tenant | None) -> int:
        return max(self._here(tenant) + (tenant == newcomer), self._reserved.get(tenant, 0))

    def _is_within(self, tenant: _Tenant, part: int, left_over: int) -> bool:
        held = self._held.get(tenant, 0)
        if held < part:
            return True
        alike = (other for one, other in self._held.items() if one.priority == tenant.priority)
        return held == part and sum(other > part for other in alike) < left_over
