"""Guards from policies: what is stated as data becomes the rungs of one run (F1, F3, F4, F5)."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from math import inf

from echelon.model.policy import DEFAULT_RESILIENCE, BulkheadPolicy, Resilience
from echelon.model.usage import Price
from echelon.resilience.breaker.breaker import Breaker
from echelon.resilience.breaker.used import BreakersUsed
from echelon.resilience.budget import Account
from echelon.resilience.bulkhead import Bulkhead
from echelon.resilience.doors import ProbeDoor
from echelon.resilience.guard import Guard
from echelon.resilience.quota.gate import QuotaGate
from echelon.resilience.registry import BreakerRegistry
from echelon.resilience.retry import Sleep
from echelon.resilience.rungs import Limiter
from echelon.resilience.shared import ByName, Dependencies


class Guards:
    """Makes the guards of one run. Breakers and dependencies are shared with other runs, domains are its own."""

    def __init__(
        self,
        *,
        breakers: BreakerRegistry,
        dependencies: Dependencies | None = None,
        rng: random.Random | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        quota_wait_seconds: float = inf,
    ) -> None:
        self._breakers = breakers
        #: The breakers of the guards that were made.
        self.used = BreakersUsed()
        self._dependencies = dependencies or Dependencies.shared()
        self._domains = ByName[BulkheadPolicy, Bulkhead]("bulkhead", Bulkhead)
        self._rng = rng or random.Random()  # noqa: S311 - spreads waits, protects nothing
        self._clock = clock
        self._sleep = sleep
        #: The longest wait for a quota that resets (F10).
        self._quota_wait_seconds = quota_wait_seconds

    def guard(
        self,
        policy: Resilience,
        *,
        caller: str,
        account: Account,
        domain: str = "",
        tenant: str = "",
        priority: int = 0,
        turns: Sequence[Limiter] = (),
        slots: Sequence[Limiter] = (),
        price: Price | None = None,
        waits: bool = False,
    ) -> Guard:
        """Return what guards the calls of one agent, for one domain; slots are shared out by `tenant`, or else by that.

        `caller` names it; its slots, rate and retries are its own when its policy names no dependency. `slots` bound
        what the run has at work; before all others come `turns`, for which a call holds nothing while it waits. Those
        of a higher `priority` come first wherever calls wait. `price` is that of its model. With `waits`
        calls that an open breaker refuses wait for its next probe, and those that a used up quota refuses for its
        reset; whoever has a fallback takes that at once (F1, F10).
        """
        complete = policy.over(DEFAULT_RESILIENCE)
        dependency = complete.dependency or caller
        budget = complete.retry_budget
        breaker = self._breaker(complete)
        quota = QuotaGate(self._breakers.quotas, dependency, self._quota_wait_seconds, complete.attempts or 1)
        doors = (*((_probe_door(complete, breaker),) if breaker else ()), quota)
        return Guard(
            complete,
            breaker=breaker,
            doors=doors if waits else (),
            quota=quota,
            tenant=tenant or domain,
            priority=priority,
            rate_limiter=self._dependencies.rate_limiter(dependency, rate) if (rate := complete.rate_limit) else None,
            account=account,
            limiters=(*turns, *self._limiters(complete, dependency, domain, tenant or domain, priority), *slots),
            retry_budget=self._dependencies.retry_budget(dependency, budget) if budget else None,
            price=price,
            rng=self._rng,
            clock=self._clock,
            sleep=self._sleep,
        )

    def _breaker(self, policy: Resilience) -> Breaker | None:
        return self.used.note(self._breakers.get(policy.breaker, policy.breaker_policy)) if policy.breaker else None

    def _limiters(
        self, policy: Resilience, dependency: str, domain: str, tenant: str, priority: int
    ) -> Iterator[Limiter]:
        """Yield the narrow limiters first: whoever waits there must not keep others out of a wide one."""
        if policy.domain_bulkhead:
            yield self._domains.get(domain, policy.domain_bulkhead).slot(priority=priority)
        if policy.bulkhead:
            yield self._dependencies.bulkhead(dependency, policy.bulkhead).slot(tenant, priority)


def _probe_door(policy: Resilience, breaker: Breaker) -> ProbeDoor:
    return ProbeDoor(breaker, attempts=policy.attempts or 1, timeout_seconds=policy.timeout_seconds or inf)
