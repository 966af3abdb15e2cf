"""A plan: the structure chosen for a task graph, with its reasons. Plain data: printable, hashable, comparable."""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Literal, Self

from pydantic import Field

from echelon.model.base import Value
from echelon.model.diagnosis.adjustment import Adjustment
from echelon.model.graph import CapacityLimit, TaskSpec
from echelon.model.learning.foreseen import LearntForecast
from echelon.model.organisation import Organisation, Structure
from echelon.model.priors import Priors
from echelon.model.rolling.conditions import PhaseConditions
from echelon.model.terms import DomainPlan, OpenPhase, Terms
from echelon.model.usage import Budget

#: Alerts that somebody can deal with in an hour, one every ten minutes: what EEMUA 191 and ISA-18.2 call acceptable.
ALERTS_AN_HOUR = 6


class NodeKind(StrEnum):
    """What a node of the tree is."""

    PRIMARY = "primary"  #: coordinates the whole job
    DOMAIN = "domain"  #: coordinates a domain, or several
    TEAM = "team"  #: coordinates agents
    AGENT = "agent"  #: does the work


class Node(Value):
    """A node of the tree: a coordinator or an agent."""

    id: str
    """Unique within the plan."""
    kind: NodeKind
    """What it is."""
    parent: str | None
    """The node it reports to; None for the root."""
    members: tuple[str, ...] = ()
    """Nodes that report to it; at most the span. Tasks it holds when it is an agent."""
    domain: str | None = None
    """The domain label it belongs to, when it belongs to exactly one."""


class SyncPoint(Value):
    """Where a phase ends: who integrates, and when it is due (X3)."""

    owner: str
    """The node that owns the integration of the phase (D6)."""
    policy: str = "phase"
    """When to synchronise (X3); several where domains have rhythms of their own (X14)."""
    every: int | None = None
    """Tasks from one light sync point to the next, to begin with; None where that is not a number of tasks."""
    hubs: tuple[str, ...] = ()
    """Tasks of the phase with more than 2 × span links: their outputs are handed on here, not link by link (D2)."""


class PhasePlan(PhaseConditions):
    """Tasks that may run at the same time, and the sync point behind them (D4)."""

    name: str
    """Unique within the plan."""
    tasks: tuple[str, ...]
    """Task ids."""
    sync: SyncPoint
    """The sync point that ends it."""
    needs: tuple[str, ...] | None = None
    """Phases whose sync points it waits for; None in a plan of an earlier version: it waits for the one before it."""
    continues: str | None = None
    """The phase whose agents go on in this one, each with its own item: no sync point stands between them (D1)."""
    gate: tuple[str, ...] = ()
    """Tasks of the phase that wait for a person before they begin (O5)."""
    single: bool | None = None
    """Is its output that of its one agent, and not task → output? None where an earlier version made the plan."""
    integration: Literal["none", "primary", "staged"] | None = None
    """Who puts its outputs together: nobody, the primary alone, or each level its own (X2). None: not known."""


class Reason(Value):
    """Why the plan is as it is."""

    rule: str
    """Rule id."""
    text: str
    """The reason, in one sentence."""


