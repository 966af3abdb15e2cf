"""What must be equal of the outputs of those that did the same (F9)."""

import asyncio
import json

from echelon.coordination.context import RunContext
from echelon.coordination.step.contain import contained
from echelon.coordination.step.step import Step
from echelon.definition.redundancy.redundancy import AgreeOn
from echelon.journal.digest import canonical_json
from echelon.model.errors import AgentFailed
from echelon.model.handoff import Handoff


async def read_compared(run: RunContext, step: Step, handoff: Handoff, agree_on: AgreeOn | None) -> object:
    """Return what must be equal of an output, in JSON types; `AgentFailed` where a function of a user cannot tell.

    The output is on record: it is read as everybody reads it.
    """
    location = handoff.output_location
    assert location is not None, "what was delivered has an output"
    if agree_on is None:
        return await asyncio.to_thread(run.outputs.read_json, location)
    output = await run.read(location, step.agent.output_type)
    name = getattr(agree_on, "__name__", "agree_on")
    try:
        with contained(name):
            return json.loads(canonical_json(agree_on(output)))
    except Exception as error:
        raise AgentFailed(
            f"what must be equal of its output cannot be told: {name}: {type(error).__name__}: {error}"
        ) from error
