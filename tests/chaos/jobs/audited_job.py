"""A job that judges its own work: whoever verifies accepts anything, and a key is dropped (O3, O4).

Who is asked is on record outside of the run.
"""

from typing import Annotated

from pydantic import BaseModel

from echelon import Audit, Brief, Complete, Handoffs, Job, Key, Oversight, agent, integrator
from tests.chaos.jobs.shipping_job import Parcel, Parcels, World, of_inputs


class Wrapped(BaseModel):
    """A parcel that is wrapped."""

    parcel: Annotated[str, Key()]


class Load(BaseModel):
    """All of them, as it says."""

    parcels: Annotated[list[Wrapped], Complete()]


@agent
async def wrap(parcel: Parcel, brief: Brief) -> Wrapped:
    """Wrap a parcel."""
    World(parcel.world).ask(brief.assignment.task_id)
    return Wrapped(parcel=parcel.id)


@integrator
async def load(wrapped: Handoffs[Wrapped]) -> Load:
    """Load all parcels but one."""
    return Load(parcels=[one.load() for one in wrapped][1:])


async def stamp(output: Wrapped, brief: Brief, inputs: Parcels) -> bool:
    """Accept whatever says something."""
    if output.parcel:  # of an empty one every process asks anew whether checks verify anything (D11)
        World(inputs.world).ask(brief.assignment.task_id)
    return bool(output.parcel)


@agent
async def label(parcel: Parcel, brief: Brief) -> str:
    """Label a parcel."""
    World(parcel.world).ask(brief.assignment.task_id)
    return parcel.id


async def nod(output: str, brief: Brief, inputs: Parcels) -> bool:
    """Accept whatever says something, as a verifier that the phase names itself."""
    if output:
        World(inputs.world).ask(brief.assignment.task_id)
    return bool(output)


async def look(output: Load, wrapped: Handoffs[Wrapped], inputs: Parcels) -> bool:
    """Look at the load."""
    World(inputs.world).ask("look")
    return len(output.parcels) <= len(wrapped)


audited_job = Job(
    "audited", goal="Load every parcel", inputs=Parcels, oversight=Oversight(verify=stamp, audit=Audit(by=look))
)
audited_job.phase("wrap", each=wrap, over=of_inputs, integrate=load)
audited_job.phase("label", each=label, over=of_inputs, verify=nod, needs={"wrap": "none"})
