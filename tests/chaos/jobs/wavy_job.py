"""A job in waves: one phase ends when there is enough, one fails in part, in rhythms of domains, and is put together
domain by domain as soon as each has ended.

Who is set to work is on record outside of the run, and so is what was done.
"""

from echelon import AgentFailed, Brief, Concern, Handoffs, Job, Outcome, Resilience, Sync, agent, integrator
from tests.chaos.jobs.shipping_job import Parcel, Parcels, World, of_inputs


@agent(effect="write")
async def weigh(parcel: Parcel, brief: Brief) -> Outcome[str]:
    """Weigh a parcel, and say what is urgent about the second."""
    World(parcel.world).ask(brief.assignment.task_id)
    World(parcel.world).receive(brief.idempotency_key, f"weigh {parcel.id}")
    urgent = Concern(about=parcel.id, message="it is too heavy", confidence=0.9, impact=0.9)
    return Outcome(output=parcel.id, concerns=(urgent,) if parcel.id == "p1" else ())


async def enough(weigh: Handoffs[str], brief: Brief, inputs: Parcels) -> bool:
    """Say that a few will do."""
    World(inputs.world).ask(f"{brief.assignment.task_id} of {len(weigh)}")
    return len(weigh) >= 5


@integrator
async def weighed(weigh: Handoffs[str]) -> list[str]:
    """Put together what was weighed."""
    return sorted(weigh.outputs())


@agent
async def stack(parcel: Parcel, brief: Brief, weigh: Handoffs[list[str]]) -> str:
    """Stack a parcel, but for one."""
    World(parcel.world).ask(brief.assignment.task_id)
    if parcel.id == "p2":
        raise AgentFailed("it does not fit")
    return f"{parcel.id} of {len(weigh.outputs()[0])}"


@integrator
async def pile(stack: Handoffs[str], brief: Brief, inputs: Parcels) -> list[str]:
    """Put together what was stacked in a domain."""
    World(inputs.world).ask(brief.assignment.task_id)
    return [*stack.outputs(), *(one.task_id for one in stack.missing)]


@pile.combine
async def piles(stacked: Handoffs[list[str]], brief: Brief, inputs: Parcels) -> list[str]:
    """Put together what was put together."""
    World(inputs.world).ask(brief.assignment.task_id)
    return sorted(one for pile in stacked.outputs() for one in pile)


wavy_job = Job("wavy", goal="Stack every parcel", inputs=Parcels, defaults=Resilience(attempts=1))
wavy_job.phase("weigh", each=weigh, over=of_inputs, sync=Sync.every(3), stop=enough, integrate=weighed)
wavy_job.phase(
    "stack",
    each=stack,
    over=of_inputs,
    domain=lambda parcel: parcel.domain,
    needs="weigh",
    sync={"*": Sync.every(2)},
    integrate=piles,
)
