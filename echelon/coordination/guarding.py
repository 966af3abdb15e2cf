"""Guards of the calls of one run: what its policies state, with what the run shares (F1, F3, F4, F5)."""

from collections.abc import Mapping

from echelon.agents.agent import Agent
from echelon.agents.function import FunctionAgent
from echelon.agents.processes.workers import Workers
from echelon.definition.facts import facts_of
from echelon.model.policy import Resilience
from echelon.model.usage import Price
from echelon.resilience.breaker.used import BreakersUsed
from echelon.resilience.budget import Account
from echelon.resilience.bulkhead import Bulkhead
from echelon.resilience.guard import Guard
from echelon.resilience.guards import Guards
from echelon.resilience.registry import BreakerRegistry


class Guarding:
    """Makes the guards of one run. `limit` bounds its agents at work at one time; None is no bound (F5)."""

    def __init__(
        self,
        breakers: BreakerRegistry,
        account: Account,
        limit: Bulkhead | None = None,
        prices: Mapping[str, Price] | None = None,
    ) -> None:
        self.account = account
        """What the whole run may consume (F4)."""
        self._limit = limit
        self._prices = prices or {}
        self._guards = Guards(breakers=breakers)

    @property
    def breakers_used(self) -> BreakersUsed:
        """The breakers that its agents use (F1)."""
        return self._guards.used

    def guard(
        self,
        agent: Agent,
        policy: Resilience,
        account: Account | None = None,
        domain: str = "",
        *,
        has_fallback: bool = False,
    ) -> Guard:
        """Return the guard of an agent's calls: CPU-bound ones wait for a processor, all others for a slot of the run.

        What they use is taken from `account`, or else from that of the run; slots are shared out by `domain` (F5). An
        agent that `has_fallback` does not wait for a dependency that is down (F1).
        """
        model = facts_of(agent, policy).model
        slot = self._limit.slot(domain) if self._limit else None
        cpu_bound = isinstance(agent, FunctionAgent) and agent.cpu_bound
        return self._guards.guard(
            policy,
            caller=f"agent {agent.name!r}",
            account=account or self.account,
            domain=domain,
            limiter=Workers.shared().slots if cpu_bound else slot,
            price=self._prices.get(model) if model else None,
            waits_for_probe=not has_fallback,
        )
