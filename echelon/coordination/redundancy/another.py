"""A step as another one does it that keeps its contract: a fallback, a replica or a standby (F2, F9)."""

from dataclasses import replace

from echelon.agents.agent import Agent
from echelon.contract.fit import is_other_version
from echelon.contract.version import contract_name
from echelon.coordination.accounts import budget_told
from echelon.coordination.briefs import by_value_told, told_anew
from echelon.coordination.context import RunContext
from echelon.coordination.step.step import Step
from echelon.resilience.guard import Guard


def done_by(run: RunContext, step: Step, other: Agent, guard: Guard, key: str) -> Step:
    """Return a step as `other` does it under a key of its own: told the same, within bounds of its own."""
    policy, wanted = guard.policy, step.agent.output_type
    by_value = by_value_told(policy, run.spec.by_value_tokens)
    criteria = run.spec.criteria_of(
        run.spec.tasks[step.task_id], other.name, instead_of=step.agent.name, phase=step.phase
    )
    conventions = run.spec.conventions_for(other, step.phase, receives=bool(step.call.upstream), does_task=True)
    call = told_anew(step.call, budget_told(policy, run.spec.job.budget), by_value, criteria.texts, conventions)
    made = replace(step, key=key, agent=other, call=call, guard=guard, criteria=criteria)
    if is_other_version(other.output_type, wanted):  # written down as what it is, read as what it is for
        own = other.output_type
        made = replace(made, contract=run.contracts.adapter(own), contract_name=contract_name(own))
    return made
