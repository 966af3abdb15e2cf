"""One phase of a job: which agents work in it, on what, and how their outputs are integrated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from echelon.agents.agent import Agent
from echelon.agents.decorators import PhaseIntegrator
from echelon.agents.fallback import Fallback
from echelon.agents.function import FunctionAgent
from echelon.definition.need import Need
from echelon.definition.oversight.judges import NO_JUDGES, Judges
from echelon.definition.redundancy.redundancy import DONE_ONCE, Redundancy
from echelon.definition.reuse.unchanged import Reuse
from echelon.definition.rolling.discovery import Discovery
from echelon.definition.rolling.repeat import Repetition
from echelon.definition.success.success import NO_SUCCESS, Success
from echelon.definition.sync.sync import PhaseSync
from echelon.definition.touched import Touches
from echelon.model.graph import ErrorConsequence
from echelon.model.oversight.terms import Gate
from echelon.model.policy import Resilience


@dataclass(frozen=True, kw_only=True)
class PhaseDefinition:
    """A phase: its agents run at the same time, and a sync point ends it (D4)."""

    name: str
    """Unique within the job."""
    agents: tuple[Agent, ...]
    """One call each; when there are items, the one agent that is called for each."""
    discovery: Discovery | None = None
    """How it comes to its items; None when there are none."""
    foreseen: Callable[[BaseModel], list[object]] | None = None
    """Lists the items that it is expected to find on the way, given the inputs; None: nobody foresees them."""
    key: Callable[[Any], str] = str
    """Names an item; unique within the phase."""
    domain: Callable[[Any], str] | None = None
    """The domain of an item; dots separate a domain from its part."""
    items: tuple[int, int] | None = None
    """The fewest and the most items that are expected."""
    needs: tuple[str, ...] = ()
    """Phases it comes behind; their handoffs its agents receive, unless the coupling is `none`."""
    couplings: Mapping[str, Need] = field(default_factory=dict[str, Need])
    """How much each of them is needed, where that was stated (D3)."""
    fallbacks: Mapping[str, tuple[Fallback, ...]] = field(default_factory=dict[str, tuple[Fallback, ...]])
    """What stands in when an agent does not deliver, by its name (F2)."""
    condition: FunctionAgent[..., object] | None = None
    """Says whether the phase is wanted; None: it always is (X12)."""
    repetition: Repetition | None = None
    """How its work is repeated until a check passes; None: it is done once (X12)."""
    reuse: Reuse | None = None
    """What is kept of earlier runs; None: everything is done in every run."""
    success: Success = NO_SUCCESS
    """What must be true of the results of its tasks (D11)."""
    judges: Judges = NO_JUDGES
    """Whom the oversight of the job asks about its results and integrations (O3, O4)."""
    integrator: PhaseIntegrator | None = None
    """How coordinators integrate; None: outputs are passed on as they are."""
    resilience: Resilience = field(default_factory=Resilience)
    """How its calls are guarded; unset parts are inherited from the job."""
    seconds: float | None = None
    """Expected duration of one call, in seconds."""
    tokens: int | None = None
    """Expected tokens of one call."""
    error_consequence: ErrorConsequence = "minor"
    """How bad a wrong output is (R9)."""
    priority: int = 0
    """Higher first when its agents and those of other phases wait for slots (F5)."""
    touches: Touches = ()
    """Shared things that its tasks change, or what names them for an item (D4)."""
    capability: str | None = None
    """What its agents must be able to do; None: each has that of its name (R1)."""
    gate: Gate | None = None
    """The terms on which a person is asked before each of its tasks; None: only where that cannot be undone (O5)."""
    sync: PhaseSync | None = None
    """How it is done in waves; None: it synchronises at its end only (X3)."""
    redundancy: Redundancy = DONE_ONCE
    """Who does each task at the same time, or stands by (F9); how many do it is stated by each task."""
    settler: Agent | None = None
    """Decides which of two contradicting outputs counts; None: what the job states, or a person (X9)."""
    flat: bool = False
    """Is its sync point a flat moment (O6)?"""
    single: bool = False
    """Was it declared with exactly one agent, so that its output is that agent's?"""
    task_by_task: bool = False
    """Does each task receive what the tasks made that it depends on, and not all that the phases needed handed on?"""

    @property
    def is_open(self) -> bool:
        """Are its items found on the way, and not when the job is planned?"""
        return self.discovery is not None and self.discovery.finder is not None

    @property
    def finder(self) -> FunctionAgent[..., object]:
        """What finds its items on the way; asked of phases only that are open."""
        assert self.discovery is not None, "only a phase that finds its items is open"
        assert self.discovery.finder is not None, "only a phase that finds its items on the way is open"
        return self.discovery.finder

    def need(self, phase: str) -> Need:
        """Return how much a phase is needed."""
        return self.couplings.get(phase) or Need(phase)


def integrators_of(phase: PhaseDefinition) -> tuple[Agent, ...]:
    """Return what integrates in a phase: outputs of agents, and results of integrations further up."""
    return integrating(phase.integrator)


def integrating(integrator: PhaseIntegrator | None) -> tuple[Agent, ...]:
    """Return the agents that an integrator is made of."""
    return () if integrator is None else tuple(one for one in (integrator.merger, integrator.combiner) if one)
