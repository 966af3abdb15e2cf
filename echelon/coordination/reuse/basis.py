"""What a step is made from, as one identity: where an earlier run has the same one, its work is kept. Pure.

The key of a step says which work it is within a run; its basis says everything that decides what comes of it, the code
included, and holds across runs. Who reports to whom, budgets, guards, conventions and summaries of other phases are no
part of it: they bound and frame the work, and change whenever an item comes or goes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

from echelon.agents.agent import Agent
from echelon.agents.call import Call
from echelon.agents.function import FunctionAgent
from echelon.agents.handoffs import Previous
from echelon.definition.reuse.unchanged import Reuse
from echelon.journal.digest import digest_of
from echelon.model.run import StepKind
from echelon.model.views.items import Changes

#: What may be kept. Whoever finds out what there is to do, or judges work, looks at what is there now.
KEPT_KINDS = (StepKind.TASK, StepKind.INTEGRATION)


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What a step is made from, but for what only code of the job can say."""

    known: str
    """Identity of all that the engine knows."""
    read: Callable[[], str] | None
    """Says what its agent reads besides, empty when that is not known; None: nothing."""

    def identity(self, state: str) -> str:
        """Return the identity of everything, given what its agent reads besides."""
        return digest_of((self.known, state))


def basis_of(reuse: Reuse, work: object, agent: Agent, code: str, call: Call, *, is_task: bool) -> Basis | None:
    """Return what a step is made from; None where the `code` of its agent is not known.

    `work` is what the engine knows of it besides its call: which work it is, and what it receives.
    """
    if not code:
        return None
    told = call.brief.assignment
    known = digest_of(
        {
            "work": work,
            "task": told.task_id,
            "code": code,
            "intent": told.intent,
            "constraints": told.constraints,
            "success": told.success,
            "item": call.item,
            "earlier runs": _of_earlier_runs(agent, call),
        }
    )
    return Basis(known=known, read=partial(reuse.state_of, call.item, call.inputs) if is_task else None)


def _of_earlier_runs(agent: Agent, call: Call) -> dict[str, object]:
    """Return what an agent is given of earlier runs, where it asks for that: what it makes is made from it, too."""
    binding = cast("FunctionAgent[..., object]", agent).binding if isinstance(agent, FunctionAgent) else None
    given: dict[str, object] = {}
    if binding is not None and binding.asks_for(Previous):
        received = call.previous.received
        given["output"] = received.handoff.output_location if received else None
    if binding is not None and binding.asks_for(Changes):
        given["changes"] = call.changes()
    return given


def sees_upstream(agent: Agent) -> bool:
    """Say whether what comes of an agent depends on what earlier phases delivered; a function says so by what it asks.

    What reaches it through its item, or what the job says that it reads, is a part of its basis anyway.
    """
    if not isinstance(agent, FunctionAgent):
        return True
    binding = cast("FunctionAgent[..., object]", agent).binding
    return binding is None or binding.sees_upstream
