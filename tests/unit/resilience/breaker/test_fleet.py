"""F1, the panic rule: never more than a set share of the fleet refuses calls."""

import threading

import pytest

from echelon.model.errors import BreakerOpen
from echelon.model.policy import BreakerPolicy
from echelon.resilience.breaker.fleet import Fleet
from echelon.resilience.breaker.listener import BreakerListener
from echelon.resilience.registry import BreakerRegistry
from echelon.testing.clock import FakeClock

DOWN = ConnectionError("connection refused")


class Log(BreakerListener):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def degraded(self, name: str, why: str) -> None:
        self.lines.append(f"{name}: {why}")


def fleet_of(size: int, clock: FakeClock, log: Log, **policy: float) -> BreakerRegistry:
    registry = BreakerRegistry(clock=clock, listeners=[log])
    for number in range(size):
        registry.get(f"d{number}", BreakerPolicy.model_validate({"consecutive_failures": 1, **policy}))
    return registry


@pytest.mark.parametrize(
    ("size", "share", "minimum", "refusing"),
    [
        (1, 0.5, 5, 1),
        (2, 0.5, 5, 2),  # of two both may be down: too few to say that it is us
        (4, 0.5, 5, 4),
        (5, 0.5, 5, 2),  # 2 of 5 is 40 %, 3 would be 60 %
        (10, 0.5, 5, 5),
        (10, 0.1, 5, 1),
        (5, 0.1, 5, 1),  # one may always be down
        (10, 1.0, 5, 10),
        (3, 0.5, 1, 1),
    ],
)
def test_no_more_than_the_share_of_the_fleet_refuses_calls(
    size: int, share: float, minimum: int, refusing: int
) -> None:
    registry = fleet_of(size, FakeClock(), Log(), max_open_share=share, min_fleet=minimum)
    for breaker in registry:
        breaker.admit().end(DOWN)

    assert len(registry.refusing) == refusing
    assert sum(breaker.state == "open" for breaker in registry) == refusing
    assert sum(bool(breaker.degraded) for breaker in registry) == size - refusing


def test_a_breaker_that_must_not_open_says_so_and_opens_when_it_may() -> None:
    clock, log = FakeClock(), Log()
    registry = fleet_of(5, clock, log, open_seconds=30)
    for name in ("d0", "d1", "d2"):
        registry.get(name).admit().end(DOWN)
    last = registry.get("d2")
    last.admit().end(DOWN)
    why = "2 of 5 breakers refuse calls already, and no more than 50% may"
    cause = "1 failures in a row, the last with ConnectionError: connection refused"
    assert log.lines == [f"d2: {cause}; not opened: {why}"]
    clock.advance(30)
    registry.get("d0").admit().end(None)

    last.admit().end(DOWN)

    assert (last.state, last.degraded, log.lines[1:]) == ("open", "", ["d2: "])


def test_a_half_open_breaker_keeps_its_place_in_the_share() -> None:
    clock = FakeClock()
    registry = fleet_of(5, clock, Log(), open_seconds=30)
    for name in ("d0", "d1"):
        registry.get(name).admit().end(DOWN)
    clock.advance(30)
    trial = registry.get("d0").admit()
    registry.get("d2").admit().end(DOWN)
    assert registry.get("d2").state == "closed"
    registry.isolate("d3", "by hand")  # 3 of 5 now, one more than may

    trial.end(DOWN)

    assert (registry.get("d0").state, registry.refusing) == ("open", {"d0", "d1", "d3"})


def test_a_person_is_not_asked_but_counted() -> None:
    registry = fleet_of(5, FakeClock(), Log())
    for number in range(4):
        registry.isolate(f"d{number}", "maintenance")
    registry.get("d4").admit().end(DOWN)
    assert registry.get("d4").state == "closed"
    with pytest.raises(BreakerOpen):
        registry.get("d0").admit()

    registry.reset("d0")

    assert registry.refusing == {"d1", "d2", "d3"}


def test_threads_that_open_all_breakers_at_once_stay_within_the_share() -> None:
    for _ in range(20):
        fleet = Fleet()
        names = [f"d{number}" for number in range(8)]
        for name in names:
            fleet.add(name)
        start, entered = threading.Barrier(8), list[str]()

        def enter(name: str, fleet: Fleet = fleet, start: threading.Barrier = start, to: list[str] = entered) -> None:
            start.wait()
            if not fleet.enter(name, BreakerPolicy()):
                to.append(name)

        threads = [threading.Thread(target=enter, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert (len(entered), fleet.open) == (4, frozenset(entered))
