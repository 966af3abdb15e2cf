"""How failure is handled, as data: a policy is stated once and inherited (job → phase → agent)."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from echelon.model.base import Value
from echelon.model.errors import InvalidJob
from echelon.model.usage import Budget

DEFAULT_ATTEMPTS = 3
DEFAULT_TIMEOUT_SECONDS = 300.0

#: Tokens of outputs that a model is given by value when nobody says otherwise (C6).
DEFAULT_BY_VALUE_TOKENS = 2_000


def _not_zero(value: object) -> object:
    """Refuse 0, which equals False in Python: a timeout of no time is a mistake."""
    if value is False:
        return value
    raise ValueError("False switches it off, None inherits it")


#: Switches a rung off; None inherits instead.
Off = Annotated[Literal[False], BeforeValidator(_not_zero)]

#: Numbers as they are written: `timeout=True` is a mistake, not one second.
_Seconds = Annotated[float, Field(gt=0, strict=True)]
_Attempts = Annotated[int, Field(ge=1, strict=True)]
_Tokens = Annotated[int, Field(ge=1, strict=True)]

#: Does a contract refuse what does not fit, or repair it where that takes no guess (C5)?
Strictness = Literal["strict", "flexible"]


class BreakerPolicy(Value):
    """When calls to a dependency are refused, and for how long (F1)."""

    consecutive_failures: int = Field(default=5, ge=1)
    """Failures in a row that open the breaker."""
    failure_rate: float = Field(default=0.5, gt=0, le=1)
    """Share of failed calls in the window that opens it."""
    window_calls: int = Field(default=100, ge=1)
    """Calls that the rates look back on."""
    window_seconds: float | None = Field(default=None, gt=0)
    """Calls that ended longer ago leave the window, in seconds; None: they never grow old."""
    minimum_calls: int = Field(default=20, ge=1)
    """Below so many calls in the window no rate ever opens it."""
    slow_call_seconds: float | None = Field(default=None, gt=0)
    """A call that takes longer is slow, in seconds; None: no call is, since agents may work for long."""
    slow_call_rate: float = Field(default=1.0, gt=0, le=1)
    """Share of slow calls in the window that opens it."""
    call_tokens: int | None = Field(default=None, ge=1)
    """A call that used more tokens counts as failed, whatever it returned (F4); None: no bound."""
    open_seconds: float = Field(default=30.0, gt=0)
    """Time until the first probe, in seconds."""
    open_growth: float = Field(default=2.0, ge=1)
    """Each further opening without a recovery in between lasts so many times longer."""
    max_open_seconds: float = Field(default=300.0, gt=0)
    """The longest that growth makes it, in seconds; never shortens `open_seconds`."""
    open_jitter: float = Field(default=0.1, ge=0, lt=1)
    """Share of the open time that chance takes off at most, so that not all processes try at one moment."""
    half_open_calls: int = Field(default=1, ge=1)
    """Calls admitted, as probes, at a time when half-open; so many must succeed to close it."""
    probe_seconds: float = Field(default=DEFAULT_TIMEOUT_SECONDS, gt=0)
    """A probe that has not returned by then is given up, and its slot given to another, in seconds."""
    metrics_only: bool = False
    """Count and tell, but never refuse a call; `isolate` still does."""
    max_open_share: float = Field(default=0.5, gt=0, le=1)
    """Share of all breakers that may refuse calls at one time: when more seem down, it is more likely us."""
    min_fleet: int = Field(default=5, ge=1)
    """With fewer breakers than this the share does not apply: of two dependencies both may be down."""


class BulkheadPolicy(Value):
    """How many calls are at work at one time, and how many may wait (F5)."""

    max_concurrency: int = Field(ge=1)
    """Calls at work at one time."""
    max_queue: int | None = Field(default=1024, ge=0)
    """Calls that may wait; one more is refused at once. None: no bound."""


class RateLimitPolicy(Value):
    """How many calls a provider takes in a minute; how many at one time is its bulkhead's (F5)."""

    requests_per_minute: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Requests, attempts that fail included; None: no bound."""
    tokens_per_minute: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Tokens read and written; None: no bound. Before a call those it is expected to use count, then those it used."""

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        if self.requests_per_minute is None and self.tokens_per_minute is None:
            raise ValueError("a rate limit states requests_per_minute, tokens_per_minute or both")
        return self