class FindingLevel(StrEnum):
    """How serious a finding is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Finding(Value):
    """Something about the plan that should be changed, and how."""

    rule: str
    """Rule id."""
    level: FindingLevel
    """How serious it is."""
    where: str
    """Task, node or phase."""
    message: str
    """What is wrong, and why it matters."""
    fix: str
    """What to do about it."""


class Share(Value):
    """A share between two bounds, 0 to 1."""

    low: float
    """Lower bound."""
    high: float
    """Upper bound."""


class Overhead(Value):
    """What coordination is expected to cost, as a share of the total (M1)."""

    band: Share
    """The usual band for so many agents (R4)."""
    predicted: float
    """Expected share for this plan, 0 to 1."""


class Range(Value):
    """A number known only between two bounds."""

    low: float
    """At least."""
    high: float
    """At most."""


class Makespan(Value):
    """How long the plan is expected to take, in seconds; None when no task says its duration."""

    predicted: float | None
    """Wall time at the concurrency given."""
    critical_path: float | None
    """Longest chain of dependent tasks: no concurrency goes below."""
    work: float | None
    """Sum over all tasks."""
    coordination: float | None = None
    """Of the wall time, what starting agents, integrating and synchronising takes."""
    max_concurrency: int | None = None
    """Agents at work at one time, where one number was stated for all of them."""
    bound_by: str | None = None
    """The limit that keeps the plan from being faster; None: its longest chain does, or nothing that is known (F5)."""
    bound_seconds: float | None = None
    """What that limit makes the plan take at least."""


class Spending(Value):
    """What the plan is expected to consume. None means that it cannot be known, which is never zero."""

    work_tokens: int | None = None
    """Tokens of the tasks themselves; None when no task states any."""
    assumed: int = 0
    """Tasks that state no tokens and are taken for the prior; 0 when `work_tokens` is None."""
    coordination_tokens: Range | None = None
    """Tokens of the handoffs between agents and of the reports to coordinators (P4)."""
    tokens: Range | None = None
    """Both together."""
    cost: Range | None = None
    """All tokens at the prices of reading, and at the prices of writing."""
    currency: str | None = None
    """Currency of the cost."""
    unpriced: tuple[str, ...] = ()
    """Models without a price; a task that names no model counts as `unknown`."""


class HandoffCount(Value):
    """How often work changes hands."""

    before: int
    """If every dependency were a handoff of its own."""
    after: int
    """With the agents of this plan (D1)."""
    crossing: int
    """Summed over all producers: the other domains that use what it makes (D2)."""
    between_teams: int = 0
    """Summed over all producers: the other teams that use what it makes; an agent without a team is one."""
    at_sync_points: int = 0
    """Of those between teams, how many are made at a sync point: of a hub, or of a phase that is waited for."""
    tokens_saved: Range = Range(low=0, high=0)
    """Tokens that the handoffs that vanished would have cost (D1, P4)."""


class Pairs(Value):
    """How many pairs talk to each other (R7)."""

    mesh: int
    """If everybody talked to everybody."""
    structure: int
    """Along the tree of this plan."""
    scoped: int | None = None
    """What agents see when each sees its scope only, all together: n × k (V4). None in plans of earlier versions."""


class Transition(Value):
    """The nearest larger size at which the structure changes (R5, R10)."""

    at: int
    """Number of agents."""
    agents_away: int
    """How many more agents until then."""
    change: str
    """What changes."""
    why: str
    """What would fail otherwise."""


class Profile(Value):
    """What to expect and to provide at a number of agents; each aspect has its own table (R4)."""

    overhead: Share
    """Coordination cost as a share of the total."""
    countermeasures: str
    """Against blocked upward information."""
    topology: str
    """Communication topology."""
    fails_first: str
    """What breaks first."""
    integration: str
    """How outputs are integrated."""
    visibility: str
    """Who sees what."""
    sync: str
    """When to synchronise."""
    levels: str
    """Levels counted with primary and agents."""
    next_transition: Transition | None
    """What comes next; None beyond the last."""


class InfrastructureRole(StrEnum):
    """What a coordination agent does (R3)."""

    STATE_MANAGER = "state_manager"  #: keeps the canonical state
    MESSAGE_ROUTER = "message_router"  #: carries what crosses domains
    AUDIT = "audit"  #: samples integrations
    VERIFICATION = "verification"  #: checks critical paths independently


class InfrastructureAgent(Value):
    """An agent that coordinates only. It is no part of the tree and counts towards neither levels nor span (R3)."""

    id: str
    """Unique within the plan."""
    role: InfrastructureRole
    """What it does."""
    reports_to: str
    """The node it reports to."""
    serves: tuple[str, ...]
    """The nodes it works for."""
    why: str
    """What would fail without it."""


#: Fields of a plan that say what to expect of it, by what is known when it is made.
_EXPECTED = {"makespan", "spending", "learnt"}


class Plan(Value):
    """How a job will be organised and run."""

    job: str
    """Name of the job."""
    goal: str
    """Goal of the job."""
    n_agents: int = Field(ge=0)
    """Agents that do tasks; coordinators are not counted."""
    structure: Structure
    """How they are organised (R1)."""
    levels: int
    """Coordinating levels above the agents."""
    span: int
    """The most direct reports anybody has (R2)."""
    tree: tuple[Node, ...]
    """All nodes, parents before their members."""
    tasks: tuple[TaskSpec, ...]
    """All tasks."""
    phases: tuple[PhasePlan, ...]
    """In an order in which they could run; what each waits for is in its `needs`."""
    owners: dict[str, str]
    """Who owns each task and each integration: task id or node id → node id (D6)."""
    handoffs: HandoffCount
    """How often work changes hands."""
    pairs: Pairs
    """How many pairs talk to each other."""
    overhead: Overhead
    """What coordination is expected to cost."""
    makespan: Makespan
    """How long it is expected to take."""
    limits: tuple[CapacityLimit, ...] = ()
    """What bounds how many agents are at work, in the forecast and in the run; empty in plans of earlier versions."""
    spending: Spending = Spending()
    """What it is expected to consume."""
    profile: Profile
    """What to expect at this size."""
    infrastructure: tuple[InfrastructureAgent, ...] = ()
    """Agents that verify and audit in this job: beside the tree, and reporting to a person (R11, O11)."""
    to_verify: dict[str, str] = Field(default_factory=dict[str, str])
    """Tasks whose results somebody else must verify, with the reason: they lie on the critical path, or in front of a
    gate (O3). Empty in a small job, and where nobody is asked to."""
    organisation: Organisation = Organisation()
    """What people asked for."""
    budget: Budget | None = None
    """The most that the job may consume; None: nobody said."""
    standing: tuple[Budget, ...] = ()
    """The most that all runs of the job may consume in a day or a month (F10)."""
    priors: Priors = Priors()
    """What is assumed until it is measured."""
    learnt: LearntForecast | None = None
    """What its forecast has from earlier runs of the job; None: it rests on what is stated and assumed (X10)."""
    domains: tuple[DomainPlan, ...] = ()
    """What is chosen for each domain (R9); none in plans of earlier versions."""
    open: tuple[OpenPhase, ...] = ()
    """Phases that are planned on the way, when their items are known (X12)."""
    terms: tuple[Terms, ...] = ()
    """Timeout, retries and fallback of each dependency between phases; empty for a task graph (C4)."""
    contracts: dict[str, dict[str, str]] = Field(default_factory=dict[str, dict[str, str]])
    """The fields of what phases hand on: contract → field → what it holds (C8). None in plans of earlier versions."""
    agents: dict[str, str] = Field(default_factory=dict[str, str])
    """Agents of a task graph that were given beside its file: capability → where each is written, for a resume."""
    alerts_an_hour: int = Field(default=ALERTS_AN_HOUR, ge=1)
    """Alerts that each level is shown one by one in an hour; the others are counted (V7)."""
    adjustments: tuple[Adjustment, ...] = ()
    """What diagnoses of earlier runs changed of the job: it is organised otherwise than its code says then (G)."""
    delivers: tuple[str, ...] = ()
    """Tasks of a graph that none depends on: what they make is the output of a run. Empty: that of the last phase."""
    reasons: tuple[Reason, ...]
    """Why the plan is as it is."""
    findings: tuple[Finding, ...] = ()
    """What should be changed."""

    def model_copy(self, *, update: Mapping[str, object] | None = None, deep: bool = False) -> Self:
        """Return a changed copy; what was worked out from the original does not come along."""
        copied = super().model_copy(update=update, deep=deep)
        for name in ("digest", "nodes", "agent_of"):
            vars(copied).pop(name, None)
        return copied

    @cached_property
    def digest(self) -> str:
        """Identity of what is carried out: equal plans have equal digests, whatever is expected of them (X10)."""
        return hashlib.sha256(self.model_dump_json(exclude=_EXPECTED).encode()).hexdigest()

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """Nodes by id."""
        return {node.id: node for node in self.tree}

    @cached_property
    def agent_of(self) -> dict[str, str]:
        """The agent that holds each task."""
        return {task: node.id for node in self.tree if node.kind is NodeKind.AGENT for task in node.members}

    @property
    def primary(self) -> Node:
        """The root of the tree."""
        return self.tree[0]

    def path(self, node_id: str) -> tuple[str, ...]:
        """Node ids from the primary down to `node_id`."""
        up: list[str] = []
        current: str | None = node_id
        while current is not None:
            up.append(current)
            parent = self.nodes[current].parent
            current = parent if parent in self.nodes else None  # logs may have any plan, and a view is made of each
        return tuple(reversed(up))

    def part_of(self, node_id: str) -> str:
        """Return the node right below the primary that `node_id` is under; empty when it reports to the primary."""
        path = self.path(node_id)
        return path[1] if len(path) > 2 else ""

    def domain_of(self, task_id: str, node_id: str) -> str:
        """Return what a task or an integration belongs to: the first part of its label, or else its part of the tree.

        Empty for what reports to the primary without a label, or is no part of the plan.
        """
        node = self.nodes.get(node_id)
        label = self._labels.get(task_id, node.domain if node else None)
        return (label or "").partition(".")[0] or (self.part_of(node_id) if node else "")

    @cached_property
    def _labels(self) -> dict[str, str | None]:
        return {task.id: task.domain for task in self.tasks}
