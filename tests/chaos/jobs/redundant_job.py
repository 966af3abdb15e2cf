"""A job whose tasks are done by several at the same time: two of three must agree, or the first one wins."""

import asyncio

from echelon import Brief, Handoffs, Job, Resilience, agent
from tests.chaos.jobs.shipping_job import Parcel, Parcels, World, of_inputs


def _ask(parcel: Parcel, brief: Brief) -> None:
    World(parcel.world).ask(f"{brief.assignment.task_id}#{brief.replica}")


@agent
async def weigh(parcel: Parcel, brief: Brief) -> dict[str, str]:
    """Weigh a parcel: the second scale is wrong, and each says which one it is."""
    _ask(parcel, brief)
    await asyncio.sleep(0)
    return {"weight": "wrong" if brief.replica == 2 else parcel.id, "scale": str(brief.replica)}


@agent
async def label(parcel: Parcel, weigh: Handoffs[dict[str, str]], brief: Brief) -> str:
    """Write the label of a parcel."""
    _ask(parcel, brief)
    return f"{parcel.id} of {len(weigh)}"


def of_weight(output: dict[str, str]) -> str:
    """Compare the weight, not the scale."""
    return output["weight"]


redundant_job = Job("redundant", goal="Weigh every parcel", inputs=Parcels, defaults=Resilience(attempts=1))
redundant_job.phase("weigh", each=weigh, over=of_inputs, replicas=3, agree=2, agree_on=of_weight)
redundant_job.phase("label", each=label, over=of_inputs, needs="weigh", replicas=2)
