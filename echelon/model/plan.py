"""A plan: the structure chosen for a task graph, with its reasons. Plain data: printable, hashable, comparable."""

import hashlib
from enum import StrEnum
from functools import cached_property

from pydantic import Field

from echelon.model.base import Value
from echelon.model.graph import TaskSpec


class Structure(StrEnum):
    """How the agents are organised (R1)."""

    SINGLE = "single"  #: 1 agent
    FLAT = "flat"  #: 2–8, one coordinator
    HIERARCHICAL = "hierarchical"  #: 9–20, two levels
    MULTI_TIER = "multi_tier"  #: 21–100, three levels or more
    FEDERATED = "federated"  #: more than 100, loosely coupled domains


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
    """When to synchronise (X3)."""


class PhasePlan(Value):
    """Tasks that may run at the same time, and the sync point behind them (D4)."""

    name: str
    """Unique within the plan."""
    tasks: tuple[str, ...]
    """Task ids."""
    sync: SyncPoint
    """The sync point that ends it."""


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


class Makespan(Value):
    """How long the plan is expected to take, in seconds; None when no task says its duration."""

    predicted: float | None
    """Wall time at the concurrency given."""
    critical_path: float | None
    """Longest chain of dependent tasks: no concurrency goes below."""
    work: float | None
    """Sum over all tasks."""


class HandoffCount(Value):
    """How often work changes hands."""

    before: int
    """If every dependency were a handoff of its own."""
    after: int
    """With the agents of this plan (D1)."""
    crossing: int
    """Of those, how many cross a domain boundary (D2)."""


class Pairs(Value):
    """How many pairs talk to each other (R7)."""

    mesh: int
    """If everybody talked to everybody."""
    structure: int
    """Along the tree of this plan."""


class Transition(Value):
    """The next size at which the structure must change (R5)."""

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
    """In the order they run."""
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
    profile: Profile
    """What to expect at this size."""
    reasons: tuple[Reason, ...]
    """Why the plan is as it is."""
    findings: tuple[Finding, ...] = ()
    """What should be changed."""

    @cached_property
    def digest(self) -> str:
        """Identity of the plan: equal plans have equal digests."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

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
            current = self.nodes[current].parent
        return tuple(reversed(up))
