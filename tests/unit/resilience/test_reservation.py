"""F4: calls wait for what others give back, each in turn, and are refused when it cannot come."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from echelon.model.usage import Budget, Usage
from echelon.resilience.budget import Account
from echelon.resilience.ledger import Amounts

pytestmark = pytest.mark.anyio


def tokens(number: int, calls: int = 1) -> Amounts:
    return Amounts(tokens=number, calls=calls)


async def settle() -> None:
    """Let everybody go on who can."""
    for _ in range(5):
        await asyncio.sleep(0)


class Calls:
    """Calls that want tokens, by name, and the order in which they got them."""

    def __init__(self) -> None:
        self.order = list[str]()
        self.tasks = dict[str, asyncio.Task[Amounts]]()

    def want(self, name: str, claim: Callable[[], Awaitable[Amounts]]) -> None:
        async def wait() -> Amounts:
            got = await claim()
            self.order.append(name)
            return got

        self.tasks[name] = asyncio.create_task(wait())

    async def cancel(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


@pytest.mark.parametrize(("used", "comes"), [(0, True), (40, True), (41, False), (100, False)])
async def test_what_others_hold_is_waited_for_and_refused_when_it_cannot_come(used: int, comes: bool) -> None:
    """100 in all, 60 are held; another wants 60: it goes when no more than 40 were used."""
    account, calls = Account(Budget(tokens=100), "job"), Calls()
    first, second = account.reserve(tokens=60), account.open()
    calls.want("second", lambda: second.claim(tokens(60)))
    await settle()
    assert not calls.tasks["second"].done()

    first.settle(Usage(tokens_in=used, calls=1))
    await settle()

    error = calls.tasks["second"].exception()
    assert (error is None) == comes
    if error is not None:
        assert f"{used:,} spent, 0 reserved for calls under way; the call asks for 60" in str(error)


async def test_the_last_one_may_go_with_what_is_left() -> None:
    account, calls = Account(Budget(tokens=100), "job"), Calls()
    first, second = account.reserve(tokens=60), account.open()
    calls.want("second", lambda: second.claim(tokens(80), tokens(10)))
    await settle()
    assert not calls.tasks["second"].done()  # more may come

    first.settle(Usage(tokens_in=60, calls=1))

    assert await calls.tasks["second"] == tokens(40)


async def test_a_small_call_does_not_overtake_a_large_one() -> None:
    account, calls = Account(Budget(tokens=100), "job"), Calls()
    held = [account.reserve(tokens=50), account.reserve(tokens=30)]
    large, small = account.open(), account.open()
    calls.want("large", lambda: large.claim(tokens(60)))
    await settle()
    calls.want("small", lambda: small.claim(tokens(10)))
    await settle()
    assert calls.order == []

    held[0].cancel()
    await settle()

    assert calls.order == ["large", "small"]


async def test_who_waits_for_one_budget_does_not_keep_others_from_theirs() -> None:
    job, calls = Account(Budget(tokens=1000), "job"), Calls()
    narrow, wide = Account(Budget(tokens=10), "narrow", job), Account(Budget(tokens=500), "wide", job)
    held = narrow.reserve(tokens=10)
    waiting, other = narrow.open(), wide.open()
    calls.want("waiting", lambda: waiting.claim(tokens(5)))
    await settle()
    calls.want("other", lambda: other.claim(tokens(400)))
    await settle()

    assert calls.order == ["other"]
    held.cancel()
    await settle()
    assert calls.order == ["other", "waiting"]


async def test_what_has_been_begun_goes_before_what_waits_for_its_end() -> None:
    """Both calls of the budget are taken; who has one of them needs a part of it, and gets it past who waits."""
    account, calls = Account(Budget(calls=2, tokens=100), "job"), Calls()
    begun, other, waiting = account.reserve(), account.reserve(), account.open()
    calls.want("waiting", lambda: waiting.claim(tokens(1)))
    await settle()
    calls.want("begun", lambda: begun.claim(tokens(50)))
    await settle()
    assert calls.order == ["begun"]

    begun.pay(await calls.tasks["begun"], Usage(tokens_in=20, calls=1))
    begun.settle(Usage(tokens_in=20, calls=1))
    await settle()
    assert not calls.tasks["waiting"].done()  # the other one may give its call back

    other.cancel()
    assert await calls.tasks["waiting"] == tokens(1)


async def test_who_is_cancelled_while_it_waits_holds_nobody_up() -> None:
    account, calls = Account(Budget(tokens=100), "job"), Calls()
    account.reserve(tokens=50)
    large, small = account.open(), account.open()
    calls.want("large", lambda: large.claim(tokens(60)))
    await settle()
    calls.want("small", lambda: small.claim(tokens(10)))
    await settle()

    calls.tasks["large"].cancel()
    await settle()

    assert calls.order == ["small"]
    assert account.reserved["tokens"] == 60


async def test_what_a_part_used_is_paid_at_once_and_not_again_at_the_end() -> None:
    account = Account(Budget(tokens=100, calls=5), "job")
    reservation = account.reserve()
    for number in range(2):
        held = await reservation.claim(tokens(30))
        reservation.pay(held, Usage(tokens_in=10 + number, calls=1))
    assert (account.used.tokens, account.used.calls, account.reserved["tokens"]) == (21, 2, 0)

    reservation.settle(Usage(tokens_in=25, calls=2))

    assert (account.used.tokens, account.used.calls, account.reserved["calls"]) == (25, 2, 0)


async def test_a_call_that_ends_while_it_is_granted_something_leaves_nothing_reserved() -> None:
    account, calls = Account(Budget(tokens=100), "job"), Calls()
    first, second = account.reserve(tokens=60), account.open()
    calls.want("second", lambda: second.claim(tokens(60)))
    await settle()

    first.cancel()  # it is granted now, and hears of it a moment later
    calls.tasks["second"].cancel()
    await calls.cancel()
    second.cancel()

    assert account.reserved == {"tokens": 0, "calls": 0, "cost": 0}


async def test_an_ended_reservation_takes_no_more() -> None:
    account = Account(Budget(tokens=100), "job")
    reservation = account.reserve(tokens=10)
    held = await reservation.claim(tokens(5))
    reservation.settle(Usage(tokens_in=1, calls=1))

    reservation.pay(held, Usage(tokens_in=5, calls=1))  # its end came first, with everything that was known

    assert (account.used.tokens, account.reserved["tokens"]) == (1, 0)
    with pytest.raises(Exception, match="settled"):
        await reservation.claim(tokens(1))


async def test_one_whose_call_has_ended_while_it_waits_ends_nobody_elses_wait() -> None:
    """As when it was given up where it waits, and is not driven any more."""
    account, calls = Account(Budget(tokens=100), "job"), Calls()
    first, ended, third = account.reserve(tokens=90), account.open(), account.open()
    calls.want("ended", lambda: ended.claim(tokens(60)))
    await settle()
    calls.want("third", lambda: third.claim(tokens(60)))
    await settle()

    ended.cancel()
    first.cancel()
    await settle()

    assert calls.order == ["third"]
    await calls.cancel()
