"""F1: breakers that several processes share through a real Redis."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from echelon.model.errors import BreakerOpen
from echelon.model.policy import BreakerPolicy, Resilience
from echelon.resilience.breaker.breaker import Breaker
from echelon.resilience.breaker.listener import BreakerListener
from echelon.resilience.breaker.permit import Permit
from echelon.resilience.breaker.redis import RedisStore
from echelon.resilience.breaker.store import BreakerRecord
from echelon.resilience.doors import ProbeDoor
from echelon.resilience.guard import CallResult, Guard
from echelon.resilience.registry import BreakerRegistry
from tests.own_redis import Server, eventually, own_redis

DOWN = ConnectionError("connection refused")
ROOT = Path(__file__).parents[4]
OPEN_SECONDS = 0.15
UNTIL_DUE = OPEN_SECONDS + 0.1  # each process counts from when it heard of it


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with own_redis(tmp_path_factory.mktemp("redis")) as running:
        yield running


class Log(BreakerListener):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def shared(self, name: str, through: str) -> None:
        self.lines.append(through)

    def state_change(self, cb: Any, old_state: Any, new_state: Any) -> None:
        self.lines.append(f"{old_state.name} -> {new_state.name}")


@pytest.fixture
def connect(server: Server) -> Iterator[Callable[..., BreakerRegistry]]:
    """Make registries; each stands for a process of its own, with a connection and a thread of its own."""
    server.forget_everything()
    made: list[BreakerRegistry] = []

    def connected(**given: Any) -> BreakerRegistry:
        registry = BreakerRegistry(**{"redis_url": server.url, **given})
        made.append(registry)
        return registry

    yield connected
    for registry in made:
        registry.close()


def provider(registry: BreakerRegistry, **given: Any) -> Breaker:
    policy = {"consecutive_failures": 1, "open_seconds": OPEN_SECONDS, "open_jitter": 0, **given}
    breaker = registry.get("provider", BreakerPolicy.model_validate(policy))
    eventually(lambda: breaker.shared == "redis")
    return breaker


def trip(*breakers: Breaker) -> None:
    """Let the first see a failure, and wait until all have heard of it."""
    breakers[0].admit().end(DOWN)
    eventually(lambda: all(breaker.state == "open" for breaker in breakers))


def granted(breaker: Breaker) -> Permit:
    """Ask again and again, as callers do, until a probe is granted."""
    found: list[Permit] = []

    def asked() -> bool:
        try:
            found.append(breaker.admit())
        except BreakerOpen:
            return False
        return True

    eventually(asked)
    return found[0]


def test_what_one_process_opens_is_open_in_the_others_with_its_reason(connect: Any) -> None:
    log = Log()
    first, second = provider(connect(), open_seconds=30), provider(connect(listeners=[log]), open_seconds=30)
    trip(first, second)

    with pytest.raises(BreakerOpen, match="ConnectionError: connection refused") as refused:
        second.admit()

    assert 25 < refused.value.retry_in_seconds <= 30
    assert log.lines == ["redis", "closed -> open"]


def test_those_who_wait_in_several_processes_make_one_probe_together(connect: Any) -> None:
    """The first probe, in whichever process, fails; nobody else has called before the second one succeeds."""
    at_once = most = made = 0
    closed = False

    async def work() -> None:
        nonlocal at_once, most, made, closed
        at_once, made = at_once + 1, made + 1
        number = made
        most = most if closed else max(most, at_once)
        await asyncio.sleep(0.05)
        at_once -= 1
        if number == 1:
            raise DOWN
        closed = True

    def guard(breaker: Breaker) -> Guard:
        door = ProbeDoor(breaker, attempts=2, timeout_seconds=60)
        return Guard(Resilience(attempts=2, backoff_seconds=0), breaker=breaker, doors=[door])

    async def crowd() -> list[CallResult[None]]:
        return await asyncio.gather(*(one.call(work) for one in guards for _ in range(20)))

    first, second = provider(connect()), provider(connect())
    trip(first, second)
    guards = [guard(first), guard(second)]
    results = asyncio.run(crowd())

    assert [result.error for result in results] == [None] * 40
    assert most == 1


def test_a_process_that_comes_later_learns_what_is_open(connect: Any) -> None:
    first = provider(connect(), open_seconds=30)
    trip(first)
    later = provider(connect(), open_seconds=30)

    eventually(lambda: later.state == "open")


@pytest.mark.parametrize("places", [1, 3])
def test_crowds_in_two_processes_get_exactly_n_trials_together(connect: Any, places: int) -> None:
    breakers = [provider(connect(), half_open_calls=places) for _ in range(2)]
    trip(*breakers)

    async def caller(breaker: Breaker, permits: list[Permit]) -> None:
        try:
            permits.append(await breaker.enter())
        except BreakerOpen:
            await asyncio.sleep(0.01)

    async def crowds() -> list[Permit]:
        await asyncio.sleep(UNTIL_DUE)
        permits: list[Permit] = []
        for _ in range(10):
            await asyncio.gather(*(caller(breaker, permits) for breaker in breakers for _ in range(100)))
        return permits

    permits = asyncio.run(crowds())
    assert len(permits) == places
    assert {breaker.state for breaker in breakers} == {"half-open"}
    for permit in permits:
        permit.end(None)

    eventually(lambda: all(breaker.state == "closed" for breaker in breakers))


def test_a_trial_that_fails_in_one_process_opens_it_for_longer_in_all(connect: Any) -> None:
    first, second = provider(connect(), open_growth=100), provider(connect(), open_growth=100)
    trip(first, second)
    granted(first).end(DOWN)
    eventually(lambda: (first.trips, second.trips) == (2, 2))

    with pytest.raises(BreakerOpen, match="the probe failed") as refused:
        second.admit()

    assert refused.value.retry_in_seconds > 10


def test_trials_that_are_slow_open_it_again(connect: Any) -> None:
    first, second = (provider(connect(), half_open_calls=2, slow_call_seconds=5, slow_call_rate=0.5) for _ in range(2))
    trip(first, second)
    for breaker, seconds in ((first, 1), (second, 6)):
        permit = granted(breaker)
        permit.returned("answer", seconds=seconds)
        permit.end(None)

    eventually(lambda: (first.trips, second.trips, first.state) == (2, 2, "open"))
    assert second.reason == "the probes were slow"


def test_a_cancelled_trial_gives_its_place_to_another_process(connect: Any) -> None:
    first, second = provider(connect()), provider(connect())
    trip(first, second)
    granted(first).end(asyncio.CancelledError())

    granted(second).end(None)

    eventually(lambda: (first.state, second.state) == ("closed", "closed"))


def test_the_place_of_a_process_that_died_with_its_trial_is_given_away(connect: Any) -> None:
    first, second = provider(connect(), probe_seconds=0.3), provider(connect(), probe_seconds=0.3)
    trip(first, second)
    granted(first)  # and never heard of again

    granted(second).end(None)

    eventually(lambda: second.state == "closed")


def test_the_late_end_of_a_trial_says_nothing_in_the_next_half_open_time(connect: Any) -> None:
    first, second = (provider(connect(), probe_seconds=0.1, open_growth=1) for _ in range(2))
    trip(first, second)
    late = granted(first)
    granted(second).end(DOWN)
    eventually(lambda: first.trips == 2)
    trial = granted(first)
    late.end(DOWN)
    trial.end(None)

    eventually(lambda: (first.state, second.state) == ("closed", "closed"))


def test_a_caller_that_stops_waiting_for_a_trial_gives_it_back(connect: Any) -> None:
    breaker = provider(connect())
    trip(breaker)

    async def impatient() -> None:
        await asyncio.sleep(UNTIL_DUE)
        for _ in range(5):
            waiting = asyncio.create_task(breaker.enter())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    asyncio.run(impatient())
    granted(breaker).end(None)

    eventually(lambda: breaker.state == "closed")


def test_a_trial_that_is_granted_when_its_caller_has_gone_is_given_back(connect: Any, server: Server) -> None:
    breaker = provider(connect())
    trip(breaker)

    async def gone() -> None:
        await asyncio.sleep(UNTIL_DUE)
        os.kill(server.process.pid, signal.SIGSTOP)
        waiting = asyncio.create_task(breaker.enter())
        await asyncio.sleep(0.05)  # now Redis has been asked, and has not answered
        waiting.cancel()
        os.kill(server.process.pid, signal.SIGCONT)
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(gone())
    granted(breaker).end(None)

    eventually(lambda: breaker.state == "closed")


OPENED = ("publish", "0", "open", 0, 1, "down", "")


@pytest.mark.parametrize(
    ("changes", "state", "granted_last"),
    [
        ([], "closed", 0),
        ([("trial", "a", 1, 1000)], "closed", 0),
        ([OPENED, ("trial", "a", 1, 1000)], "half-open", 1),
        ([OPENED, ("trial", "a", 1, 1000), ("trial", "b", 1, 1000)], "half-open", 0),
        ([("publish", "0", "open", 9000, 1, "down", ""), ("trial", "a", 1, 1000)], "open", 0),  # too early
        ([("publish", "always", "open", 0, 0, "down", "by hand"), ("trial", "a", 1, 1000)], "open", 0),
        ([OPENED, ("publish", "1", "closed", 0, 1, "", "")], "open", 0),  # it changed since
        ([OPENED, ("publish", "EPOCH", "closed", 0, 1, "", "")], "closed", 0),
        ([OPENED, ("trial", "a", 1, 99), ("settle", "1", "a", "success", 1, 1.0, 9000, "")], "half-open", 0),  # late
        ([OPENED, ("trial", "a", 1, 99), ("settle", "EPOCH", "a", "success", 1, 1.0, 9000, "")], "closed", 0),
        ([OPENED, ("trial", "a", 1, 99), ("settle", "EPOCH", "a", "failure", 1, 1.0, 9000, "")], "open", 0),
        ([OPENED, ("trial", "a", 1, 99), ("settle", "EPOCH", "a", "slow", 1, 1.0, 9000, "")], "open", 0),
        ([OPENED, ("trial", "a", 1, 99), ("settle", "EPOCH", "a", "neutral", 1, 1.0, 9000, "")], "half-open", 0),
        (  # the one that succeeded keeps its place: of two, one is left
            [
                OPENED,
                ("trial", "a", 2, 1000),
                ("settle", "EPOCH", "a", "success", 2, 1.0, 9000, ""),
                ("trial", "b", 2, 1000),
                ("trial", "c", 2, 1000),
            ],
            "half-open",
            0,
        ),
    ],
)
def test_what_a_change_of_the_shared_record_leads_to(
    connect: Any, server: Server, changes: list[tuple[Any, ...]], state: str, granted_last: int
) -> None:
    share = RedisStore(server.url)
    member = Breaker("alone")
    reply = share.run(member, ("read",))
    for change in changes:
        reply = share.run(member, [reply[1] if part == "EPOCH" else part for part in change])
    share.close()

    assert (reply[0].decode(), reply[6]) == (state, granted_last)


def test_who_asks_a_share_that_was_closed_is_answered_all_the_same(server: Server) -> None:
    share = RedisStore(server.url)
    link = share.join(Breaker("alone"))
    share.close()

    link.ask().result(timeout=5).end(None)


def test_isolating_and_resetting_holds_for_all(connect: Any) -> None:
    first, second = provider(connect()), provider(connect())
    first.isolate("maintenance")
    eventually(lambda: second.isolated == "maintenance")
    time.sleep(UNTIL_DUE)
    with pytest.raises(BreakerOpen, match="maintenance"):
        second.admit()
    second.reset()

    eventually(lambda: (first.state, first.isolated) == ("closed", ""))


def test_a_process_whose_fleet_must_not_lose_more_does_not_follow_and_says_so(connect: Any) -> None:
    first = provider(connect(), open_seconds=30)
    registry = connect()
    second = provider(registry, open_seconds=30, min_fleet=1)
    registry.get("tool", BreakerPolicy(consecutive_failures=1)).admit().end(DOWN)
    first.admit().end(DOWN)

    eventually(lambda: second.degraded)
    assert "1 of 2 breakers refuse calls already" in second.degraded
    second.admit().end(None)
    time.sleep(0.25)  # two readings
    assert (first.state, second.state) == ("open", "closed")


def test_a_state_that_redis_lost_is_told_again(connect: Any, server: Server) -> None:
    first = provider(connect(), open_seconds=30)
    trip(first)
    server.forget_everything()
    time.sleep(0.15)
    later = provider(connect(), open_seconds=30)

    eventually(lambda: later.state == "open")


def test_an_address_that_asks_for_decoded_answers_works_too(connect: Any, server: Server) -> None:
    first, second = provider(connect()), provider(connect(redis_url=f"{server.url}?decode_responses=True"))
    trip(first, second)
    granted(second).end(None)

    eventually(lambda: first.state == "closed")


def test_without_redis_each_process_goes_on_by_itself_says_so_and_tells_later(connect: Any, server: Server) -> None:
    log = Log()
    registry = connect(listeners=[log])
    first, second = provider(registry), provider(connect())
    eventually(lambda: (first.shared, second.shared) == ("redis", "redis") and log.lines == ["redis"])
    server.stop()
    try:
        eventually(lambda: (first.shared, second.shared) == ("process", "process"))
        first.admit().end(DOWN)
        assert (first.state, second.state, registry.shared_through) == ("open", "closed", "process")
        granted(first).end(None)
        assert first.state == "closed"
        first.isolate("while Redis was away")
    finally:
        server.start()

    eventually(lambda: second.isolated == "while Redis was away")
    assert (log.lines[:2], log.lines[-1]) == (["redis", "process"], "redis")


def test_a_redis_that_hangs_never_blocks_the_event_loop(connect: Any, server: Server) -> None:
    breaker = provider(connect())
    trip(breaker)

    async def story() -> tuple[int, str]:
        await asyncio.sleep(UNTIL_DUE)
        os.kill(server.process.pid, signal.SIGSTOP)
        turns, waiting = 0, asyncio.create_task(breaker.enter())
        while not waiting.done():
            await asyncio.sleep(0.001)
            turns += 1
        with await waiting:
            return turns, breaker.shared

    try:
        turns, shared = asyncio.run(story())
    finally:
        os.kill(server.process.pid, signal.SIGCONT)

    assert shared == "process"
    assert turns > 10  # the loop went on while Redis had its time to answer
    assert breaker.state == "closed"


def test_what_was_asked_before_closing_is_answered(connect: Any) -> None:
    registry = connect()
    breaker = provider(registry)
    trip(breaker)
    time.sleep(UNTIL_DUE)
    registry.close()

    granted(breaker).end(None)

    assert (breaker.state, breaker.shared) == ("closed", "process")


def test_a_closed_breaker_asks_redis_nothing(connect: Any, server: Server) -> None:
    breaker = provider(connect())
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        for _ in range(1000):
            breaker.admit().end(None)
        assert time.monotonic() - began < 0.2
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


CHILD = """
import asyncio, json, sys, time
from echelon.model.errors import BreakerOpen
from echelon.model.policy import BreakerPolicy
from echelon.resilience.registry import BreakerRegistry
from tests.own_redis import Server, eventually, own_redis

