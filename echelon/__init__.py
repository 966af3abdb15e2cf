"""Run many agents as one organisation, on Prefect."""

from echelon.agents.call import Workspace
from echelon.agents.checks.evidence import Evidence
from echelon.agents.checks.rounds import Rounds
from echelon.agents.checks.verdict import Verdict
from echelon.agents.command import command
from echelon.agents.decorators import agent, integrator
from echelon.agents.fallback import Fallback
from echelon.agents.handoffs import Handoffs, MaxAge, Previous, Received
from echelon.agents.model import model_agent
from echelon.agents.outcome import Outcome
from echelon.contract.claims import Remark
from echelon.contract.keys import Complete, Key
from echelon.contract.version import contract
from echelon.definition.need import Need
from echelon.definition.oversight.autonomy import Autonomy
from echelon.definition.oversight.oversight import Audit, Oversight
from echelon.definition.reuse.unchanged import Unchanged
from echelon.definition.rolling.proposals import Proposals
from echelon.definition.rolling.repeat import Repeat
from echelon.definition.sync.sync import Sync
from echelon.job import Job
from echelon.model.assignment import Assignment, Brief
from echelon.model.concern import Concern
from echelon.model.conflicts.conflict import Conflict, Settlement
from echelon.model.errors import AgentFailed, EchelonError
from echelon.model.graph import TaskSpec
from echelon.model.organisation import Organisation
from echelon.model.oversight.channel import Notify
from echelon.model.oversight.terms import Gate
from echelon.model.plan import Plan
from echelon.model.policy import BreakerPolicy, Resilience
from echelon.model.priors import Priors
from echelon.model.run import RunResult, RunView
from echelon.model.usage import Budget, Price, Usage
from echelon.model.verification.trace import Trace
from echelon.model.views.items import Changes
from echelon.model.voice.said import Proposal
from echelon.resilience.budget import is_final_call
from echelon.resilience.timeout import heartbeat

__all__ = [
    "AgentFailed",
    "Assignment",
    "Audit",
    "Autonomy",
    "BreakerPolicy",
    "Brief",
    "Budget",
    "Changes",
    "Complete",
    "Concern",
    "Conflict",
    "EchelonError",
    "Evidence",
    "Fallback",
    "Gate",
    "Handoffs",
    "Job",
    "Key",
    "MaxAge",
    "Need",
    "Notify",
    "Organisation",
    "Outcome",
    "Oversight",
    "Plan",
    "Previous",
    "Price",
    "Priors",
    "Proposal",
    "Proposals",
    "Received",
    "Remark",
    "Repeat",
    "Resilience",
    "Rounds",
    "RunResult",
    "RunView",
    "Settlement",
    "Sync",
    "TaskSpec",
    "Trace",
    "Unchanged",
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
