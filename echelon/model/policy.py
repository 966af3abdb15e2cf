"""How failure is handled, as data: a policy is stated once and inherited (job → phase → agent)."""

from pydantic import Field

from echelon.model.base import Value

DEFAULT_ATTEMPTS = 3
DEFAULT_TIMEOUT_SECONDS = 300.0


class BreakerPolicy(Value):
    """When calls to a dependency are refused, and for how long (F1)."""

    consecutive_failures: int = Field(default=5, ge=1)
    """Failures in a row that open the breaker."""
    failure_rate: float = Field(default=0.5, gt=0, le=1)
    """Share of failed calls in the window that opens it."""
    window_calls: int = Field(default=100, ge=1)
    """Calls that the rate looks back on."""
    minimum_calls: int = Field(default=20, ge=1)
    """Below so many calls in the window the rate never opens it."""
    open_seconds: float = Field(default=30.0, gt=0)
    """Time until the first trial call."""
    trial_calls: int = Field(default=1, ge=1)
    """Trial calls admitted at a time when half-open."""


class Resilience(Value):
    """How one call is guarded. None inherits from the phase, then from the job."""

    timeout_seconds: float | None = Field(default=None, gt=0)
    """Time one attempt may take."""
    attempts: int | None = Field(default=None, ge=1)
    """Calls made at most, the first included (F3)."""
    breaker: str | None = None
    """Name of the dependency whose breaker is shared by all its callers; None: no breaker."""
    backoff_seconds: float | None = Field(default=None, ge=0)
    """Base of the exponential back-off."""
    backoff_max_seconds: float | None = Field(default=None, ge=0)
    """The longest wait between two attempts."""

    def over(self, outer: "Resilience") -> "Resilience":
        """Return this policy with everything unset taken from `outer`."""
        return outer.model_copy(update=self.model_dump(exclude_none=True))


#: What holds when nobody says otherwise.
DEFAULT_RESILIENCE = Resilience(
    timeout_seconds=DEFAULT_TIMEOUT_SECONDS, attempts=DEFAULT_ATTEMPTS, backoff_seconds=0.5, backoff_max_seconds=30.0
)
