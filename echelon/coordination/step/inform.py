"""Whoever begins a step is told of the open concerns about what it uses, whatever its coordinators say of them (O2).

They are no part of what the step is: its key, and what it is made from, are settled before (F8).
"""

from collections.abc import Awaitable
from dataclasses import dataclass, replace

from echelon.coordination.briefs import concern_lines
from echelon.coordination.context import RunContext
from echelon.coordination.step.step import Perform, Step
from echelon.model.handoff import Handoff
from echelon.oversight.relevance import concerns_about


@dataclass(frozen=True)
class Inform:
    """Adds to the brief of a step what is open of what it uses."""

    run: RunContext
    inner: Perform[Handoff]

    def __call__(self, step: Step) -> Awaitable[Handoff]:
        """Do a step."""
        state = self.run.log.state
        if not any(record.is_open for record in state.concerns.values()):
            return self.inner(step)
        found = concerns_about(state, step.task_id, step.node, used_by(step), self.run.lineage)
        brief = step.call.brief.model_copy(update={"concerns": concern_lines(found)})
        return self.inner(replace(step, call=replace(step.call, brief=brief)))


def used_by(step: Step) -> set[str]:
    """Return the tasks and integrations that a step uses directly, those included that did not deliver."""
    received = step.call.upstream.values()
    return {
        *(one.task_id for one in step.dependencies),
        *(one.handoff.task_id for handoffs in received for one in handoffs),
        *(one.task_id for handoffs in received for one in handoffs.missing),
    }
