"""Guards of the calls of one run: what its policies state, with what the run shares (F1, F3, F4, F5)."""

from collections.abc import Mapping, Sequence
from math import inf
from typing import NamedTuple, TypeAlias

from echelon.agents.agent import Agent
from echelon.agents.processes.workers import Workers
from echelon.definition.facts import caller_of, facts_of, kind_of
from echelon.definition.limits import with_provider
from echelon.model.graph import WorkerKind
from echelon.model.policy import Resilience
from echelon.model.quota.window import QuotaWindow
from echelon.model.usage import Price
from echelon.resilience.breaker.used import BreakersUsed
from echelon.resilience.budget import Account
from echelon.resilience.guard import Guard
from echelon.resilience.guards import Guards
from echelon.resilience.registry import BreakerRegistry
from echelon.resilience.run_slots import RunSlots


class KnownGuard(NamedTuple):
    """A guard that was made."""

    agent: Agent
    """Whose calls it guards: while it is here, no other agent has its identity."""
    guard: Guard


KnownGuards: TypeAlias = dict[tuple[int, str, bool, int, tuple[str, ...]], KnownGuard]
"""By identity of the agent, since agents may share a name but no policy; by domain; and by what it does, since one
agent may do tasks and integrate, and the bounds of a task are none of an integration; and by what decides whose turn it
is: the priority of a task, and what it touches."""


class Guarding:
    """Makes the guards of one run. `slots` bound its agents at work at one time (F5).

    `prices` are those of models, `providers` what is stated about them, for everybody who calls them. A call waits
    `quota_wait_seconds` at most for a quota that resets (F10).
    """

    def __init__(
        self,
        breakers: BreakerRegistry,
        account: Account,
        slots: RunSlots,
        prices: Mapping[str, Price],
        providers: Mapping[str, Resilience],
        quota_wait_seconds: float = inf,
    ) -> None:
        self.account = account
        """What the whole run may consume (F4)."""
        self.slots = slots
        """What bounds its agents at work at one time."""
        self.windows_noted: dict[str, QuotaWindow] = {}
        """Closed windows that are on record, or on their way there, by dependency (F10)."""
        self.known: dict[str, KnownGuards] = {}
        """Guards that were made for phases, by phase."""
        self._prices = prices
        self._providers = providers
        self._guards = Guards(breakers=breakers, quota_wait_seconds=quota_wait_seconds)

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
        priority: int = 0,
        touches: Sequence[str] = (),
        has_fallback: bool = False,
    ) -> Guard:
        """Return the guard of an agent's calls: CPU-bound ones wait for a processor, all for a slot of the run.

        What they use is taken from `account`, or else from that of the run; slots are shared out fairly by `tenant`,
        which is its `domain` where nothing else is said, a higher `priority` first (F5). Those who touch the same take
        turns (D4). An
        agent that `has_fallback` does not wait for a dependency that is down, or whose quota is used up (F1, F10).
        """
        model = facts_of(agent, policy).model
        kind = kind_of(agent)
        tenant = tenant or domain
        processor = (Workers.shared().slots.slot(tenant, priority),) if kind is WorkerKind.PROCESS else ()
        return self._guards.guard(
            with_provider(policy, self._providers),
            caller=caller_of(agent),
            account=account or self.account,
            domain=domain,
            tenant=tenant,
            priority=priority,
            turns=tuple(self.slots.turns(touches, tenant, priority)),
            slots=(*processor, *self.slots.of(kind, tenant, priority)),
            price=self._prices.get(model) if model else None,
            waits=not has_fallback,
        )
