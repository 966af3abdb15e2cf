"""Between waves it is asked whether what is there of a phase is enough (X3)."""

from typing import NamedTuple

from echelon.agents.agent import Agent
from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import StageOrder
from echelon.coordination.rolling.beside import steps_beside
from echelon.coordination.step.layers import layers
from echelon.coordination.success.answered import read_verdict
from echelon.journal.failpoints import failpoint
from echelon.model.handoff import Missing
from echelon.model.integration import stop_id
from echelon.runlog.losses import missing_of


class Enough(NamedTuple):
    """What was answered."""

    enough: str = ""
    """Why what is there is enough; empty where it is not, or nobody can tell."""
    unasked: tuple[Missing, ...] = ()
    """Why there is no answer; empty where there is one."""


async def ask_whether_enough(run: RunContext, order: StageOrder, check: Agent, done: PhaseOutput) -> Enough:
    """Ask whether what is `done` is enough, once for the same outputs; where nobody can tell, the work goes on."""
    step = steps_beside(run, order).check_of_phases(check, stop_id(order.phase, check.name), {order.phase: done})
    checked = await layers(run)(step)
    failpoint("wave.asked")
    if not checked.done:
        return Enough(unasked=(missing_of(checked),))
    verdict = await read_verdict(run, check, checked)
    return Enough(enough=f"{check.name} says that it is enough" if verdict.passed else "")
