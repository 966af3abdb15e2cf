"""F5: so many calls at one time, a bounded queue, a fair share for everybody, and no place is ever lost."""

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from echelon.model.errors import BulkheadFull
from echelon.model.policy import BulkheadPolicy
from echelon.resilience.bulkhead import Bulkhead


def bulkhead(slots: int, queue: int | None = None) -> Bulkhead:
    return Bulkhead("provider", BulkheadPolicy(max_concurrency=slots, max_queue=queue))


async def settle() -> None:
    """Let everything that can go on go on."""
    for _ in range(5):
        await asyncio.sleep(0)


class Caller:
    """A call that holds its place until it is told to end."""

    def __init__(self, shared: Bulkhead, tenant: str = "") -> None:
        self.tenant = tenant
        self.entered = False
        self._end = asyncio.Event()
        self.task = asyncio.get_running_loop().create_task(self._run(shared))

    async def _run(self, shared: Bulkhead) -> None:
        async with shared.slot(self.tenant):
            self.entered = True
            await self._end.wait()

    async def end(self) -> None:
        self._end.set()
        await self.task

    async def cancel(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def callers(shared: Bulkhead, tenants: str) -> list[Caller]:
    """Start a caller for each letter, one after the other."""
    made: list[Caller] = []
    for tenant in tenants:
        made.append(Caller(shared, tenant))
        await asyncio.sleep(0)
    await settle()
    return made


def at_work(made: list[Caller]) -> str:
    return "".join(one.tenant for one in made if one.entered)


async def all_ended(made: list[Caller]) -> None:
    for one in made:
        await one.cancel()


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def told() -> None:
        await story()

    asyncio.run(told())


def test_no_more_are_at_work_than_there_are_places_and_the_first_to_wait_is_the_first_to_go_on() -> None:
    async def story() -> None:
        shared = bulkhead(2)
        made = [Caller(shared) for _ in range(5)]
        await settle()
        assert [one.entered for one in made] == [True, True, False, False, False]

        await made[1].end()
        await settle()

        assert [one.entered for one in made] == [True, True, True, False, False]
        assert (shared.at_work, shared.waiting) == (2, 2)
        await all_ended(made)
        assert (shared.at_work, shared.waiting) == (0, 0)

    run(story)


def test_who_finds_the_queue_full_is_refused_at_once_and_told_what_to_do() -> None:
    async def story() -> None:
        shared = bulkhead(1, queue=2)
        made = [Caller(shared) for _ in range(3)]
        await settle()

        with pytest.raises(BulkheadFull, match="'provider' is full: it allows 1 call at work and 2 waiting") as full:
            await shared.enter()

        assert full.value.passing
        assert "max_concurrency or max_queue" in str(full.value)
        await all_ended(made)
        async with shared.slot():  # the refusal took nothing
            assert shared.at_work == 1

    run(story)


def test_without_a_queue_nobody_waits() -> None:
    async def story() -> None:
        shared = bulkhead(1, queue=0)
        async with shared.slot():
            with pytest.raises(BulkheadFull):
                await shared.enter()
        async with shared.slot():
            pass

    run(story)


@pytest.mark.parametrize("when", ["waiting", "granted", "at work"])
def test_a_cancelled_call_leaves_its_place_to_the_next(when: str) -> None:
    async def story() -> None:
        shared = bulkhead(1)
        first, second, third = [Caller(shared) for _ in range(3)]
        await settle()
        if when != "waiting":
            first._end.set()
            await asyncio.sleep(0)  # the second has the place now, and is not awake yet
        if when == "at work":
            await settle()
        assert second.entered == (when == "at work")
        await second.cancel()
        await first.end()
        await settle()

        assert third.entered
        await third.end()
        assert (shared.at_work, shared.waiting) == (0, 0)

    run(story)


def test_a_call_that_raises_gives_its_place_back() -> None:
    async def story() -> None:
        shared = bulkhead(1)
        with pytest.raises(ValueError, match="bug"):
            async with shared.slot():
                raise ValueError("bug")
        assert shared.at_work == 0

    run(story)


def test_places_are_given_in_turns_to_those_who_share_them() -> None:
    """A flood of one domain does not make another wait for the end of its queue."""

    async def story() -> None:
        shared = bulkhead(1)
        made = await callers(shared, "aaaaabb")
        order = list[str]()
        for _ in made:
            one = next(each for each in made if each.entered and not each.task.done())
            order.append(one.tenant)
            await one.end()
            await settle()

        assert "".join(order) == "aababaa"

    run(story)


@pytest.mark.parametrize(
    ("slots", "arrive", "in_"),
    [
        (4, "aaaaaa", "aaaa"),  # alone it may have them all
        (4, "abaaaa", "abaa"),  # b wants one only, the others are a's
        (4, "ababab", "abab"),
        (5, "abaaabb", "abaaa"),  # nobody knew that b would want more: it waits until an a ends
        (4, "abcdaaaa", "abcd"),
        (2, "abcdaa", "ab"),  # more domains than slots: one each
        (3, "abab", "aba"),  # two and one: the odd place is anybody's
    ],
)
def test_nobody_holds_more_than_a_fair_part_while_there_are_others(slots: int, arrive: str, in_: str) -> None:
    async def story() -> None:
        made = await callers(bulkhead(slots), arrive)

        assert Counter(at_work(made)) == Counter(in_)
        await all_ended(made)

    run(story)


@pytest.mark.parametrize(
    ("slots", "expected", "arrive", "in_"),
    [
        (4, "bbbb", "aaaaaa", "aa"),  # half of the slots wait for b
        (4, "b", "aaaaaa", "aaa"),  # one of them does
        (4, "bbbb", "aaaabb", "aabb"),
        (6, "bccccc", "aaaaaa", "aaa"),  # b wants one; of the five left the odd one is for who comes first
        (2, "bc", "aa", "a"),  # more domains than slots: one each
        (9, "bb", "aaaaaa", "aaaaaa"),  # there is enough for everybody
    ],
)
def test_places_are_kept_for_those_who_are_expected(slots: int, expected: str, arrive: str, in_: str) -> None:
    async def story() -> None:
        shared = bulkhead(slots)
        for tenant, calls in Counter(expected).items():
            shared.reserve(tenant, calls)
        made = await callers(shared, arrive)
        at_first = at_work(made)
        for tenant, calls in Counter(expected).items():
            shared.reserve(tenant, -calls)
        await settle()

        assert Counter(at_first) == Counter(in_)
        assert len(at_work(made)) == min(slots, len(made))  # nobody is expected any more
        await all_ended(made)

    run(story)


def test_a_domain_that_hangs_leaves_the_others_their_part() -> None:
    """Both were expected when the phase began: all calls of a hang from the start, and b works with its two slots."""

    async def story() -> None:
        shared = bulkhead(4)
        shared.reserve("a", 8)
        shared.reserve("b", 20)
        hanging = await callers(shared, "aaaaaaaa")
        assert at_work(hanging) == "aa"
        under_way = most = done = 0

        async def work() -> None:
            nonlocal under_way, most, done
            async with shared.slot("b"):
                under_way += 1
                most = max(most, under_way)
                await asyncio.sleep(0)
                under_way -= 1
                done += 1

        await asyncio.gather(*(work() for _ in range(20)))

        assert (most, done, shared.held_by("a")) == (2, 20, 2)
        shared.reserve("b", -20)
        await settle()
        assert at_work(hanging) == "aaaa"  # alone again
        await all_ended(hanging)

    run(story)


def test_callers_in_other_threads_and_event_loops_share_the_places() -> None:
    shared, under_way, most = bulkhead(3), 0, 0
    lock = threading.Lock()

    async def work() -> None:
        nonlocal under_way, most
        async with shared.slot():
            with lock:
                under_way += 1
                most = max(most, under_way)
            await asyncio.sleep(0.0005)
            with lock:
                under_way -= 1

    async def crowd() -> None:
        await asyncio.gather(*(work() for _ in range(50)))

    threads = [threading.Thread(target=asyncio.run, args=(crowd(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (most, shared.at_work, shared.waiting) == (3, 0, 0)


def test_a_place_is_not_lost_on_who_waited_in_an_event_loop_that_is_gone() -> None:
    shared = bulkhead(1)
    gone = asyncio.new_event_loop()
    gone.run_until_complete(shared.enter())
    waiting = gone.create_task(shared.enter("lost"))
    gone.run_until_complete(asyncio.sleep(0))
    waiting._log_destroy_pending = False  # type: ignore[attr-defined]
    gone.close()

    shared.leave()

    assert (shared.at_work, shared.waiting) == (0, 0)
    waiting.get_coro().close()  # type: ignore[union-attr]


class BulkheadMachine(RuleBasedStateMachine):
    """Callers of three domains come, wait, work, end, are cancelled; more are expected, or fewer."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.calls: list[Caller] = []
        self.expected: Counter[str] = Counter()

    @initialize(slots=st.integers(1, 7), queue=st.none() | st.integers(0, 6))
    def start(self, slots: int, queue: int | None) -> None:
        self.slots, self.queue = slots, queue
        self.shared = bulkhead(slots, queue)

    def do(self, story: Callable[[], Awaitable[Any]]) -> None:
        async def told() -> None:
            await story()
            await settle()

        self.loop.run_until_complete(told())

    @property
    def waiting(self) -> list[Caller]:
        return [one for one in self.calls if not one.entered]

    @property
    def working(self) -> list[Caller]:
        return [one for one in self.calls if one.entered]

    @rule(tenant=st.sampled_from("abc"))
    def come(self, tenant: str) -> None:
        before, ahead = len(self.working), len(self.waiting)
        made: list[Caller] = []

        async def story() -> None:
            made.append(Caller(self.shared, tenant))

        self.do(story)
        if made[0].task.done():  # refused: nothing was free for it, and the queue was full
            assert isinstance(made[0].task.exception(), BulkheadFull)
            assert ahead == self.queue
            return
        self.calls.append(made[0])
        assert len(self.working) - before == int(made[0].entered)

    @precondition(lambda self: self.working)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.working))
        self.calls.remove(one)
        self.do(one.end)

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.calls))
        self.calls.remove(one)
        self.do(one.cancel)

    @precondition(lambda self: self.working and self.waiting)
    @rule(data=st.data())
    def end_one_and_cancel_another_at_the_same_moment(self, data: st.DataObject) -> None:
        ending, leaving = data.draw(st.sampled_from(self.working)), data.draw(st.sampled_from(self.waiting))

        async def story() -> None:
            ending._end.set()
            await asyncio.sleep(0)  # the place is given away now, and its new owner not awake yet
            leaving.task.cancel()
            await asyncio.gather(ending.task, leaving.task, return_exceptions=True)

        self.do(story)
        self.calls = [one for one in self.calls if one not in (ending, leaving)]

    @rule(tenant=st.sampled_from("abc"), calls=st.integers(1, 5))
    def expect(self, tenant: str, calls: int) -> None:
        self.shared.reserve(tenant, calls)
        self.expected[tenant] += calls

    @precondition(lambda self: self.expected)
    @rule(data=st.data())
    def expect_less(self, data: st.DataObject) -> None:
        tenant = data.draw(st.sampled_from(sorted(self.expected)))
        calls = data.draw(st.integers(1, self.expected[tenant]))
        self.expected -= Counter({tenant: calls})

        async def story() -> None:
            self.shared.reserve(tenant, -calls)

        self.do(story)

    @invariant()
    def the_books_are_right(self) -> None:
        assert self.shared.at_work == len(self.working) <= self.slots
        assert self.shared.waiting == len(self.waiting)
        assert self.queue is None or self.shared.waiting <= self.queue
        for tenant in "abc":
            assert self.shared.held_by(tenant) == sum(one.tenant == tenant for one in self.working)

    def fair_part(self, of: str) -> int:
        """Deal slots out one by one, in rounds in which this tenant comes last: what is certainly its own."""
        here = Counter(one.tenant for one in self.calls)
        wanted = here | self.expected
        dealt: Counter[str] = Counter()
        order = sorted(wanted, key=lambda tenant: tenant == of)
        while sum(dealt.values()) < self.slots and dealt != wanted:
            for tenant in order:
                if dealt[tenant] < wanted[tenant] and sum(dealt.values()) < self.slots:
                    dealt[tenant] += 1
        return dealt[of]

    @invariant()
    def a_place_is_free_only_when_nobody_waits_or_somebody_is_expected(self) -> None:
        if self.shared.at_work < self.slots:
            assert all(self.shared.held_by(one.tenant) >= self.fair_part(one.tenant) for one in self.waiting)
            assert not self.waiting or self.expected

    @invariant()
    def within_a_domain_the_first_to_come_is_the_first_to_work(self) -> None:
        for tenant in "abc":
            entered = [one.entered for one in self.calls if one.tenant == tenant]
            assert entered == sorted(entered, reverse=True)

    def teardown(self) -> None:
        for one in tuple(self.calls):
            self.do(one.cancel)
        self.loop.close()
        assert (self.shared.at_work, self.shared.waiting) == (0, 0)


BulkheadMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestBulkheadMachine = BulkheadMachine.TestCase
