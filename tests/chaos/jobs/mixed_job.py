"""A job with agents of every kind, each of which pays for something: asked twice, it pays twice."""

import asyncio
import sys
import time

from echelon import Brief, Job, Resilience, agent, command
from tests.chaos.jobs.shipping_job import Parcel, Parcels, World, of_inputs

#: The kinds, by the phases that they work in.
KINDS = ("crunch", "think", "wait", "call")


@agent(cpu_bound=True, effect="irreversible")
def crunch(parcel: Parcel, brief: Brief) -> str:
    """Keep a processor busy in a process of its own, then pay."""
    until = time.process_time() + parcel.seconds
    while time.process_time() < until:
        pass
    return _pay(parcel, brief)


@agent(effect="irreversible")
def think(parcel: Parcel, brief: Brief) -> str:
    """Wait in a thread, then pay."""
    time.sleep(parcel.seconds)
    return _pay(parcel, brief)


@agent(effect="irreversible")
async def wait(parcel: Parcel, brief: Brief) -> str:
    """Wait, then pay."""
    await asyncio.sleep(parcel.seconds)
    return _pay(parcel, brief)


_CALL = """
import fcntl, os, sys, time
world, parcel, seconds = sys.argv[1:]
time.sleep(float(seconds))
os.makedirs(world, exist_ok=True)
with open(f"{world}/lock", "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    with open(f"{world}/paid", "a") as paid:
        paid.write(f"call/{parcel}\\n")
        paid.flush()
        os.fsync(paid.fileno())
print(f"call/{parcel}", end="")
"""

call = command(
    [
        sys.executable,
        "-S",
        "-c",
        _CALL.replace("{", "{{").replace("}", "}}"),
        "{world}",
        "{id}",
        "{seconds}",
    ],
    name="call",
    goal="Let a command pay",
    effect="irreversible",
)


def _pay(parcel: Parcel, brief: Brief) -> str:
    task = brief.assignment.task_id
    World(parcel.world).take_money(task)
    return task


mixed_job = Job("mixed", goal="Pay in every way", inputs=Parcels, defaults=Resilience(attempts=1))
for _kind, _agent in zip(KINDS, (crunch, think, wait, call), strict=True):
    mixed_job.phase(_kind, each=_agent, over=of_inputs)
