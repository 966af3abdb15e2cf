"""What all sides of `benchmarks/overhead.py` measure alike: a side imports this and its own library, nothing else."""

import time
from collections.abc import Awaitable, Callable

#: A run of some number of agents that wait for some seconds each; returns how many worked.
Run = Callable[[int, float], Awaitable[int]]

#: What is run before anything counts: agents, seconds.
WARM = (10, 0.01)


def overhead_of(run: Run) -> Callable[[tuple[int, float]], Awaitable[float]]:
    """Return what runs the agents, checks that all of them worked, and returns milliseconds of overhead an agent."""

    async def measured(given: tuple[int, float]) -> float:
        agents, seconds = given
        began = time.perf_counter()
        worked = await run(agents, seconds)
        wall_seconds = time.perf_counter() - began
        if worked != agents:
            raise SystemExit(f"the run delivered {worked} instead of {agents} agents")
        return (wall_seconds - seconds) / agents * 1000

    return measured
