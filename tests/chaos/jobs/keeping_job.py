"""A job that keeps what an earlier run did: which world it works on decides nothing about what comes of it."""

from pathlib import Path

from echelon import Brief, Handoffs, Job, Resilience, Unchanged, agent, integrator
from tests.chaos.jobs.shipping_job import Parcels, World

#: What stands for everything that the agents read: the same in all worlds of one scenario.
UNCHANGED = Unchanged(by=lambda item, inputs: f"{item} in {inputs.world.parent.name}", inputs=("count", "seconds"))


def names(count: int) -> list[str]:
    """Name the items."""
    return [f"p{number}" for number in range(count)]


@agent
async def weigh(item: str, world: Path, brief: Brief) -> str:
    """Weigh an item."""
    World(world).ask(brief.assignment.task_id)
    return f"{item} in {world.parent.name}"


@integrator
async def add_up(weighed: Handoffs[str], world: Path, brief: Brief) -> list[str]:
    """Add up what was weighed."""
    World(world).ask(brief.assignment.task_id)
    return sorted(weighed.outputs())


keeping_job = Job("keeping", goal="Weigh everything", inputs=Parcels, defaults=Resilience(attempts=1))
keeping_job.phase("weigh", each=weigh, over=names, reuse=UNCHANGED, integrate=add_up)