class RetryBudgetPolicy(Value):
    """How many retries all callers of one dependency may make together, whatever each may make alone (F3)."""

    retries: float = Field(default=100.0, gt=0)
    """Retries that may be made before any call succeeds: in a full outage there will be no more."""
    earned_by_success: float = Field(default=0.1, ge=0, le=1)
    """Retries that a call earns which succeeds at its first attempt; a retry that succeeds costs nothing."""
    forget_seconds: float = Field(default=600.0, gt=0)
    """A budget that nobody has used for so long is full again."""


class Resilience(Value):
    """How one call is guarded. None inherits from the phase, then from the job; False switches off."""

    timeout_seconds: _Seconds | Off | None = None
    """Time one attempt may take; False: as long as the budgets allow."""
    idle_seconds: _Seconds | Off | None = None
    """Time an attempt may be silent, without a `heartbeat()` or output of a command; off unless stated (F4)."""
    attempts: _Attempts | None = None
    """Calls made at most, the first included; 1 switches retries off (F3)."""
    breaker: str | Off | None = None
    """Name of the dependency whose breaker is shared by all its callers; off unless stated."""
    breaker_policy: BreakerPolicy | None = None
    """When that breaker opens; None: as usual. State it in one place for each dependency."""
    provider: str | Off | None = None
    """Name of the dependency whose slots, rate and retry budget are shared; that of the breaker unless stated."""
    bulkhead: BulkheadPolicy | Off | None = None
    """Slots for calls to the dependency, shared fairly by the domains; off unless stated (F5)."""
    rate_limit: RateLimitPolicy | Off | None = None
    """Requests and tokens a minute that the dependency takes; off unless stated. Like `bulkhead` it is stated in one
    place for each dependency, and holds for everybody in the job who names it (F5)."""
    domain_bulkhead: BulkheadPolicy | Off | None = None
    """Places for the calls of each domain; off unless stated (F5)."""
    retry_budget: RetryBudgetPolicy | Off | None = None
    """Retries that all callers of the dependency share (F3)."""
    budget: Budget | Off | None = None
    """What one task may use, all its attempts together; off unless stated. A task that a resumed run does again has
    it anew, a fallback has its own, and an integration has none (F4)."""
    domain_budget: Budget | Off | None = None
    """What all tasks of one domain may use together, in all phases and processes of the run; off unless stated. A
    phase or an agent that states another one has that for itself. Integrations count, and are never refused (F7)."""
    backoff_seconds: float | None = Field(default=None, ge=0)
    """Base of the exponential back-off."""
    backoff_max_seconds: float | None = Field(default=None, ge=0)
    """The longest wait between two attempts."""
    contract: Strictness | None = None
    """Is an output that does not fit refused (`strict`, what holds when nobody says otherwise) or repaired (C5)?"""
    by_value_tokens: _Tokens | Off | None = None
    """Tokens of earlier outputs that stand in the prompt of a model or the brief of a command, whole outputs only, the
    rest is named; False: none. `ECHELON_BY_VALUE_TOKENS` unless stated (C6)."""

    @model_validator(mode="after")
    def _budgets_are_of_one_run(self) -> Self:
        """Refuse a standing budget of anything but a job; `InvalidJob` in one line."""
        for whose, budget in (("a task", self.budget), ("a domain", self.domain_budget)):
            if isinstance(budget, Budget) and budget.per is not None:
                raise InvalidJob(f"the budget of {whose} cannot last a {budget.per}: state it as Job(budget=...) (F10)")
        return self

    def over(self, outer: "Resilience") -> "Resilience":
        """Return this policy with everything unset taken from `outer`."""
        stated = {name: getattr(self, name) for name in self.model_fields_set}
        return outer.model_copy(update={name: value for name, value in stated.items() if value is not None})

    @property
    def dependency(self) -> str | None:
        """Name of what is called; None when nobody said it."""
        return self.provider or self.breaker or None


#: What holds when nobody says otherwise.
DEFAULT_RESILIENCE = Resilience(
    timeout_seconds=DEFAULT_TIMEOUT_SECONDS,
    attempts=DEFAULT_ATTEMPTS,
    backoff_seconds=0.5,
    backoff_max_seconds=30.0,
    retry_budget=RetryBudgetPolicy(),
)
