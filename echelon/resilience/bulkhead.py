"""A bulkhead: so many calls at work at one time, a bounded queue before them, and a fair share for everybody (F5).

Who shares a bulkhead, domains for instance, are its *sharers*. When all of them together want more places than there
are, each has a fair part: none may hold more than another that still wants some (max-min fairness; what one does not
want is shared by the others). So one whose calls hang cannot take the places of the others. Places are given in turns,
one sharer after the other, and within a sharer in the order of arrival.

A sharer wants places for its calls at work and waiting, and for those that it said to expect: without that, who comes
first takes everything, and the others wait until it ends.
"""

import asyncio
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable
from types import TracebackType

from echelon.model.errors import BulkheadFull
from echelon.model.policy import BulkheadPolicy


class _Waiter:
    """A call that waits for a place, in any event loop."""

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
    """The way to a place, for one sharer: a context manager that may be entered many times, also at one time."""

    __slots__ = ("_bulkhead", "_sharer")

    def __init__(self, bulkhead: "Bulkhead", sharer: str) -> None:
        self._bulkhead = bulkhead
        self._sharer = sharer

    @property
    def most(self) -> int:
        """Calls that the bulkhead lets through at one time, of all sharers."""
        return self._bulkhead.policy.max_concurrency

    def expect(self, calls: int) -> None:
        """Say that so many calls will come, or fewer than was said (a negative number)."""
        self._bulkhead.expect(self._sharer, calls)

    async def __aenter__(self) -> None:
        await self._bulkhead.enter(self._sharer)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bulkhead.leave(self._sharer)


class Bulkhead:
    """The places of one dependency, domain or run, shared by everybody, from any thread or event loop."""

    def __init__(self, name: str, policy: BulkheadPolicy) -> None:
        self.name = name
        self.policy = policy
        self._lock = threading.Lock()
        self._held: dict[str, int] = {}
        #: By sharer; the next one in turn is first.
        self._queues: OrderedDict[str, deque[_Waiter]] = OrderedDict()
        #: Calls that each is to make, those at work and waiting included; none that are over.
        self._expected: Counter[str] = Counter()
        self._at_work = 0
        self._waiting = 0

    @property
    def at_work(self) -> int:
        """Places taken."""
        return self._at_work

    @property
    def waiting(self) -> int:
        """Calls in the queue."""
        return self._waiting

    def held_by(self, sharer: str) -> int:
        """Return how many places a sharer has taken."""
        return self._held.get(sharer, 0)

    def place(self, sharer: str = "") -> Slot:
        """Return the way to a place, for `async with`."""
        return Slot(self, sharer)

    def expect(self, sharer: str, calls: int) -> None:
        """Keep a fair part for so many calls to come; a negative number says that they are over, or will not come."""
        with self._lock:
            self._expected[sharer] += calls
            if self._expected[sharer] <= 0:
                del self._expected[sharer]
            if calls < 0:
                self._give_places()

    async def enter(self, sharer: str = "") -> None:
        """Take a place, at once or after a wait; `BulkheadFull` at once when too many wait already.

        What was entered must be left; when this raises or is cancelled, nothing was taken.
        """
        with self._lock:
            if sharer not in self._queues and self._may_take(sharer):
                self._take(sharer)
                return
            waiter = self._queue(sharer)
        try:
            await waiter.wait()
        except BaseException:
            self._give_up(sharer, waiter)
            raise

    def leave(self, sharer: str = "") -> None:
        """Give a place back."""
        with self._lock:
            self._give_back(sharer)
            self._give_places()

    def _queue(self, sharer: str) -> _Waiter:
        bound = self.policy.max_queue
        if bound is not None and self._waiting >= bound:
            raise BulkheadFull(self.name, self.policy.max_concurrency, self._waiting)
        waiter = _Waiter()
        self._queues.setdefault(sharer, deque()).append(waiter)
        self._waiting += 1
        return waiter

    def _give_up(self, sharer: str, waiter: _Waiter) -> None:
        with self._lock:
            if waiter.granted:  # too late to be of use: the next one gets it
                self._give_back(sharer)
            elif waiter.queued:
                self._unqueue(sharer, waiter)
            self._give_places()

    def _unqueue(self, sharer: str, waiter: _Waiter) -> None:
        queue = self._queues[sharer]
        queue.remove(waiter)
        waiter.queued = False
        self._waiting -= 1
        if not queue:
            del self._queues[sharer]

    def _take(self, sharer: str) -> None:
        self._held[sharer] = self._held.get(sharer, 0) + 1
        self._at_work += 1

    def _give_back(self, sharer: str) -> None:
        held = self._held[sharer] - 1
        if held:
            self._held[sharer] = held
        else:
            del self._held[sharer]
        self._at_work -= 1

    def _give_places(self) -> None:
        while (sharer := self._next_in_turn()) is not None:
            waiter = self._queues[sharer][0]
            self._unqueue(sharer, waiter)
            if not waiter.wake():
                continue
            self._take(sharer)
            if sharer in self._queues:
                self._queues.move_to_end(sharer)

    def _next_in_turn(self) -> str | None:
        if not self._queues or self._at_work >= self.policy.max_concurrency:
            return None
        part, left_over = self._fair_part()
        return next((sharer for sharer in self._queues if self._is_within(sharer, part, left_over)), None)

    def _may_take(self, sharer: str) -> bool:
        """Say whether a call that does not wait yet may go in."""
        return self._at_work < self.policy.max_concurrency and self._is_within(sharer, *self._fair_part(sharer))

    def _fair_part(self, newcomer: str | None = None) -> tuple[int, int]:
        """Return the places that everybody may hold, and how many may hold one more, which cannot be divided."""
        wanted = sorted(self._wanted(newcomer))
        left = self.policy.max_concurrency
        for position, calls in enumerate(wanted):
            sharers = len(wanted) - position
            if calls * sharers > left:
                return divmod(left, sharers)
            left -= calls
        return self.policy.max_concurrency, 0  # there is enough for everybody

    def _wanted(self, newcomer: str | None) -> Iterable[int]:
        expected, held, queues = self._expected, self._held, self._queues
        for sharer in {*expected, *held, *queues} if newcomer is None else {newcomer, *expected, *held, *queues}:
            here = held.get(sharer, 0) + len(queues.get(sharer, ())) + (sharer == newcomer)
            yield max(here, expected.get(sharer, 0))

    def _is_within(self, sharer: str, part: int, left_over: int) -> bool:
        held = self._held.get(sharer, 0)
        if held < part:
            return True
        return held == part and sum(other > part for other in self._held.values()) < left_over
