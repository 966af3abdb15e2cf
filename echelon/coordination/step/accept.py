"""What an agent returns crosses its contract, and an agent that can be asked is asked once more (C3, C5)."""

from collections.abc import Awaitable
from dataclasses import dataclass, replace

from echelon.agents.agent import AsksAgain
from echelon.agents.outcome import Outcome
from echelon.coordination.step.boundary import Accepted, AskAgain, Boundary, accept
from echelon.coordination.step.step import Perform, Step


@dataclass(frozen=True)
class Accept:
    """Takes what fits. It lies inside the guard: a bad result counts against the dependency like an error does."""

    inner: Perform[Outcome[object]]

    def __call__(self, step: Step) -> Awaitable[Accepted]:
        """Do a step until its output fits; `ContractViolation` when it does not."""
        flexible = step.guard.policy.contract == "flexible"
        boundary = Boundary(contract=step.contract, producer=step.agent.name, flexible=flexible)
        # Only a flexible boundary asks, and finding out who can be asked is slow.
        ask_again = self._asking(step) if flexible else None
        return accept(boundary, lambda: self.inner(step), ask_again)

    def _asking(self, step: Step) -> AskAgain | None:
        """Return how the agent is asked once more; None for one that cannot be told what was wrong, or must not be."""
        if not isinstance(step.agent, AsksAgain) or step.agent.effect == "irreversible":
            return None
        return lambda complaint: self.inner(replace(step, complaint=complaint))
