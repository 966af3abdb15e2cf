"""What may settle conflicts, as a job states it (X9)."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from echelon.agents.agent import AgentLike
from echelon.model.conflicts.conflict import Settlement

_Settles: TypeAlias = str | Settlement | Awaitable[str] | Awaitable[Settlement]

Settle: TypeAlias = Callable[..., _Settles] | AgentLike
"""Is given the `Conflict`, and returns the task whose side counts, or a `Settlement` that says why, too."""
