"""A job whose outputs contradict each other: a rule decides about some of it, and cannot tell of the rest (X9).

Who is set to work, and who decides, is on record outside of the run.
"""

from typing import Annotated

from pydantic import BaseModel

from echelon import Brief, Conflict, Handoffs, Job, Key, Resilience, agent, integrator
from tests.chaos.jobs.shipping_job import Parcel, Parcels, World, of_inputs


class Weight(BaseModel):
    parcel: Annotated[str, Key()]
    grams: int


@agent
async def weigh(parcel: Parcel, brief: Brief) -> list[Weight]:
    """Weigh two parcels, each scale by itself."""
    World(parcel.world).ask(brief.assignment.task_id)
    return [Weight(parcel=name, grams=100 + int(parcel.id[1:])) for name in ("light", "odd")]


async def heavier(conflict: Conflict, inputs: Parcels) -> str:
    """The heavier one counts, where that can be told."""
    World(inputs.world).ask(f"decide {conflict.subject}")
    return "" if conflict.subject.endswith("odd") else conflict.sides[-1].task_id


@integrator
async def list_all(weighed: Handoffs[list[Weight]]) -> list[str]:
    """List what was weighed, with what does not count."""
    return [f"{one.task_id}: {one.caveat}" for one in weighed] + [one.reason for one in weighed.missing]


conflicting_job = Job("conflicting", goal="Weigh every parcel", inputs=Parcels, defaults=Resilience(attempts=1))
conflicting_job.phase("weigh", each=weigh, over=of_inputs, integrate=list_all, settle=heavier, flat=True)
