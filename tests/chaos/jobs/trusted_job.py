"""A job whose results are looked at by a peer that cannot tell, then by a lead, then by a person (X6, X7).

Who is asked is on record outside of the run. A peer that cannot tell adds nothing to any record, so that every run but
the first of a journal comes to the same.
"""

from echelon import Autonomy, Brief, Handoffs, Job, Oversight, Resilience, Verdict, agent
from echelon.model.autonomy.batch import ApprovalBatch
from tests.chaos.jobs.shipping_job import Parcel, Parcels, World, of_inputs


@agent
async def wrap(parcel: Parcel, brief: Brief) -> str:
    """Wrap a parcel."""
    World(parcel.world).ask(brief.assignment.task_id)
    return f"{parcel.id} is wrapped"


async def peer(parcel: Parcel, output: str, brief: Brief) -> Verdict:
    """Look at a parcel."""
    World(parcel.world).ask(brief.assignment.task_id)
    return Verdict.unverifiable(f"nobody can see through the paper of {output}")


async def lead(batch: ApprovalBatch, wrapped: Handoffs[str], inputs: Parcels, brief: Brief) -> Verdict:
    """Approve all but the first, and nothing that is empty."""
    World(inputs.world).ask(brief.assignment.task_id)
    return Verdict.rejected("", {one.task_id: "it is the first" for one in batch.asked if one.task_id.endswith("p0")})


trusted_job = Job(
    "trusted",
    goal="Wrap every parcel",
    inputs=Parcels,
    oversight=Oversight(autonomy=Autonomy(peers=[peer], lead=lead, batch=2)),
    defaults=Resilience(attempts=1),
)
trusted_job.phase("wrap", each=wrap, over=of_inputs)
