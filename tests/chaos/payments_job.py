"""A job whose agents do what cannot be undone, for a world that knows no keys: asked twice, it does it twice."""

from echelon import Brief, Job, Resilience, agent
from tests.chaos.shipping_job import Parcel, Parcels, World, merge, of_inputs


@agent(effect="irreversible")
async def pay(parcel: Parcel, brief: Brief) -> str:
    """Pay for a parcel."""
    world = World(parcel.world)
    world.ask(brief.assignment.task_id)
    world.take_money(parcel.id)
    return parcel.id


payments_job = Job("payments", goal="Pay for every parcel", inputs=Parcels, defaults=Resilience(attempts=1))
payments_job.phase("pay", each=pay, over=of_inputs, integrate=merge)
