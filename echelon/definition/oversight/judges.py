"""Who judges the results of a phase beside what it states itself, each bound to what it is called with (O3, O4)."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass

from echelon.agents.agent import Agent
from echelon.agents.binding import OUTPUT, hints_of
from echelon.agents.call import CallShape
from echelon.agents.checks.criterion import Check
from echelon.contract.fit import unfit
from echelon.definition.oversight.oversight import DEFAULT_OVERSIGHT, Oversight
from echelon.definition.success.criteria import NOTHING_STATED, CheckBinder, Criteria, several
from echelon.definition.success.success import Success
from echelon.model.graph import TaskSpec
from echelon.model.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Judges:
    """Whom the oversight of a job asks about a phase."""

    critical: Criteria = NOTHING_STATED
    """What results on the critical path, and in front of gates, must pass as well: those who verify them."""
    auditor: Agent | None = None
    """Who judges integrations besides what their contracts promise; None: nobody."""

    @property
    def everybody(self) -> tuple[Agent, ...]:
        """All of them."""
        return (*self.critical.verifiers, *((self.auditor,) if self.auditor else ()))


NO_JUDGES = Judges()


def judges_of(
    phase: str,
    oversight: Oversight,
    who: Sequence[Agent],
    shape: CallShape,
    success: Success,
    integrators: Sequence[Agent] = (),
) -> Judges:
    """Return whom a phase is judged by; `InvalidJob` where somebody would judge what it made itself.

    `who` may do its tasks. A function that takes another `output` than what the phase makes is not asked about it.
    """
    if oversight is DEFAULT_OVERSIGHT:
        return NO_JUDGES
    contract = who[0].output_type if len(who) == 1 else object
    binder = CheckBinder(phase=phase, who=tuple(who), shape=shape, where=f"oversight of phase {phase!r}")
    critical = binder.criteria((), contract, [one for one in several(oversight.verify) if _may_judge(one, contract)])
    for own in success.parts:
        (own + critical).check_names(binder.place)
    return Judges(critical=critical, auditor=_auditor(phase, oversight, integrators, shape))


def _may_judge(check: Check, contract: object) -> bool:
    """Say whether a check is for results of a contract: a function says so by the type of its `output`."""
    if contract is object or not inspect.isfunction(check):
        return True
    wanted = hints_of(check, check.__name__).get(OUTPUT, object)
    return wanted is object or unfit(contract, wanted) is None


def _auditor(phase: str, oversight: Oversight, integrators: Sequence[Agent], shape: CallShape) -> Agent | None:
    given = oversight.audit.by if oversight.audit else None
    if given is None or not integrators:
        return None
    where = f"audit of phase {phase!r}"
    bound = CheckBinder(phase=phase, who=tuple(integrators), shape=shape, where=where)
    return bound.whole(given, integrators[0].output_type)


def criteria_for(success: Success, judges: Judges, plan: Plan, task: TaskSpec, agent: str, of: str = "") -> Criteria:
    """Return what the result of a task must pass that an agent does, `of` another one where it stands in for that."""
    stated = success.of(task, agent, instead_of=of)
    return stated + judges.critical if task.id in plan.to_verify else stated
