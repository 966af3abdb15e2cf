"""A job whose agents fail, others stand in for them, and a judge of its own kind verifies those (D11, F2).

Nothing else tells good from bad, so that the judge is asked about an empty result, too: in a step of its own.
"""

from dataclasses import dataclass
from typing import Self

from echelon import AgentFailed, Brief, Job, Outcome, Resilience, Verdict, agent
from echelon.agents.agent import Effect
from echelon.agents.call import Call, CallShape
from tests.chaos.jobs.shipping_job import Parcel, Parcels, World, of_inputs


@dataclass(frozen=True)
class Judge:
    """Rejects what is empty."""

    name: str = "judge"
    goal: str = "Judge"
    effect: Effect = "read"
    resilience: Resilience = Resilience()
    output_type: object = Verdict

    def bind(self, shape: CallShape) -> Self:
        return self

    async def perform(self, call: Call) -> Outcome[object]:
        assert isinstance(call.item, Parcel)
        assert call.output is not None
        World(call.item.world).ask(call.brief.assignment.task_id)
        return Outcome(output=Verdict.accepted() if call.output.load() else Verdict.rejected("it is empty"))


@agent
async def wrap(parcel: Parcel) -> str:
    """Wrap a parcel, which never works."""
    raise AgentFailed(f"{parcel.id} is too large")


@agent
async def pack(parcel: Parcel, brief: Brief) -> str:
    """Pack a parcel."""
    World(parcel.world).ask(brief.assignment.task_id)
    return parcel.id


probed_job = Job("probed", goal="Pack every parcel", inputs=Parcels, defaults=Resilience(attempts=1))
probed_job.phase("wrap", each=wrap, over=of_inputs, fallback=pack, verify=Judge())
