"""DBOS on SQLite: one workflow that gathers one step an agent, and adds up.

python with_dbos.py FILE
"""

import asyncio
import sys
from pathlib import Path

from dbos import DBOS

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.overhead_sides.timing import WARM, overhead_of
from benchmarks.sides import answer


@DBOS.step()
async def wait(number: int, seconds: float) -> int:  # noqa: ARG001 - the number only makes the agents different
    """Wait, as for a model."""
    await asyncio.sleep(seconds)
    return 1


@DBOS.workflow()
async def plain(agents: int, seconds: float) -> int:
    """Run all agents side by side and add up."""
    return sum(await asyncio.gather(*(wait(number, seconds) for number in range(agents))))


if __name__ == "__main__":
    DBOS(config={"name": "overhead", "system_database_url": f"sqlite:///{sys.argv[1]}", "console_log_level": "WARNING"})
    DBOS.launch()
    answer(overhead_of(plain), WARM)
    DBOS.destroy()
