"""What the guard costs: one call through every rung against the same call made bare.

python benchmarks/guard.py [--json] [--calls 2000] [--rounds 7]
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from echelon.model.policy import BulkheadPolicy, Resilience
from echelon.model.usage import Budget, Price, Usage
from echelon.resilience.breaker.breaker import Breaker
from echelon.resilience.budget import Account
from echelon.resilience.bulkhead import Bulkhead
from echelon.resilience.guard import Guard
from echelon.resilience.retry_budget import RetryBudget

AIM_MICROSECONDS = 100.0

CLAIM = "a call through budget, bulkheads, breaker, retry and timeouts costs at most 0.1 ms more than a bare call"

Call = Callable[[], Awaitable[Any]]


class Told:
    """What a model's answer looks like to the guard."""

    usage = Usage(tokens_in=80, tokens_out=20, calls=1)


async def work() -> Told:
    """Give the event loop one turn, as every real call does at least: that is when it tidies up its timers."""
    await asyncio.sleep(0)
    return Told()


def guarded(policy: Resilience, *, tokens: int = 0, **parts: Any) -> Call:
    """Return a call of `work` behind a guard of its own."""
    guard = Guard(policy, **parts)
    return lambda: guard.call(work, tokens=tokens)


def accounts() -> Account:
    """Return the account of an agent in a domain of a job, with every bound there is."""
    budget = Budget(seconds=3600, tokens=10**9, calls=10**9, cost=10**6, final_call=0.1)
    return Account(budget, "agent", Account(budget, "domain", Account(budget, "job")))


def slots(sharers: int) -> Bulkhead:
    """Return a bulkhead that so many domains share, each of which wants all of it."""
    shared = Bulkhead("provider", BulkheadPolicy(max_concurrency=64))
    for number in range(sharers):
        shared.reserve(f"domain-{number}", shared.policy.max_concurrency)
    return shared


def rungs() -> dict[str, Call]:
    """Return the calls to compare; the last has everything on."""
    bare = Resilience(timeout_seconds=False, attempts=1)
    everything: dict[str, Any] = {
        "breaker": Breaker("provider"),
        "account": accounts(),
        "limiters": [
            Bulkhead("domain-1", BulkheadPolicy(max_concurrency=8)).slot(),
            slots(8).slot("domain-1"),
            slots(8).slot("domain-1"),
        ],
        "retry_budget": RetryBudget("provider"),
        "price": Price(input=1, output=5),
    }
    return {
        "bare call": work,
        "everything off": guarded(bare),
        "timeout": guarded(Resilience(attempts=1)),
        "idle timeout": guarded(Resilience(attempts=1, timeout_seconds=False, idle_seconds=60)),
        "retry with its budget": guarded(Resilience(timeout_seconds=False), retry_budget=everything["retry_budget"]),
        "breaker": guarded(bare, breaker=everything["breaker"]),
        "bulkheads: domain, provider, run (8 domains)": guarded(bare, limiters=everything["limiters"]),
        "budgets: agent, domain, job, with a price": guarded(
            bare, account=everything["account"], price=everything["price"], tokens=100
        ),
        "everything on": guarded(Resilience(idle_seconds=60), tokens=100, **everything),
    }


async def microseconds(call: Call, calls: int) -> float:
    """Return the processor time of one call; what other programs take meanwhile is not counted, and nothing waits."""
    began = time.process_time()
    for _ in range(calls):
        await call()
    return (time.process_time() - began) / calls * 1e6


async def measure(calls: int, rounds: int) -> dict[str, Any]:
    """Measure all rungs in turns; `ratio` is the overhead of everything divided by the aim, of the median rounds."""
    compared = rungs()
    taken: dict[str, list[float]] = {name: [] for name in compared}
    for _ in range(rounds):
        for name, call in compared.items():
            taken[name].append(await microseconds(call, calls))
    points = [
        {"rungs": name, "microseconds_per_call": round(statistics.median(each), 2), "worst_round": round(max(each), 2)}
        for name, each in taken.items()
    ]
    overhead = points[-1]["microseconds_per_call"] - points[0]["microseconds_per_call"]
    return {"claim": CLAIM, "points": points, "ratio": round(overhead / AIM_MICROSECONDS, 3)}


def main() -> None:
    """Print the measurement, for people or as JSON."""
    parser = argparse.ArgumentParser(description=CLAIM)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--calls", type=int, default=2000, help="calls a round")
    parser.add_argument("--rounds", type=int, default=7, help="rounds, of which the median counts")
    options = parser.parse_args()
    result = asyncio.run(measure(options.calls, options.rounds))
    if options.json:
        print(json.dumps(result))
        return
    for point in result["points"]:
        print(f"{point['microseconds_per_call']:10.2f} µs  {point['rungs']}")
    print(f"overhead / aim: {result['ratio']} ({'holds' if result['ratio'] <= 1 else 'does not hold'}: {CLAIM})")


if __name__ == "__main__":
    main()
