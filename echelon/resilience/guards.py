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
    ) -> None:
        self._breakers = breakers
        #: The breakers of the guards that were made.
        self.used = BreakersUsed()
        self._dependencies = dependencies or Dependencies.shared()
        self._domains = ByName[BulkheadPolicy, Bulkhead]("bulkhead", Bulkhead)
        self._rng = rng or random.Random()  # noqa: S311 - spreads waits, protects nothing
        self._clock = clock
        self._sleep = sleep

    def guard(
        self,
        policy: Resilience,
        *,
        caller: str,
        account: Account,
        domain: str = "",
        tenant: str = "",
        slots: Sequence[Limiter] = (),
        price: Price | None = None,
        waits_for_probe: bool = False,
    ) -> Guard:
        """Return what guards the calls of one agent, for one domain; slots are shared out by `tenant`, or else by that.

        `caller` names it; its slots, rate and retries are its own when its policy names no dependency. `slots` bound
        what the run has at work, and `price` is that of its model. With `waits_for_probe` calls that an open breaker
        refuses wait for its next probe; whoever has a fallback takes that at once (F1).
        """
        complete = policy.over(DEFAULT_RESILIENCE)
        dependency = complete.dependency or caller
        budget = complete.retry_budget
        breaker = self._breaker(complete)
        return Guard(
            complete,
            breaker=breaker,
            doors=(_probe_door(complete, breaker),) if breaker and waits_for_probe else (),
            tenant=tenant or domain,
            rate_limiter=self._dependencies.rate_limiter(dependency, rate) if (rate := complete.rate_limit) else None,
            account=account,
            limiters=tuple(self._limiters(complete, dependency, domain, tenant or domain, slots)),
            retry_budget=self._dependencies.retry_budget(dependency, budget) if budget else None,
            price=price,
            rng=self._rng,
            clock=self._clock,
            sleep=self._sleep,
        )

    def _breaker(self, policy: Resilience) -> Breaker | None:
        return self.used.note(self._breakers.get(policy.breaker, policy.breaker_policy)) if policy.breaker else None

    def _limiters(
        self, policy: Resilience, dependency: str, domain: str, tenant: str, slots: Sequence[Limiter]
    ) -> Iterator[Limiter]:
        """Yield the narrow limiters first: whoever waits there must not keep others out of a wide one."""
        if policy.domain_bulkhead:
            yield self._domains.get(domain, policy.domain_bulkhead).slot()
        if policy.bulkhead:
            yield self._dependencies.bulkhead(dependency, policy.bulkhead).slot(tenant)
        yield from slots


def _probe_door(policy: Resilience, breaker: Breaker) -> ProbeDoor:
    return ProbeDoor(breaker, attempts=policy.attempts or 1, timeout_seconds=policy.timeout_seconds or inf)
