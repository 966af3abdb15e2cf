"""The layers of a step, from the outside in. Oversight adds layers here, not branches in them."""

from echelon.coordination.context import RunContext
from echelon.coordination.gates.layer import AtGate
from echelon.coordination.reuse.keep import KeepUnchanged
from echelon.coordination.step.accept import Accept
from echelon.coordination.step.contain import Contain, act
from echelon.coordination.step.declare import Declare
from echelon.coordination.step.guard import Guarded
from echelon.coordination.step.inform import Inform
from echelon.coordination.step.keep_done import KeepDone
from echelon.coordination.step.recall import Recall
from echelon.coordination.step.step import AskReady, Perform, nobody_asked
from echelon.coordination.success.checked import Checked
from echelon.coordination.success.traced import Traced
from echelon.coordination.success.verify_again import VerifyAgain
from echelon.model.handoff import Handoff


def layers(run: RunContext, ask_ready: AskReady = nobody_asked) -> Perform[Handoff]:
    """Return what does the steps of a run: each ends in a handoff, which is on record before anybody sees it.

    `ask_ready` asks those who did the work before, where a step waits for a person.
    """
    work = Accept(Contain(run, Traced(Declare(run, act))))
    at_gate = AtGate(run, Inform(run, Guarded(run, Checked(run, work))), ask_ready)
    return KeepDone(run, VerifyAgain(run, Recall(run, KeepUnchanged(run, at_gate))), ask_ready)
