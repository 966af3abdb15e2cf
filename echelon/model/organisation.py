"""How agents are organised, and what people fix about it themselves. Values only."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from echelon.model.base import Value
from echelon.model.costs.baseline import Baseline


class Structure(StrEnum):
    """How the agents are organised (R1)."""

    SINGLE = "single"  #: 1 agent
    FLAT = "flat"  #: 2–8, one coordinator
    HIERARCHICAL = "hierarchical"  #: 9–20, two levels
    MULTI_TIER = "multi_tier"  #: 21–100, three levels or more
    FEDERATED = "federated"  #: more than 100, loosely coupled domains


class StructureSignal(StrEnum):
    """What is measured in a run when its structure is outgrown (R6)."""

    COORDINATION = "coordination"  #: most of what a coordinator and those below it use is coordination, repeatedly
    WAITING = "waiting"  #: agents wait long for their coordinators
    QUALITY = "quality"  #: integrations get worse while single outputs stay good


class StructureChange(StrEnum):
    """What may be done about it (R10)."""

    ADD_LEVEL = "add_level"  #: leads between a coordinator and its agents
    SPLIT_DOMAINS = "split_domains"  #: fewer reports for each lead, and more leads
    JOIN_DOMAINS = "join_domains"  #: fewer leads, with more reports each
    FLATTEN = "flatten"  #: no leads in between
    SINGLE_AGENT = "single_agent"  #: one agent does it all, and nothing is integrated


class PlanChange(Value):
    """A change of the structure that a run proposes to itself, or has made (R10)."""

    signal: StructureSignal
    """What was measured (R6)."""
    measured: float
    """The share that was measured; a wait may be more than 1."""
    coordinator: str
    """The node it was measured at."""
    after: str
    """The phase behind which it was measured."""
    change: StructureChange
    """What should be changed."""
    reason: str
    """What was measured, and why this is a remedy, in one sentence."""
    phases: tuple[str, ...] = ()
    """Phases it concerns: those that have not begun; none: the next run."""
    span: int | None = None
    """Most direct reports in their parts of the tree; None where the change is no matter of the span."""
    applied: bool = False
    """Do those phases go by it? Else it is a proposal."""

    @property
    def said(self) -> str:
        """What is proposed or done, for which phases, and why, in one line."""
        change = self.change.value.replace("_", " ")
        whom = f"phase {', '.join(self.phases)}" if self.phases else "the next run"
        return f"{self.reason}: {change} {'in' if self.applied else 'is proposed for'} {whom}"


class Organisation(Value):
    """What people ask for, whatever the rules say: the plan keeps the rules, the linter names contradictions (L)."""

    structure: Structure | None = None
    """The structure asked for (L2, L8)."""
    agents: int | None = Field(default=None, ge=1)
    """The number of agents asked for (L1)."""
    sync: Literal["milestone", "phase", "interval", "event", "adaptive", "continuous"] | None = None
    """When to synchronise (X3); `continuous` is against L3."""
    visibility: Literal["everything", "scope", "exceptions", "sampling"] | None = None
    """Who sees what (V4); `everything` is against L4 beyond ten agents."""
    approval: Literal["everything", "selected", "none"] | None = None
    """What a person must approve (X6, X7); `everything` is against L7."""
    single_agent_success: float | None = Field(default=None, ge=0, le=1)
    """Share of such jobs that one agent alone was seen to complete; a strong baseline needs no others."""
    baseline: Baseline | None = None
    """What one agent alone takes for the job, where that is known; `echelon run --single` measures it (M10)."""
