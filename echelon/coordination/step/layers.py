"""The layers of a step, from the outside in. Oversight adds layers here, not branches in them."""

from echelon.coordination.context import RunContext
from echelon.coordination.step.accept import Accept
from echelon.coordination.step.contain import Contain, act
from echelon.coordination.step.declare import Declare
from echelon.coordination.step.gate import gate
from echelon.coordination.step.guard import Guarded
from echelon.coordination.step.keep_done import KeepDone
from echelon.coordination.step.recall import Recall
from echelon.coordination.step.step import Perform
from echelon.model.handoff import Handoff


def layers(run: RunContext) -> Perform[Handoff]:
    """Return what does the steps of a run: each ends in a handoff, which is on record before anybody sees it."""
    return KeepDone(run, Recall(run, gate(Guarded(run, Accept(Contain(run, Declare(run, act)))))))