breaker = BreakerRegistry(redis_url=sys.argv[1]).get(
    "provider", BreakerPolicy(consecutive_failures=1, half_open_calls=3, open_seconds=0.3, open_jitter=0)
)

def tell(what):
    print(json.dumps(what), flush=True)

def wait_for(state):
    while breaker.state != state or breaker.shared != "redis":
        time.sleep(0.002)
    tell(breaker.state)

async def crowd():
    granted = []
    async def caller():
        try:
            granted.append(await breaker.enter())
        except BreakerOpen:
            await asyncio.sleep(0.005)
    until = time.monotonic() + 0.6
    while time.monotonic() < until:
        await asyncio.gather(*(caller() for _ in range(50)))
    tell(len(granted))
    return granted

wait_for("closed")
granted = []
for line in sys.stdin:
    word = line.strip()
    if word == "fail":
        breaker.admit().end(ConnectionError("down"))
    elif word == "crowd":
        granted = asyncio.run(crowd())
    elif word == "succeed":
        for permit in granted:
            permit.end(None)
    else:
        wait_for(word)
"""


class Child:
    def __init__(self, url: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD, url], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def say(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def end(self) -> None:
        self.process.communicate(timeout=5)


def test_two_real_processes_share_a_trip_and_exactly_n_trials(connect: Any, server: Server) -> None:
    children = [Child(server.url), Child(server.url)]
    try:
        assert [child.hear() for child in children] == ["closed", "closed"]
        children[0].say("fail")
        for child in children:
            child.say("open")
        assert [child.hear() for child in children] == ["open", "open"]
        for child in children:
            child.say("crowd")
        assert sum(child.hear() for child in children) == 3
        for child in children:
            child.say("succeed")
            child.say("closed")
        assert [child.hear() for child in children] == ["closed", "closed"]
    finally:
        for child in children:
            child.end()


def test_a_record_that_is_older_than_what_is_known_changes_nothing(connect: Any) -> None:
    breaker = provider(connect(), open_seconds=30)
    trip(breaker)
    breaker.follow(BreakerRecord(state="closed", epoch=1))

    assert breaker.state == "open"
