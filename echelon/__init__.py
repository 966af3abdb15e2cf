"""Run many agents as one organisation, on Prefect."""

from echelon.agents.call import Workspace
from echelon.agents.checks.rounds import Rounds
from echelon.agents.checks.verdict import Verdict
from echelon.agents.command import command
from echelon.agents.decorators import agent, integrator
from echelon.agents.fallback import Fallback
from echelon.agents.handoffs import Handoffs, Previous, Received
from echelon.agents.model import model_agent
from echelon.agents.outcome import Outcome
from echelon.contract.version import contract
from echelon.definition.need import Need
from echelon.definition.rolling.repeat import Repeat
from echelon.job import Job
from echelon.model.assignment import Assignment, Brief
from echelon.model.concern import Concern
from echelon.model.errors import AgentFailed, EchelonError
from echelon.model.graph import TaskSpec
from echelon.model.organisation import Organisation
from echelon.model.plan import Plan
from echelon.model.policy import BreakerPolicy, Resilience
from echelon.model.priors import Priors
from echelon.model.run import RunResult, RunView
from echelon.model.usage import Budget, Price, Usage
from echelon.resilience.budget import is_final_call
from echelon.resilience.timeout import heartbeat

__all__ = [
    "AgentFailed",
    "Assignment",
    "BreakerPolicy",
    "Brief",
    "Budget",
    "Concern",
    "EchelonError",
    "Fallback",
    "Handoffs",
    "Job",
    "Need",
    "Organisation",
    "Outcome",
    "Plan",
    "Previous",
    "Price",
    "Priors",
    "Received",
    "Repeat",
    "Resilience",
    "Rounds",
    "RunResult",
    "RunView",
    "TaskSpec",
    "Usage",
    "Verdict",
    "Workspace",
    "agent",
    "command",
    "contract",
    "heartbeat",
    "integrator",
    "is_final_call",
    "model_agent",
]
