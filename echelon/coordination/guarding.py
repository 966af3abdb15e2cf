"""Guards of the calls of one run: what its policies state, with what the run shares (F1, F3, F4, F5)."""

from collections.abc import Mapping

from echelon.agents.agent import Agent
from echelon.agents.processes.workers import Workers
from echelon.definition.facts import caller_of, facts_of, kind_of
from echelon.definition.limits import with_provider
from echelon.model.graph import WorkerKind
from echelon.model.policy import Resilience
from echelon.model.usage import Price
from echelon.resilience.breaker.used import BreakersUsed
from echelon.resilience.budget import Account
from echelon.resilience.guard import Guard
from echelon.resilience.guards import Guards
from echelon.resilience.registry import BreakerRegistry
from echelon.resilience.run_slots import RunSlots


class Guarding:
    """Makes the guards of one run. `slots` bound its agents at work at one time (F5).

    `prices` are those of models, `providers` what is stated about them, for everybody who calls them.
    """

    def __init__(
        self,
        breakers: BreakerRegistry,
        account: Account,
        slots: RunSlots,
        prices: Mapping[str, Price],
        providers: Mapping[str, Resilience],
    ) -> None:
        self.account = account
        """What the whole run may consume (F4)."""
        self.slots = slots
        """What bounds its agents at work at one time."""
        self._prices = prices
        self._providers = providers
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
        tenant: str = "",
        has_fallback: bool = False,
    ) -> Guard:
        """Return the guard of an agent's calls: CPU-bound ones wait for a processor, all for a slot of the run.

        What they use is taken from `account`, or else from that of the run; slots are shared out fairly by `tenant`,
        which is its `domain` where nothing else is said (F5). An
        agent that `has_fallback` does not wait for a dependency that is down (F1).
        """
        model = facts_of(agent, policy).model
        kind = kind_of(agent)
        tenant = tenant or domain
        processor = (Workers.shared().slots.slot(tenant),) if kind is WorkerKind.PROCESS else ()
        return self._guards.guard(
            with_provider(policy, self._providers),
            caller=caller_of(agent),
            account=account or self.account,
            domain=domain,
            tenant=tenant,
            slots=(*processor, *self.slots.of(kind, tenant)),
            price=self._prices.get(model) if model else None,
            waits_for_probe=not has_fallback,
        )
