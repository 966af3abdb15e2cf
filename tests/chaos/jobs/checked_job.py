"""A job whose results are checked: with the work, by somebody else, and as constraints of what is handed on (D11).

Who is set to work, and who verifies, is on record outside of the run.
"""

from echelon import Brief, Handoffs, Job, Resilience, agent
from tests.chaos.jobs.shipping_job import Parcel, Parcels, World, of_inputs


@agent
async def wrap(parcel: Parcel, brief: Brief) -> str:
    """Wrap a parcel, once more for each gap."""
    World(parcel.world).ask(f"{brief.assignment.task_id}@{brief.round}")
    return f"{parcel.id}:{1 + len(brief.gaps)}"


def is_wrapped(output: str) -> bool:
    return ":" in output


async def is_wrapped_well(parcel: Parcel, output: str, brief: Brief) -> str:
    """Reject every first wrapping of a second parcel."""
    number = int(output.partition(":")[2] or 0)
    World(parcel.world).ask(f"{brief.assignment.task_id}@{number}")
    return "" if number > int(parcel.id[1:]) % 2 else "wrap it once more"


async def costs_little(wrapped: Handoffs[object], brief: Brief, inputs: Parcels) -> bool:
    """Look at the whole."""
    World(inputs.world).ask(brief.assignment.task_id)
    return len(wrapped) > 0


checked_job = Job(
    "checked", goal="Wrap every parcel", inputs=Parcels, constraints=[costs_little], defaults=Resilience(attempts=2)
)
checked_job.phase("wrap", each=wrap, over=of_inputs, success=[is_wrapped], verify=is_wrapped_well)
