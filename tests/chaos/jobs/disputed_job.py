"""A job in waves that a contradiction ends: a rule decides about some of it, and cannot tell of the rest (X3, X9).

Who is set to work, and who decides, is on record outside of the run.
"""

from echelon import Brief, Conflict, Handoffs, Job, Resilience, Sync, agent, integrator
from tests.chaos.jobs.conflicting_job import Weight
from tests.chaos.jobs.shipping_job import Parcel, Parcels, World, of_inputs

#: Of two parcels the scale is wrong.
WRONG = {"p1": 7, "p3": 9}


@agent
async def gauge(parcel: Parcel, brief: Brief) -> list[Weight]:
    """Weigh two parcels that everybody weighs."""
    World(parcel.world).ask(brief.assignment.task_id)
    return [Weight(parcel=name, grams=WRONG.get(parcel.id, 5)) for name in ("light", "odd")]


async def lighter(conflict: Conflict, inputs: Parcels) -> str:
    """The first one counts, where that can be told."""
    World(inputs.world).ask(f"decide {conflict.subject} {[side.task_id for side in conflict.sides]}")
    return "" if conflict.subject.endswith("odd") else conflict.sides[0].task_id


@integrator
async def list_all(gauged: Handoffs[list[Weight]]) -> list[str]:
    """List what was weighed, with what does not count."""
    return [f"{one.task_id}: {one.caveat}" for one in gauged] + [one.reason for one in gauged.missing]


disputed_job = Job("disputed", goal="Weigh every parcel", inputs=Parcels, defaults=Resilience(attempts=1))
disputed_job.phase(
    "gauge", each=gauge, over=of_inputs, integrate=list_all, settle=lighter, sync=Sync.on("conflict"), flat=True
)
