"""A job whose phases are at work side by side and contradict each other; a rule decides, with records kept (X9, X11).

Who is set to work, and who decides, is on record outside of the run. Whatever its record, each agent proceeds: every
run but the first of a journal comes to the same.
"""

from typing import Annotated

from pydantic import BaseModel

from echelon import Autonomy, Brief, Conflict, Handoffs, Job, Key, Oversight, Resilience, agent
from echelon.model.autonomy.terms import AutonomyTerms
from tests.chaos.jobs.shipping_job import Parcels, World


class Weight(BaseModel):
    parcel: Annotated[str, Key()]
    grams: int


@agent
async def scale(inputs: Parcels, brief: Brief) -> Weight:
    """Weigh."""
    World(inputs.world).ask(brief.assignment.task_id)
    return Weight(parcel="p0", grams=100)


@agent
async def guess(inputs: Parcels, brief: Brief) -> Weight:
    """Guess."""
    World(inputs.world).ask(brief.assignment.task_id)
    return Weight(parcel="p0", grams=90)


@agent
async def report(weighed: Handoffs[Weight], guessed: Handoffs[Weight], brief: Brief, inputs: Parcels) -> list[str]:
    """Report what does not count."""
    World(inputs.world).ask(brief.assignment.task_id)
    return [one.caveat for one in (*weighed, *guessed) if one.caveat]


async def heavier(conflict: Conflict, inputs: Parcels) -> str:
    """The heavier one counts."""
    World(inputs.world).ask(f"decide {conflict.subject}")
    return max(conflict.sides, key=lambda side: side.says["grams"]).name


ruled_job = Job(
    "ruled",
    goal="Weigh a parcel",
    inputs=Parcels,
    oversight=Oversight(settle=heavier, autonomy=Autonomy(terms=AutonomyTerms(proceed=0, escalate=0))),
    defaults=Resilience(attempts=1),
)
ruled_job.phase("weighed", agent=scale)
ruled_job.phase("guessed", agent=guess)
ruled_job.phase("report", agent=report, needs=["weighed", "guessed"])
