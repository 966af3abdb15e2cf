"""A job whose work goes back and forth between two versions, until its owner decides which one counts (X5)."""

from echelon import Brief, Conflict, Job, Repeat, Resilience, Verdict, agent
from tests.chaos.jobs.shipping_job import Parcel, Parcels, World, of_inputs


@agent
async def wrap(parcel: Parcel, brief: Brief) -> str:
    """Wrap it tight, then loose, then tight."""
    World(parcel.world).ask(f"{brief.assignment.task_id}@{brief.round}")
    return f"{parcel.id} is wrapped {'tight' if brief.round % 2 else 'loose'}"


def finds_something_else(output: str, brief: Brief) -> Verdict:
    return Verdict.rejected(f"{output}: objection {brief.assignment.id}")


async def tighter(conflict: Conflict, inputs: Parcels) -> str:
    """The tighter one counts."""
    World(inputs.world).ask(f"decide {conflict.subject}")
    return next(side.name for side in conflict.sides if side.says["output"].endswith("tight"))


alternating_job = Job("alternating", goal="Wrap every parcel", inputs=Parcels, defaults=Resilience(attempts=1))
alternating_job.phase(
    "wrap",
    each=wrap,
    over=of_inputs,
    settle=tighter,
    repeat=Repeat(until=finds_something_else, rounds=20, stall=20, reactions=2),
)
