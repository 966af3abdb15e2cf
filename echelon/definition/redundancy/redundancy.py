"""What replicas and a standby are as a part of a phase (F9). Values only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from echelon.agents.agent import Agent, AgentLike

#: How many do each task at the same time, or who they are: the agent of the phase and others.
Replicas: TypeAlias = int | Sequence[AgentLike]
#: What of an output must be equal, such as a verdict and not its wording.
AgreeOn: TypeAlias = Callable[[Any], object]


@dataclass(frozen=True, kw_only=True)
class Redundancy:
    """How the tasks of a phase are made safe against one agent that fails, hangs or is wrong."""

    others: tuple[Agent, ...] = ()
    """Who does each task beside the agent of the phase, where they are other agents; empty: all are the same one."""
    replicas: int = 1
    """How many do each task at the same time."""
    agree: int = 1
    """How many of them must deliver the same; with 1 the first handoff wins."""
    agree_on: AgreeOn | None = None
    """What of an output must be equal; None: all of it."""
    standby: Agent | None = None
    """Takes over when the first one is late or fails; None: nobody does."""
    late_seconds: float | None = None
    """When the first one is late, in seconds from when it is at work; None: never, it can only fail."""

    @property
    def agents(self) -> tuple[Agent, ...]:
        """Those beside the agents of the phase."""
        return (*self.others, *((self.standby,) if self.standby else ()))


#: Work that is done once.
DONE_ONCE = Redundancy()
