"""What is asked of an agent: the goal and its bounds, never the method (D7, D8, D9)."""

from pydantic import Field

from echelon.model.base import Value
from echelon.model.usage import Budget
from echelon.model.voice.speaking import Speaks


class Intent(Value):
    """Why a task exists, handed down the levels unchanged (D8)."""

    job: str
    """Goal of the job."""
    domain: str | None = None
    """Goal of the domain, when the task belongs to one."""
    task: str
    """Goal of the task."""


class Assignment(Value):
    """A task given to an agent: what success is, not how to reach it (D7)."""

    id: str
    """Unique within the run."""
    task_id: str
    """The task of the plan."""
    agent: str
    """The agent that does it."""
    intent: Intent
    """Goals of job, domain and task (D8)."""
    success: tuple[str, ...] = ()
    """What must be true of the output."""
    constraints: tuple[str, ...] = ()
    """What bounds the choices: constraints of the job, then of the task (D9)."""
    priority: int = Field(default=0)
    """Higher first when agents wait for slots (F5)."""
    budget: Budget = Budget()
    """The most the agent may consume: the nearest budget that is stated, of the task, its domain or the job (F4)."""
    references: tuple[str, ...] = ()
    """Where to read what is needed; never the content itself (C6)."""


class Brief(Value, Speaks):
    """What an agent is told at the start of a phase: its assignment and the strategic summary (X2).

    Through it an agent also says what somebody should know while it works (X15).
    """

    run_id: str
    """The run."""
    phase: str
    """The phase."""
    assignment: Assignment
    """What is asked of this agent."""
    reports_to: str
    """Node of the plan that coordinates this agent and owns the integration of its output."""
    summary: str = ""
    """What earlier phases found, in a few sentences."""
    changed: tuple[str, ...] = ()
    """What has changed since the last sync point: new versions, phases that were planned, items that are gone (X2)."""
    decisions: tuple[str, ...] = ()
    """What was decided in the run, by whom and why, the newest first (X2, X9)."""
    domain: tuple[str, ...] = ()
    """What its domain delivered in earlier phases that it does not receive, with references (X8)."""
    flat: tuple[str, ...] = ()
    """All open concerns, unfiltered, where the sync point before was a flat moment (O6)."""
    missing: tuple[str, ...] = ()
    """What earlier phases could not deliver, with the reason (F7)."""
    concerns: tuple[str, ...] = ()
    """Open concerns about what it uses, the most urgent first; those that do not fit are counted (O2)."""
    conventions: tuple[str, ...] = ()
    """What this agent keeps to, and how it speaks up: only what is switched on in the run, and it can act on (K)."""
    round: int = Field(default=1, ge=1)
    """Which round this is, where work is repeated until a check passes (X12)."""
    replica: int = Field(default=0, ge=0)
    """Which of those that do the same at the same time, from 1; 0 where it is done once (F9)."""
    gaps: tuple[str, ...] = ()
    """What the checks of the rounds before said was missing, the last one last."""
    idempotency_key: str = ""
    """Tells a receiver that it got this order before: the same in every attempt, also after a crash. Empty for agents
    that change nothing (F8)."""

    @property
    def subject(self) -> str:
        """The task."""
        return self.assignment.task_id
