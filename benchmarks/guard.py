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

from echelon.model.policy import Resilience
from echelon.model.usage import Budget
from echelon.resilience.breaker import Breaker
from echelon.resilience.budget import Account
from echelon.resilience.guard import Guard

AIM_MICROSECONDS = 100.0

CLAIM = "a call through budget, room, breaker, retry and timeout costs at most 0.1 ms more than a bare call"

Call = Callable[[], Awaitable[Any]]


async def work() -> str:
    """Do nothing, as fast as it can be done."""
    return "done"


def rungs() -> dict[str, Call]:
    """Return the calls to compare, each with a guard of its own."""
    job = Account(Budget(seconds=3600, tokens=10**9, calls=10**9), "job")
    agent = Account(Budget(tokens=10**9), "agent", Account(Budget(calls=10**9), "domain", job))
    bare = Guard(Resilience(attempts=3))
    full = Guard(Resilience(attempts=3), breaker=Breaker("provider"), account=agent, limit=asyncio.Semaphore(8))
    return {
        "bare call": work,
        "retry and timeout only": lambda: bare.call(work),
        "everything on, three levels of budget": lambda: full.call(work, tokens=100),
    }


async def microseconds_per_call(call: Call, calls: int, rounds: int) -> float:
    """Return the median over several rounds."""
    taken: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(calls):
            await call()
        taken.append((time.perf_counter() - began) / calls * 1e6)
    return statistics.median(taken)


async def measure(calls: int, rounds: int) -> dict[str, Any]:
    """Measure all rungs in one run; `ratio` is the overhead of everything divided by the aim."""
    points = [
        {"rungs": name, "microseconds_per_call": round(await microseconds_per_call(call, calls, rounds), 2)}
        for name, call in rungs().items()
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
