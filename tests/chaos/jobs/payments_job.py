"""A job whose agents do what cannot be undone, for a world that knows no keys: asked twice, it does it twice."""

from echelon import Brief, Handoffs, Job, Resilience, agent
from tests.chaos.jobs.shipping_job import Parcel, Parcels, World, merge, of_inputs


@agent(effect="irreversible")
async def pay(parcel: Parcel, brief: Brief) -> str:
    """Pay for a parcel."""
    world = World(parcel.world)
    world.ask(brief.assignment.task_id)
    world.take_money(parcel.id)
    return parcel.id


@agent
async def bill(count: int) -> list[str]:
    """Say which parcels must be paid for."""
    return [f"p{number}" for number in range(count)]


@agent
async def of_bill(inputs: Parcels, bill: Handoffs[list[str]]) -> list[Parcel]:
    """Find the parcels on the bill, on the way."""
    billed = {parcel for parcels in bill.outputs() for parcel in parcels}
    return [parcel for parcel in of_inputs(inputs) if parcel.id in billed]


payments_job = Job("payments", goal="Pay for every parcel", inputs=Parcels, defaults=Resilience(attempts=1))
payments_job.phase("bill", agent=bill)
payments_job.phase("pay", each=pay, over=of_bill, needs="bill", integrate=merge)
