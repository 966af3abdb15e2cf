"""A job whose check cannot tell before it has been mended: then it is made again, and the work is not (D11, F8)."""

from echelon import Brief, Job, Resilience, agent
from tests.chaos.jobs.shipping_job import Parcel, Parcels, World, of_inputs

#: A file in the world that says that the check was mended.
MENDED = "mended"


@agent
async def wrap(parcel: Parcel, brief: Brief) -> str:
    """Wrap a parcel."""
    World(parcel.world).ask(brief.assignment.task_id)
    return parcel.id


def is_wrapped(output: str, inputs: Parcels) -> bool:
    if not (inputs.world / MENDED).exists():
        raise ConnectionError("the scales do not answer")
    return bool(output)


mended_check_job = Job("mended-check", goal="Wrap every parcel", inputs=Parcels, defaults=Resilience(attempts=1))
mended_check_job.phase("wrap", each=wrap, over=of_inputs, success=[is_wrapped])
