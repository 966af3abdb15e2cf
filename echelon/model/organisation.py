"""How agents are organised, and what people fix about it themselves. Values only."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from echelon.model.base import Value


class Structure(StrEnum):
    """How the agents are organised (R1)."""

    SINGLE = "single"  #: 1 agent
    FLAT = "flat"  #: 2–8, one coordinator
    HIERARCHICAL = "hierarchical"  #: 9–20, two levels
    MULTI_TIER = "multi_tier"  #: 21–100, three levels or more
    FEDERATED = "federated"  #: more than 100, loosely coupled domains


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
